import fs from 'node:fs';
import path from 'node:path';
import type { Segment } from './writer.ts';

/** Indexes of records: the first, and the one after the last. */
export type Held = readonly [from: number, beyond: number];

/** Records that the log should have and has not. */
export interface MissingRecords {
  /** Index of the first and of the last of them. */
  readonly from: number;
  readonly to: number;
  /**
   * What shows it: nothing before the first segment, a hole between records, more was written than is there, or a file
   * that was there when the log was opened.
   */
  readonly why: 'beginning' | 'gap' | 'end' | 'gone';
  /** Of `gone`. */
  readonly file?: string;
}

/** Bytes of a log that are not what should stand there. */
export interface DamagedPlace {
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
  /**
   * `bytes`: no whole record. `order`: a whole record of another place. Of the whole file: `name`, its header names another
   * first record than its name; `origin`, it belongs to another log; `twice`, records in it stand in another file, too;
   * `aside`, it was set aside at a start.
   */
  readonly why: 'bytes' | 'order' | 'name' | 'origin' | 'twice' | 'aside';
}

/** What the files of a log show as a chain. */
export interface Chain {
  /** The first hundred holes. */
  readonly missing: readonly MissingRecords[];
  readonly missingRecords: number;
  readonly flaws: readonly DamagedPlace[];
  /** Segments whose files are there. */
  readonly present: readonly Segment[];
}

export interface ChainOptions {
  readonly directory: string;
  readonly segments: readonly Segment[];
  /** Of whole files, as they were when the log was opened. */
  readonly flaws: readonly DamagedPlace[];
  /** The index after the last record that is known to have been written. */
  readonly end: number;
}

const MOST_HOLES = 100;

const namesIn = (directory: string): ReadonlySet<string> => {
  try {
    return new Set(fs.readdirSync(directory));
  } catch {
    return new Set();
  }
};

/**
 * The index at which the log may begin: what the file `begin` says, by which an operator declares that older segments were
 * taken away on purpose. 0 without one, and for one that is no number or lies beyond the log.
 */
export const beginOf = (directory: string, end: number): number => {
  let text = '0';
  try {
    text = fs.readFileSync(path.join(directory, 'begin'), 'utf8').trim();
  } catch {
    // As good as none: whatever is not there then counts as missing.
  }
  const begin = /^\d{1,16}$/.test(text) ? Number(text) : 0;
  return begin <= end ? begin : 0;
};

/** Looks at segments as a chain: their names and indexes, not their bytes. */
export const chainOf = ({ directory, segments, flaws: known, end }: ChainOptions): Chain => {
  const names = namesIn(directory);
  const isThere = (file: string): boolean => names.has(path.basename(file));
  const begin = beginOf(directory, end);
  const missing: MissingRecords[] = [];
  const flaws = known.filter(({ file }) => isThere(file));
  let missingRecords = 0;
  let expected = begin;
  const miss = (from: number, beyond: number, why: MissingRecords['why'], file?: string): void => {
    if (beyond <= from) return;
    missingRecords += beyond - from;
    const hole = { from, to: beyond - 1, why, ...(file === undefined ? {} : { file: path.basename(file) }) };
    if (missing.length < MOST_HOLES) missing.push(hole);
  };
  const pieces = segments
    .flatMap(({ held, file }) => held.map(([from, beyond]) => ({ from, beyond, file, there: isThere(file) })))
    .filter(({ beyond }) => beyond > begin)
    .sort((a, b) => a.from - b.from);
  for (const { from, beyond, file, there } of pieces) {
    miss(expected, from, expected === begin ? 'beginning' : 'gap');
    if (!there) miss(Math.max(from, expected), beyond, 'gone', file);
    else if (from < expected && from >= begin)
      flaws.push({ file: path.basename(file), offset: 0, bytes: 0, why: 'twice' });
    expected = Math.max(expected, beyond);
  }
  miss(expected, end, 'end');
  return { missing, missingRecords, flaws, present: segments.filter(({ file }) => isThere(file)) };
};
