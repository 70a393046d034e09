import fs from 'node:fs';
import path from 'node:path';
import type { Blocks } from './blocks.ts';
import { createBlocks, idRange } from './blocks.ts';
import { MAGIC_LENGTH, nextFrame, soundFrames, wholeFrames } from './frame.ts';
import type { Seal } from './layout.ts';
import { firstOf, readHeader, readSeal, SEAL_TRAILER, sealBytes, sealLength, sideName } from './layout.ts';
import type { OpenSegment, Segment } from './writer.ts';

export interface Recovered {
  readonly segments: readonly Segment[];
  readonly open?: OpenSegment;
  readonly nextIndex: number;
}

export interface RecoveryOptions {
  readonly directory: string;
  readonly origin: string;
  readonly nowMs: number;
  /** A sentence for the operator, for everything that was not as it should be. */
  readonly warn: (sentence: string) => void;
}

/** A record's index and decision id stand in its first bytes, in this order; an input cannot come before them. */
const beginning =
  /^\{"format":1,"type":"[^"]*","origin":"([^"]*)","index":(\d+)(?:,"decision_id":("(?:[^"\\]|\\.)*"))?,/;

const readBeginning = (bytes: Buffer, start: number, end: number) => {
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

type Scan =
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
  | { readonly kind: 'damaged'; readonly why: string; readonly nextIndex: number };

const scan = (bytes: Buffer, first: number, origin: string): Scan => {
  const damaged = (why: string): Scan => {
    let nextIndex = first;
    for (const { start, end } of soundFrames(bytes, MAGIC_LENGTH)) {
      nextIndex = Math.max(nextIndex, (readBeginning(bytes, start, end)?.index ?? -1) + 1);
    }
    return { kind: 'damaged', why, nextIndex };
  };
  const header = readHeader('segment', bytes);
  if (header === undefined)
    return nextFrame(bytes, 0) === undefined ? { kind: 'empty' } : damaged('its header is damaged');
  if (header.origin !== origin || header.first !== first) return damaged('it belongs to another log or place');
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
    if (record?.index !== first + records || record.origin !== origin)
      return damaged(`record ${first + records} is missing`);
    blocks.add(at, record.id);
    records += 1;
  }
  if (nextFrame(bytes, next.value) !== undefined) return damaged(`record ${first + records} is damaged`);
  return { kind: 'sound', records, end: next.value, created: header.created, blocks };
};

/** A copy of what a cut takes away is kept: whoever doubts the cut can look at it. */
const cut = (file: string, bytes: Buffer, end: number, { nowMs, warn }: RecoveryOptions): void => {
  if (end === bytes.length) return;
  const aside = `${file}.torn-${nowMs}`;
  fs.writeFileSync(aside, bytes.subarray(end), { mode: 0o600 });
  fs.truncateSync(file, end);
  warn(`${file}: ${bytes.length - end} bytes at the end are no whole record and were cut; a copy is in ${aside}`);
};

const setAside = (file: string): string => {
  let aside = `${file}.corrupt`;
  for (let n = 2; fs.existsSync(aside); n++) aside = `${file}.corrupt-${n}`;
  fs.renameSync(file, aside);
  return aside;
};

/**
 * Writes the bytes over themselves and syncs. A sync that failed in an earlier process left pages that the kernel
 * holds for clean and would never write again; what is written anew is.
 */
const makeDurable = (file: string, bytes: Buffer): void => {
  const fd = fs.openSync(file, 'r+');
  try {
    for (let at = 0; at < bytes.length; ) at += fs.writeSync(fd, bytes, at, bytes.length - at, at);
    fs.fdatasyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
};

/** Checks a side file that a start goes on writing: its size, or undefined when there is none to go on with. */
const recoverSide = (first: number, options: RecoveryOptions): number | undefined => {
  const file = path.join(options.directory, sideName(first));
  if (!fs.existsSync(file)) return undefined;
  const bytes = fs.readFileSync(file);
  const header = readHeader('side', bytes);
  const frames = wholeFrames(bytes, header?.end ?? 0);
  let next = frames.next();
  while (header !== undefined && next.done !== true) next = frames.next();
  const end = header === undefined ? 0 : (next.value as number);
  if (nextFrame(bytes, end) !== undefined) {
    options.warn(`${file} is damaged and was set aside as ${setAside(file)}; values in it may be lost`);
    return undefined;
  }
  cut(file, bytes, end, options);
  makeDurable(file, bytes.subarray(0, end));
  return end;
};

const sideFiles = (names: readonly string[], first: number, directory: string): string[] => {
  const own = sideName(first);
  return names
    .filter((name) => name === own || name.startsWith(`${own}.corrupt`))
    .map((name) => path.join(directory, name));
};

/** Brings a directory of segments into a state to go on from. Nothing is deleted; what is cut or damaged is kept. */
export const recover = (options: RecoveryOptions): Recovered => {
  const { directory, origin, nowMs, warn } = options;
  const segments: Segment[] = [];
  let open: OpenSegment | undefined;
  let nextIndex = 0;
  const names = fs.readdirSync(directory);
  const sides = (first: number): string[] => sideFiles(fs.readdirSync(directory), first, directory);
  const own = names.filter((name) => /^\d{16}\.seg$/.test(name)).sort();

  for (const name of names.filter((each) => /^\d{16}\.seg\.corrupt/.test(each))) {
    const first = firstOf(name);
    const file = path.join(directory, name);
    const found = scan(fs.readFileSync(file), first, origin);
    if (found.kind === 'damaged') nextIndex = Math.max(nextIndex, found.nextIndex);
    segments.push({ first, file, sides: sides(first), state: 'damaged' });
  }
  const takeSealed = (first: number, file: string, seal: Seal): void => {
    const range = idRange(seal.blocks);
    segments.push({ first, file, sides: sides(first), state: 'sealed', ...(range === undefined ? {} : { range }) });
    nextIndex = Math.max(nextIndex, first + seal.records);
  };
  const check = (name: string, isLast: boolean): void => {
    const first = firstOf(name);
    const file = path.join(directory, name);
    const bytes = fs.readFileSync(file);
    const found = scan(bytes, first, origin);
    if (found.kind === 'damaged' || (found.kind === 'empty' && bytes.length > 0 && !isLast)) {
      const aside = setAside(file);
      warn(`${file} was set aside as ${aside}: ${found.kind === 'damaged' ? found.why : 'it has no header'}`);
      segments.push({ first, file: aside, sides: sides(first), state: 'damaged' });
      if (found.kind === 'damaged') nextIndex = Math.max(nextIndex, found.nextIndex);
      return;
    }
    const end = found.kind === 'empty' ? 0 : found.end;
    cut(file, bytes, end, options);
    if (found.kind === 'empty') {
      // An index that was given out already cannot begin a segment again.
      if (first !== nextIndex || !isLast) fs.rmSync(file);
      else {
        const sideSize = recoverSide(first, options);
        const side = sideSize === undefined ? {} : { sideSize };
        open = { first, records: 0, size: 0, createdMs: nowMs, blocks: createBlocks(), ...side };
      }
      return;
    }
    makeDurable(file, bytes.subarray(0, end));
    const sideSize = recoverSide(first, options);
    const { records, blocks } = found;
    nextIndex = Math.max(nextIndex, first + records);
    if (isLast && first + records === nextIndex) {
      const createdMs = Date.parse(found.created) || nowMs;
      open = { first, records, size: end, createdMs, blocks, ...(sideSize === undefined ? {} : { sideSize }) };
      return;
    }
    const seal = { records, bytes: end, blocks: blocks.list };
    makeDurable(file, Buffer.concat([bytes.subarray(0, end), sealBytes(seal)]));
    takeSealed(first, file, seal);
  };

  own.forEach((name, at) => {
    const file = path.join(directory, name);
    const seal = sealOf(file);
    const first = firstOf(name);
    if (first > nextIndex && at > 0) warn(`${directory}: records ${nextIndex} to ${first - 1} are missing`);
    if (seal === undefined) check(name, at === own.length - 1);
    else takeSealed(first, file, seal);
  });
  return { segments, nextIndex, ...(open === undefined ? {} : { open }) };
};
