import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AuditReader, FollowedRecords, RecordFilter, RecordPage } from '../../audit/index.ts';
import { AuditError } from '../../decision/model.ts';

/** How often the log is asked whether it has grown: a number in memory. */
const LOOK_MS = 200;
const HEARTBEAT_MS = 15_000;
/** A reader that takes nothing for so long is gone. */
const PATIENCE_MS = 60_000;
/** Records of one read, and so what is in memory for one stream. */
const AT_ONCE = 100;
/** A reader that is further behind misses records, and is told how many. */
const MOST_BEHIND = 100_000;

export interface TailOptions {
  readonly reader: AuditReader;
  readonly filter: RecordFilter;
  /** Index of the first record to send. */
  readonly from: number;
  /** Aborted when the server ends. */
  readonly ending: AbortSignal;
  /** False when the caller's token does not hold any more. */
  readonly mayGoOn: () => boolean;
  readonly mostBehind?: number;
}

/** The records of a page as events; each bears the cursor that resumes after it. */
const eventsOf = (reader: AuditReader, { bytes, records }: Pick<RecordPage, 'bytes' | 'records'>): Buffer[] =>
  records.flatMap(({ index, start, end }) => {
    const data = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
    const type = data.toString('latin1', 0, 40).includes('"type":"event"') ? 'event' : 'decision';
    return [Buffer.from(`id: ${reader.cursorOf(index)}\nevent: ${type}\ndata: `), data, Buffer.from('\n\n')];
  });

/**
 * Sends records to one reader until it goes, the server ends or its token does. What is not taken is not read from the
 * log, so a slow reader costs no memory; one that falls behind too far is told what it missed.
 */
export const tail = async (response: ServerResponse, options: TailOptions): Promise<void> => {
  const { reader, filter, ending, mayGoOn, mostBehind = MOST_BEHIND } = options;
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  response.on('error', () => gone.abort());
  const over = AbortSignal.any([ending, gone.signal]);
  let from = options.from;
  let heardMs = performance.now();
  let isFirst = true;
  let told = '';

  /** Resolves when the reader has room again; rejects when it takes too long. */
  const send = async (bytes: Buffer | string): Promise<void> => {
    heardMs = performance.now();
    if (response.write(bytes)) return;
    await once(response, 'drain', { signal: AbortSignal.any([over, AbortSignal.timeout(PATIENCE_MS)]) });
  };

  const readOn = async (): Promise<FollowedRecords | undefined> => {
    try {
      return await reader.follow(filter, { limit: AT_ONCE, from });
    } catch (error) {
      // Too many read at this moment: the records are still there at the next.
      if (error instanceof AuditError && error.code === 'AUDIT_BUSY') return undefined;
      throw error;
    }
  };

  /** Each state of the log once: a stream of records alone would look whole. */
  const tellDamage = async ({ damaged, missing }: Pick<RecordPage, 'damaged' | 'missing'>): Promise<void> => {
    const data = JSON.stringify({ damaged, missing });
    if (data === told || (told === '' && damaged.length + missing.length === 0)) return;
    told = data;
    await send(`event: damage\ndata: ${data}\n\n`);
  };

  const skipIfBehind = async (): Promise<void> => {
    const missed = reader.end() - from - mostBehind;
    if (missed <= 0) return;
    from += missed;
    await send(`id: ${reader.cursorOf(from - 1)}\nevent: gap\ndata: {"missed":${missed}}\n\n`);
  };

  const step = async (): Promise<void> => {
    if (isFirst || reader.end() > from) {
      isFirst = false;
      await skipIfBehind();
      const page = await readOn();
      if (page === undefined) await sleep(LOOK_MS, undefined, { signal: over });
      else {
        await tellDamage(page);
        if (page.records.length > 0) await send(Buffer.concat(eventsOf(reader, page)));
        from = page.upTo;
      }
    } else await sleep(LOOK_MS, undefined, { signal: over });
    // The id without data moves the place to resume from over records that the filter leaves out.
    if (performance.now() - heardMs > HEARTBEAT_MS)
      await send(from === 0 ? ': heartbeat\n\n' : `: heartbeat\nid: ${reader.cursorOf(from - 1)}\n\n`);
  };

  try {
    while (!over.aborted && mayGoOn()) await step();
  } catch (error) {
    if (!over.aborted && !isTimeout(error)) throw error;
  } finally {
    if (!gone.signal.aborted) endWith(response, ending.aborted ? 'the server ends' : 'the stream ended');
  }
};

const isTimeout = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError';

const endWith = (response: ServerResponse, why: string): void => {
  // A reader that takes nothing would keep what it was sent in memory for ever.
  if (response.writableNeedDrain) response.destroy();
  else response.end(`event: end\ndata: ${JSON.stringify({ why })}\n\n`);
};

/** Where a stream begins, and the records that it begins with, oldest first. */
export const beginning = async (
  reader: AuditReader,
  filter: RecordFilter,
  last: number,
): Promise<{ readonly events: Buffer; readonly from: number }> => {
  const end = reader.end();
  if (last === 0) return { events: Buffer.alloc(0), from: end };
  const { bytes, records } = await reader.search(filter, { limit: last, cursor: reader.cursorOf(end) });
  return { events: Buffer.concat(eventsOf(reader, { bytes, records: records.toReversed() })), from: end };
};
