import path from 'node:path';
import type { Clock } from '../../canonical/index.ts';
import type { Tail } from '../record/content.ts';
import type { Batch } from './batch.ts';
import { HEADER_ROOM } from './batch.ts';
import type { Block, Blocks } from './blocks.ts';
import { createBlocks, idRange } from './blocks.ts';
import type { Held } from './chain.ts';
import type { AppendFile, LogFiles } from './files.ts';
import { createAppendFile } from './files.ts';
import { fileHeader, sealBytes, segmentName, sideName } from './layout.ts';

/** A segment as `find` sees it. */
export interface Segment {
  readonly first: number;
  readonly file: string;
  /** Side files in which its values can lie. */
  readonly sides: readonly string[];
  /** `damaged` files have no blocks and are searched whole. */
  readonly state: 'open' | 'sealed' | 'damaged';
  /** The lowest and highest decision id in it; undefined when it holds none. Of `damaged` files unknown. */
  readonly range?: readonly [string, string];
  /** The indexes of its records, ascending: one run of them unless it is damaged. */
  readonly held: readonly Held[];
  /** Of the open segment. Those of sealed ones stand in their seal. */
  readonly blocks?: readonly Block[];
  /** Of the open segment: bytes of whole records, header included. */
  readonly bytes?: number;
}

/** The segment that an earlier process left open. */
export interface OpenSegment {
  readonly first: number;
  readonly records: number;
  readonly size: number;
  readonly sideSize?: number;
  /** Side files of this segment that were set aside; values may still be found in them. */
  readonly damagedSides: readonly string[];
  readonly createdMs: number;
  readonly blocks: Blocks;
}

export interface WriterOptions {
  readonly directory: string;
  readonly origin: string;
  readonly files: LogFiles;
  readonly clock: Clock;
  readonly segments: readonly Segment[];
  readonly open?: OpenSegment;
  readonly nextIndex: number;
  /** A sync failed: what is on the disk is unknown from now on. */
  readonly onSyncFailure: (error: unknown) => void;
  /** A segment was sealed: the records before this index are on the disk. */
  readonly onSealed?: (beyond: number) => void;
}

interface Current {
  readonly first: number;
  readonly records: AppendFile;
  side?: AppendFile;
  readonly damagedSides: readonly string[];
  count: number;
  readonly createdMs: number;
  readonly blocks: Blocks;
  /** Tails whose side values this segment's side file holds. */
  readonly sided: WeakSet<Tail>;
}

