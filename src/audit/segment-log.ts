import path from 'node:path';
import type { Clock } from '../canonical/index.ts';
import { messageOf } from '../canonical/index.ts';
import type { AuditLog, LogStats } from '../decision/model.ts';
import { AuditError } from '../decision/model.ts';
import { createQueue } from './queue.ts';
import { createPreparer } from './record/content.ts';
import { createHeads } from './record/head.ts';
import type { AuditReader } from './search/model.ts';
import type { SearchBounds } from './search/reader.ts';
import { createReader } from './search/reader.ts';
import type { AuditSettings } from './settings.ts';
import type { LogFiles } from './store/files.ts';
import { nodeFiles } from './store/files.ts';
import { findRecord } from './store/find.ts';
import { acquireLock, HEARTBEAT_MS } from './store/lock.ts';
import { prepareDirectory, readOrigin } from './store/origin.ts';
import { recover } from './store/recovery.ts';
import { createWriter } from './store/writer.ts';

export interface SegmentLogOptions {
  /** The directory of this log alone; it is made when it is not there. */
  readonly dir: string;
  readonly settings: AuditSettings;
  readonly clock: Clock;
  /** Called with a sentence for the operator: what recovery found, and when the log stops or goes on taking records. */
  readonly onWarning?: (sentence: string) => void;
  readonly files?: LogFiles;
  /** What one search may cost; default 2 s, 256 MiB read, 16 MiB answered. */
  readonly search?: Partial<SearchBounds>;
}

/** The log that this process writes: what it did so far, and the way to search it. */
export interface SegmentLog extends AuditLog {
  stats(): LogStats;
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
  try {
    const origin = readOrigin(directory);
    const { segments, open, nextIndex } = await recover({ directory, origin, files, nowMs: clock.nowMs(), warn });
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
    });
    const { prepare, prepareDetails } = createPreparer(settings);
    const heads = createHeads(origin);
    const queue = createQueue({ directory, writer, heads, prepareDetails, settings, clock, warn, nextIndex });
    const timers = [every(settings.syncSeconds * 1000, () => queue.tend()), every(HEARTBEAT_MS, () => lock.touch())];
    const reader = createReader({
      origin,
      segments: () => {
        queue.writeOut();
        return writer.segments();
      },
      end: writer.end,
      ...(options.search === undefined ? {} : { bounds: options.search }),
    });
    return {
      prepare,
      append: queue.append,
      note: queue.note,
      find: async (decisionId) => {
        queue.writeOut();
        return await findRecord(writer.segments(), decisionId);
      },
      health: queue.health,
      stats: queue.stats,
      reader,
      close: async () => {
        for (const stop of timers) stop();
        await reader.close();
        await queue.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    if (error instanceof AuditError) throw error;
    const why = messageOf(error);
    throw new AuditError('AUDIT_UNUSABLE', `audit log ${directory} cannot be opened: ${why}`, { cause: error });
  }
};
