import fs from 'node:fs';
import type { Blocks } from './blocks.ts';
import { createBlocks } from './blocks.ts';
import type { Held } from './chain.ts';
import { MAGIC_LENGTH, nextFrame, soundFrames, wholeFrames } from './frame.ts';
import type { Seal } from './layout.ts';
import { readHeader, readSeal, SEAL_TRAILER, sealLength } from './layout.ts';

/** A record's index and decision id stand in its first bytes, in this order; an input cannot come before them. */
const beginning =
  /^\{"format":1,"type":"[^"]*","origin":"([^"]*)","index":(\d+)(?:,"decision_id":("(?:[^"\\]|\\.)*"))?,/;

export const readBeginning = (bytes: Buffer, start: number, end: number) => {
  const found = beginning.exec(bytes.toString('latin1', start, Math.min(end, start + 512)));
  if (found === null) return undefined;
  const id = found[3] === undefined ? undefined : (JSON.parse(Buffer.from(found[3], 'latin1').toString()) as string);
  return { origin: found[1], index: Number(found[2]), id };
};

/** The seal at the end of a file, without reading the rest. */
export const sealOf = (file: string): Seal | undefined => {
  const fd = fs.openSync(file, 'r');
  try {
    const { size } = fs.fstatSync(fd);
    const trailer = Buffer.alloc(SEAL_TRAILER);
    if (size < SEAL_TRAILER || fs.readSync(fd, trailer, 0, SEAL_TRAILER, size - SEAL_TRAILER) < SEAL_TRAILER)
      return undefined;
    const length = sealLength(trailer);
    if (length === undefined || length > size - SEAL_TRAILER) return undefined;
    const body = Buffer.alloc(length);
    fs.readSync(fd, body, 0, length, size - SEAL_TRAILER - length);
    const seal = readSeal(body);
    return seal?.bytes === size - SEAL_TRAILER - length ? seal : undefined;
  } finally {
    fs.closeSync(fd);
  }
};

/** What reading a whole segment found. */
export type Scan =
  /** Every record up to `end` is whole and in order; a torn tail may follow. */
  | {
      readonly kind: 'sound';
      readonly records: number;
      readonly end: number;
      readonly created: string;
      readonly blocks: Blocks;
    }
  /** Nothing but the beginning of a header. */
  | { readonly kind: 'empty' }
  | { readonly kind: 'damaged'; readonly why: string; readonly held: readonly Held[] };

/** Indexes as runs. */
const runsOf = (indexes: readonly number[]): Held[] => {
  const runs: [number, number][] = [];
  for (const index of [...indexes].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last !== undefined && index <= last[1]) last[1] = Math.max(last[1], index + 1);
    else runs.push([index, index + 1]);
  }
  return runs;
};

/** Reads every record of a segment that has no seal to vouch for it. */
export const scan = (bytes: Buffer, first: number, origin: string): Scan => {
  const damaged = (why: string): Scan => {
    const indexes: number[] = [];
    for (const { start, end } of soundFrames(bytes, MAGIC_LENGTH)) {
      const record = readBeginning(bytes, start, end);
      if (record?.origin === origin) indexes.push(record.index);
    }
    return { kind: 'damaged', why, held: runsOf(indexes) };
  };
  const header = readHeader('segment', bytes);
  if (header === undefined)
    return nextFrame(bytes, 0) === undefined ? { kind: 'empty' } : damaged('its header is damaged');
  if (header.origin !== origin) return damaged(`it belongs to the log ${header.origin}`);
  if (header.first !== first) return damaged(`its header says that it begins at record ${header.first}`);
  const blocks = createBlocks();
  const frames = wholeFrames(bytes, header.end);
  let records = 0;
  let next = frames.next();
  for (; next.done !== true; next = frames.next()) {
    const { at, start, end } = next.value;
    const record = readBeginning(bytes, start, end);
    if (record === undefined && bytes.toString('latin1', start, start + 10) === '{"sealed":') {
      return { kind: 'sound', records, end: at, created: header.created, blocks };
    }
    if (record === undefined) return damaged('a record in it cannot be read');
    if (record.origin !== origin) return damaged('a record in it is of another log');
    if (record.index !== first + records)
      return damaged(`record ${record.index} stands in the place of record ${first + records}`);
    blocks.add(at, record.id);
    records += 1;
  }
  if (nextFrame(bytes, next.value) !== undefined) return damaged(`record ${first + records} is damaged`);
  return { kind: 'sound', records, end: next.value, created: header.created, blocks };
};