/** Writes batches into segments and syncs them off the calling thread. Nothing here decides when. */
export const createWriter = (options: WriterOptions) => {
  const { directory, origin, files, clock } = options;
  const sealed: Segment[] = [...options.segments];
  const inDirectory = (name: string): string => path.join(directory, name);
  /** On the monotonic clock: the first write since the last sync began, and those that syncs under way began with. */
  let unsyncedMs: number | undefined;
  const syncingMs: number[] = [];
  let written = 0;
  let end = options.nextIndex;
  let newNames = false;
  /** Syncs and seals run one after another. */
  let background: Promise<void> = Promise.resolve();
  const inBackground = (work: () => Promise<void>): Promise<void> => {
    background = background.then(work).catch(options.onSyncFailure);
    return background;
  };

  const resume = ({ first, records, size, sideSize, createdMs, blocks, damagedSides }: OpenSegment): Current => {
    const file = createAppendFile(files, files.open(inDirectory(segmentName(first)), 'existing'), size);
    const sided = new WeakSet<Tail>();
    const current: Current = { first, records: file, count: records, createdMs, blocks, damagedSides, sided };
    if (sideSize !== undefined) {
      current.side = createAppendFile(files, files.open(inDirectory(sideName(first)), 'existing'), sideSize);
    }
    return current;
  };
  let current: Current | undefined = options.open === undefined ? undefined : resume(options.open);

  const begin = (first: number): Current => {
    const file = createAppendFile(files, files.open(inDirectory(segmentName(first)), 'create'), 0);
    newNames = true;
    const createdMs = clock.nowMs();
    const blocks = createBlocks();
    return { first, records: file, count: 0, createdMs, blocks, damagedSides: [], sided: new WeakSet() };
  };
  const header = (kind: 'segment' | 'side', { first, createdMs }: Current): Buffer =>
    fileHeader(kind, origin, first, new Date(createdMs).toISOString());

  const writeSides = (into: Current, sides: readonly Buffer[]): void => {
    if (into.side === undefined) {
      into.side = createAppendFile(files, files.open(inDirectory(sideName(into.first)), 'create'), 0);
      newNames = true;
    }
    const head = into.side.size() === 0 ? [header('side', into)] : [];
    const bytes = Buffer.concat([...head, ...sides]);
    into.side.append(bytes, 0, bytes.length);
    written += bytes.length;
  };

  /** All records of the batch or, with an error thrown, none. Side values first: no record waits for its own. */
  const write = (batch: Batch, firstIndex: number): void => {
    current ??= begin(firstIndex);
    unsyncedMs ??= clock.monotonicMs();
    if (batch.sides.length > 0) writeSides(current, batch.sides);
    const bytes = batch.bytes();
    let start = HEADER_ROOM;
    if (current.records.size() === 0) {
      const head = header('segment', current);
      start -= head.length;
      head.copy(bytes, start);
    }
    const base = current.records.size() + HEADER_ROOM - start;
    current.records.append(bytes, start, batch.end());
    written += batch.end() - start;
    const { offsets, ids } = batch;
    for (let at = 0; at < offsets.length; at++) current.blocks.add(base + (offsets[at] as number), ids[at]);
    current.count += offsets.length;
    end = firstIndex + offsets.length;
    for (const tail of batch.sided) current.sided.add(tail);
  };

  const syncFiles = async (synced: Current | undefined): Promise<void> => {
    if (synced?.side !== undefined) await files.datasync(synced.side.fd);
    if (synced !== undefined) await files.datasync(synced.records.fd);
    if (newNames) {
      newNames = false;
      await files.syncDirectory(directory);
    }
  };

  const asSegment = (segment: Current, state: 'open' | 'sealed'): Segment => {
    const range = idRange(segment.blocks.list);
    return {
      first: segment.first,
      file: inDirectory(segmentName(segment.first)),
      sides: [...(segment.side === undefined ? [] : [inDirectory(sideName(segment.first))]), ...segment.damagedSides],
      state,
      held: [[segment.first, segment.first + segment.count]],
      ...(range === undefined ? {} : { range }),
      ...(state === 'open' ? { blocks: segment.blocks.list, bytes: segment.records.size() } : {}),
    };
  };

  /** Ends the open segment; the next record begins a new one. */
  const seal = (): Promise<void> => {
    const done = current;
    if (done === undefined || done.count === 0) return background;
    current = undefined;
    // Found by its blocks in memory until the seal with them is on the disk.
    const at = sealed.push(asSegment(done, 'open')) - 1;
    return inBackground(async () => {
      await syncFiles(done);
      const bytes = done.records.size();
      const sealing = sealBytes({ records: done.count, bytes, blocks: done.blocks.list });
      try {
        done.records.append(sealing, 0, sealing.length);
        await files.datasync(done.records.fd);
        sealed[at] = asSegment(done, 'sealed');
        options.onSealed?.(done.first + done.count);
      } catch (error) {
        // Without a seal the next start checks the segment record by record and seals it then. A failed sync is final.
        if (done.records.size() > bytes) throw error;
      }
      closeFiles(done);
    });
  };

  const closeFiles = ({ records, side }: Current): void => {
    files.close(records.fd);
    if (side !== undefined) files.close(side.fd);
  };

  /** Syncs what was written since the last time. */
  const sync = (): Promise<void> => {
    if (unsyncedMs === undefined) return background;
    syncingMs.push(unsyncedMs);
    unsyncedMs = undefined;
    const synced = current;
    return inBackground(async () => {
      await syncFiles(synced);
      syncingMs.shift();
    });
  };

  return {
    write,
    seal,
    sync,
    hasSide: (tail: Tail): boolean => current?.sided.has(tail) ?? false,
    /** Of the open segment: records, bytes, milliseconds since its beginning. */
    fill: () =>
      current === undefined
        ? { records: 0, bytes: 0, ageMs: 0 }
        : { records: current.count, bytes: current.records.size(), ageMs: clock.nowMs() - current.createdMs },
    /** Bytes written since the start, and for how long the oldest of them waits to be on the disk. */
    stats: () => {
      const oldestMs = syncingMs[0] ?? unsyncedMs;
      return { bytes: written, unsyncedMs: oldestMs === undefined ? 0 : clock.monotonicMs() - oldestMs };
    },
    /** The index after the last record that was written. */
    end: (): number => end,
    segments: (): readonly Segment[] =>
      current === undefined || current.count === 0 ? sealed : [...sealed, asSegment(current, 'open')],
    close: async (): Promise<void> => {
      await sync();
      await background;
      if (current !== undefined) closeFiles(current);
      current = undefined;
    },
  };
};

export type Writer = ReturnType<typeof createWriter>;
