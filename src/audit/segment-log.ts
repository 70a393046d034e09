import path from 'node:path';
import type { Clock } from '../canonical/index.ts';
import { messageOf, VerdictError } from '../canonical/index.ts';
import type { AuditLog, LogStats } from '../decision/model.ts';
import { AuditError } from '../decision/model.ts';
import { createQueue } from './queue.ts';
import { createPreparer } from './record/content.ts';
import { createHeads } from './record/head.ts';
import { isAfterStop } from './search/last.ts';
import type { AuditReader } from './search/model.ts';
import type { SearchBounds } from './search/reader.ts';
import { createReader } from './search/reader.ts';
import type { AuditSettings } from './settings.ts';
import { beginOf } from './store/chain.ts';
import type { LogFiles } from './store/files.ts';
import { nodeFiles } from './store/files.ts';
import { findRecord } from './store/find.ts';
import { acquireLock, HEARTBEAT_MS } from './store/lock.ts';
import type { LogMemory } from './store/memory.ts';
import { noMemory } from './store/memory.ts';
import { prepareDirectory, readOrigin } from './store/origin.ts';
import { recover } from './store/recovery.ts';
import type { LogCondition } from './store/watch.ts';
import { watchChain } from './store/watch.ts';
import { createWriter } from './store/writer.ts';

export interface SegmentLogOptions {
  /** The directory of this log alone; it is made when it is not there. */
  readonly dir: string;
  readonly settings: AuditSettings;
  readonly clock: Clock;
  /** Called with a sentence for the operator: what recovery found, and when the log stops or goes on taking records. */
  readonly onWarning?: (sentence: string) => void;
  readonly files?: LogFiles;
  /** What is known of the log outside of its folder; called once this process is its only writer. */
  readonly memory?: () => LogMemory;
  /** What one search may cost; default 2 s, 256 MiB read, 16 MiB answered. */
  readonly search?: Partial<SearchBounds>;
}

/** What is in the record of a start, so that a restart hides nothing. */
export interface Opening {
  /** The last record before it is no stop: the process before this one was killed, or the folder is a copy of a running one. */
  readonly unclean?: true;
  /** Records that are missing, and files that are damaged, as far as that was known then. */
  readonly missing?: number;
  readonly damaged?: number;
  /** The index at which the log begins, when older segments were taken away on purpose. */
  readonly begin?: number;
  /** Another log that was written before into this folder, and at least how many records it had. */
  readonly former?: { readonly origin: string; readonly records: number };
}

/** The log that this process writes: what it did so far, and the way to search it. */
export interface SegmentLog extends AuditLog {
  stats(): LogStats;
  condition(): LogCondition;
  /** What opening it found, as the details of the start's record: nothing when all was well. */
  readonly opening: Opening;
  readonly reader: AuditReader;
}

/** Gives the function that ends it. The process may end while it waits. */
const every = (ms: number, work: () => void): (() => void) => {
  const timer = setInterval(work, ms);
  timer.unref();
  return () => clearInterval(timer);
};

/**
 * Opens a log of segment files for writing, after bringing it into order. Rejects with AUDIT_UNUSABLE when the
 * directory cannot be written or another process writes it, and with AUDIT_CORRUPT when it is no log any more.
 */
export const openSegmentLog = async (options: SegmentLogOptions): Promise<SegmentLog> => {
  const { dir: directory, settings, clock, files = nodeFiles, onWarning: warn = () => {} } = options;
  prepareDirectory(directory);
  const lock = await acquireLock(directory);
  if (lock.copyOf !== undefined)
    warn(
      `${directory} is a copy of ${lock.copyOf}, which a process writes: what is recorded here is not recorded there`,
    );
  try {
    const origin = readOrigin(directory);
    const memory = options.memory?.() ?? noMemory;
    const former = memory.former(origin);
    if (former !== undefined) {
      const { origin: name, records } = former;
      warn(
        `${directory} holds the log ${origin}; an earlier one, ${name}, of ${records} records or more, is not there`,
      );
    }
    const reach = memory.reach(origin);
    const recovered = await recover({ directory, origin, files, nowMs: clock.nowMs(), reach, warn });
    const { segments, open, nextIndex } = recovered;
    const remember = (records: number): void => memory.remember(origin, records);
    remember(nextIndex);
    // The directory may be new itself.
    await files.syncDirectory(path.dirname(path.resolve(directory)));
    await files.syncDirectory(directory);
    if (settings.durability === 'memory') {
      const bound = `${settings.memoryBytes} bytes`;
      warn(`audit.durability is memory: answers leave before their records are written; up to ${bound} can be lost`);
    }
    const writer = createWriter({
      directory,
      origin,
      files,
      clock,
      segments,
      nextIndex,
      ...(open === undefined ? {} : { open }),
      onSyncFailure: (error) => queue.breakDown(error),
      onSealed: remember,
    });
    const { prepare, prepareDetails } = createPreparer(settings);
    const heads = createHeads(origin);
    const queue = createQueue({ directory, files, writer, heads, prepareDetails, settings, clock, warn, nextIndex });
    const timers = [every(settings.syncSeconds * 1000, () => queue.tend()), every(HEARTBEAT_MS, () => lock.touch())];
    const chain = watchChain({ directory, flaws: recovered.flaws, segments: writer.segments, end: writer.end, warn });
    chain.look();
    const unclean = !isAfterStop(writer.segments());
    const { missingRecords: missing, damagedSegments: damaged } = chain.condition();
    const begin = beginOf(directory, nextIndex);
    const opening: Opening = {
      ...(unclean ? { unclean } : {}),
      ...(missing > 0 ? { missing } : {}),
      ...(damaged > 0 ? { damaged } : {}),
      ...(begin > 0 ? { begin } : {}),
      ...(former === undefined ? {} : { former }),
    };
    const reader = createReader({
      origin,
      look: () => {
        queue.writeOut();
        return chain.look();
      },
      end: writer.end,
      onDamage: chain.tell,
      ...(options.search === undefined ? {} : { bounds: options.search }),
    });
    let isClosing = false;
    // Those that had no seal were read whole.
    reader.check(segments.filter(({ state }) => state === 'sealed')).catch((error: unknown) => {
      if (!isClosing) warn(`audit log ${directory}: not all sealed segments could be checked: ${messageOf(error)}`);
    });
    return {
      prepare,
      append: queue.append,
      note: async (event) => {
        await queue.note(event);
        remember(writer.end());
      },
      find: async (decisionId) => {
        queue.writeOut();
        return await findRecord(chain.look().present, decisionId);
      },
      health: queue.health,
      stats: queue.stats,
      opening,
      condition: chain.condition,
      reader,
      close: async () => {
        isClosing = true;
        for (const stop of timers) stop();
        await reader.close();
        await queue.close();
        remember(writer.end());
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    if (error instanceof VerdictError) throw error;
    const why = messageOf(error);
    throw new AuditError('AUDIT_UNUSABLE', `audit log ${directory} cannot be opened: ${why}`, { cause: error });
  }
};
