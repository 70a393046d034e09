import type { Clock } from '../canonical/index.ts';
import { messageOf, messageWithoutPath } from '../canonical/index.ts';
import type { AuditEvent, LogStats, PreparedContent, RecordFacts } from '../decision/model.ts';
import { AuditError } from '../decision/model.ts';
import type { createPreparer, Tail } from './record/content.ts';
import { tailOf } from './record/content.ts';
import type { createHeads } from './record/head.ts';
import { withSideFacts } from './record/overflow.ts';
import type { AuditSettings } from './settings.ts';
import { createBatch } from './store/batch.ts';
import type { LogFiles } from './store/files.ts';
import { RECORDS_PER_SEGMENT } from './store/layout.ts';
import type { Writer } from './store/writer.ts';

type Done = (error?: AuditError) => void;

export interface QueueOptions {
  readonly directory: string;
  readonly files: LogFiles;
  readonly writer: Writer;
  readonly heads: ReturnType<typeof createHeads>;
  readonly prepareDetails: ReturnType<typeof createPreparer>['prepareDetails'];
  readonly settings: AuditSettings;
  readonly clock: Clock;
  readonly warn: (sentence: string) => void;
  readonly nextIndex: number;
}

/** Bytes of one write; a turn with more is written in several. */
const WRITE_BYTES = 4_194_304;
/** With `durability: memory`, how long records wait to be written together. */
const GATHER_MS = 100;
/** What must be free before a log that could not write goes on: the next small record that happens to fit is no sign. */
const RESERVE_BYTES = 1_048_576;
/** How often a log that cannot write tries to. */
const PROBE_MS = 1_000;

interface Outage {
  readonly since: string;
  readonly reason: string;
  refused: number;
  /** The record of this outage is in the batch that is written next. */
  noted: boolean;
}

/**
 * Gathers the records of one turn of the event loop, writes them in one write at its end, and then calls their
 * `done`, in order. With `durability: memory` the write comes later, and `done` does not wait for it.
 */
export const createQueue = (options: QueueOptions) => {
  const { directory, files, writer, heads, prepareDetails, settings, clock, warn } = options;
  const inMemory = settings.durability === 'memory';
  const batch = createBatch();
  let nextIndex = options.nextIndex;
  let firstInBatch = nextIndex;
  /** Of this turn: `errors[i]` belongs to `waiting[i]` once `settled` is past i. */
  let waiting: Done[] = [];
  let errors: (AuditError | undefined)[] = [];
  let settled = 0;
  let turnEnds = false;
  let gathering: NodeJS.Timeout | undefined;
  let probing: NodeJS.Timeout | undefined;
  let outage: Outage | undefined;
  const counts = { records: 0, failedWrites: 0, pauses: 0, refusedRecords: 0 };
  /** Why the log takes no records any more, whatever happens. */
  let over: string | undefined;

  // Told to whoever asked for the decision, who need not know where the log lies.
  const unwritable = (why: string, cause?: unknown): AuditError => new AuditError('AUDIT_UNWRITABLE', why, { cause });
  const settle = (error: AuditError | undefined): void => {
    for (; settled < waiting.length; settled++) errors[settled] = error;
  };

  const fail = (error: unknown): void => {
    const reason = messageWithoutPath(error);
    counts.failedWrites += 1;
    if (outage === undefined) {
      counts.pauses += 1;
      outage = { since: new Date(clock.nowMs()).toISOString(), reason, refused: 0, noted: false };
      warn(`audit log ${directory} takes no records: ${messageOf(error)}`);
    }
    probing ??= setTimeout(probe, PROBE_MS).unref();
    // What waits in memory was acknowledged already and is tried again.
    if (inMemory) return;
    const refused = batch.count() - (outage.noted ? 1 : 0);
    outage.refused += refused;
    counts.refusedRecords += refused;
    outage.noted = false;
    nextIndex = firstInBatch;
    batch.clear();
    settle(unwritable(`the log cannot be written: ${reason}`, error));
  };

  /** True when it did. Only with an empty batch: side values in it may rest on those that the segment holds. */
  const sealIfDue = (): boolean => {
    const { records, bytes, ageMs } = writer.fill();
    const { sealBytes, sealSeconds } = settings;
    const due = records >= RECORDS_PER_SEGMENT || bytes >= sealBytes || ageMs >= sealSeconds * 1000;
    if (records === 0 || !due || batch.count() > 0) return false;
    void writer.seal();
    return true;
  };
  sealIfDue();

  const succeed = (): void => {
    counts.records += batch.count();
    batch.clear();
    firstInBatch = nextIndex;
    if (!inMemory) settle(undefined);
    sealIfDue();
    if (outage === undefined) return;
    const ended = outage;
    outage = undefined;
    warn(`audit log ${directory} takes records again`);
    if (!ended.noted) addOutage(ended);
  };

  /** Writes the batch now. Records that were added are on their way or have their error afterwards. */
  const writeOut = (): void => {
    if (batch.count() === 0) return;
    if (over !== undefined) {
      nextIndex = firstInBatch;
      batch.clear();
      settle(unwritable(over));
      return;
    }
    try {
      writer.write(batch, firstInBatch);
    } catch (error) {
      fail(error);
      return;
    }
    succeed();
  };

  const endTurn = (): void => {
    turnEnds = false;
    if (!inMemory) writeOut();
    settle(undefined);
    const done = waiting;
    const results = errors;
    waiting = [];
    errors = [];
    settled = 0;
    const thrown: unknown[] = [];
    done.forEach((call, at) => {
      try {
        call(results[at]);
      } catch (error) {
        thrown.push(error);
      }
    });
    // One caller's fault keeps no answer from another; it surfaces after all were called.
    if (thrown.length > 0) throw thrown[0];
  };

  const wait = (done: Done, error?: AuditError): void => {
    if (error !== undefined) {
      // Those before it in this turn are settled when they are written; this one is already.
      const at = waiting.length;
      waiting.push((outcome) => done(outcome ?? error));
      errors[at] = error;
    } else waiting.push(done);
    if (turnEnds) return;
    turnEnds = true;
    setImmediate(endTurn);
  };

  const wake = (): void => {
    if (!inMemory || gathering !== undefined) return;
    gathering = setTimeout(() => {
      gathering = undefined;
      writeOut();
    }, GATHER_MS).unref();
  };

  /** After a write failed. What is tried with less would fail again soon, and take some records and leave others. */
  const isCramped = (): boolean => outage !== undefined && !inMemory && files.freeBytes(directory) < RESERVE_BYTES;

  /** Why no further record can be taken now, after making room if that helps. */
  const full = (tail: Tail, more: number): string | undefined => {
    if (over !== undefined) return over;
    if (outage !== undefined && isCramped()) return `cannot write: ${outage.reason}`;
    const overfull = (): boolean =>
      writer.fill().records + batch.count() >= RECORDS_PER_SEGMENT ||
      (inMemory && batch.waiting() + tail.sizeBytes + more > settings.memoryBytes);
    if (batch.waiting() >= WRITE_BYTES && outage === undefined) writeOut();
    if (!overfull()) return undefined;
    writeOut();
    return overfull()
      ? `${batch.waiting()} bytes wait to be written: ${outage?.reason ?? 'the bound is too small'}`
      : undefined;
  };

  const addSides = (tail: Tail): void => {
    if (tail.sides.length > 0 && !writer.hasSide(tail) && !batch.sided.includes(tail)) batch.addSide(tail);
  };

  const refuse = (done: Done, why: string): void => {
    if (outage !== undefined) outage.refused += 1;
    counts.refusedRecords += 1;
    wait(done, unwritable(why));
  };

  /** Room that a record's facts take at least. */
  const HEAD_BYTES = 1_024;

  const append = (facts: RecordFacts, content: PreparedContent, done: Done): void => {
    let tail = tailOf(content);
    const why = full(tail, HEAD_BYTES);
    if (why !== undefined) {
      refuse(done, why);
      return;
    }
    const { decisionId } = facts;
    if (!batch.add(heads.decision(facts, nextIndex), tail, decisionId)) {
      const moved = withSideFacts(facts, tail);
      tail = moved.tail;
      if (!batch.add(heads.decision(facts, nextIndex, moved.aside), tail, decisionId)) {
        refuse(done, 'a record is larger than a leaf can be');
        return;
      }
    }
    addSides(tail);
    nextIndex += 1;
    wait(done);
    wake();
  };

  const addEvent = ({ event, by, details }: AuditEvent, done: Done): void => {
    const tail = prepareDetails(details);
    const why = full(tail, HEAD_BYTES);
    if (why !== undefined) {
      refuse(done, why);
      return;
    }
    batch.add(heads.event(event, by, clock.nowMs(), nextIndex), tail, undefined);
    addSides(tail);
    nextIndex += 1;
    wait(done);
    wake();
  };

  /** An outage is a record itself: how long, why, and how many records were refused. */
  const addOutage = (ended: Outage): void => {
    const { since, reason, refused } = ended;
    ended.noted = true;
    const until = new Date(clock.nowMs()).toISOString();
    addEvent({ event: 'pause', by: 'audit', details: { since, until, reason, refused } }, () => {});
  };

  const probe = (): void => {
    probing = undefined;
    if (outage === undefined || over !== undefined) return;
    if (batch.count() > 0) writeOut();
    else if (!isCramped()) addOutage(outage);
    probing ??= setTimeout(probe, PROBE_MS).unref();
  };

  const note = (event: AuditEvent): Promise<void> =>
    new Promise((resolve, reject) => addEvent(event, (error) => (error === undefined ? resolve() : reject(error))));

  return {
    append,
    note,
    writeOut,
    /** Syncs what was written, and seals a segment that is old enough. */
    tend: (): void => {
      if (over !== undefined) return;
      writeOut();
      if (!sealIfDue()) void writer.sync();
    },
    breakDown: (error: unknown): void => {
      const why = `a sync failed (${messageWithoutPath(error)}): what is on the disk is unknown until a restart checked it`;
      over ??= why;
      warn(`audit log ${directory}: ${why}`);
    },
    health: (): { readonly writable: boolean; readonly reason?: string } => {
      const reason = over ?? outage?.reason;
      return reason === undefined ? { writable: true } : { writable: false, reason };
    },
    stats: (): LogStats => ({
      ...counts,
      ...writer.stats(),
      waitingRecords: batch.count(),
      waitingBytes: batch.waiting(),
      segments: writer.segments().length,
    }),
    close: async (): Promise<void> => {
      clearTimeout(gathering);
      writeOut();
      clearTimeout(probing);
      if (batch.count() > 0) warn(`audit log ${directory}: ${batch.count()} records were lost: ${outage?.reason}`);
      over ??= 'the log was closed';
      await writer.close();
    },
  };
};

export type Queue = ReturnType<typeof createQueue>;
