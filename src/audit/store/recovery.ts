import fs from 'node:fs';
import path from 'node:path';
import { createBlocks, idRange } from './blocks.ts';
import type { LogFiles } from './files.ts';
import { nextFrame, wholeFrames } from './frame.ts';
import type { Seal } from './layout.ts';
import { firstOf, readHeader, sealBytes, sideName } from './layout.ts';
import type { Scan } from './scan.ts';
import { scan, sealOf } from './scan.ts';
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
  readonly files: LogFiles;
  /** A sentence for the operator, for everything that was not as it should be. */
  readonly warn: (sentence: string) => void;
}

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
const makeDurable = async (files: LogFiles, file: string, bytes: Buffer): Promise<void> => {
  const fd = files.open(file, 'existing');
  try {
    for (let at = 0; at < bytes.length; ) at += files.write(fd, bytes, at, bytes.length - at, at);
    await files.datasync(fd);
  } finally {
    files.close(fd);
  }
};

/** Checks a side file that a start goes on writing: its size, or undefined when there is none to go on with. */
const recoverSide = async (first: number, options: RecoveryOptions): Promise<number | undefined> => {
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
  await makeDurable(options.files, file, bytes.subarray(0, end));
  return end;
};

/** The state of a directory while its files are looked at, in order. */
interface Progress {
  readonly segments: Segment[];
  open?: OpenSegment;
  nextIndex: number;
}

const sidesOf = (first: number, { directory }: RecoveryOptions): string[] => {
  const own = sideName(first);
  const names = fs.readdirSync(directory).filter((name) => name === own || name.startsWith(`${own}.corrupt`));
  return names.map((name) => path.join(directory, name));
};

const addDamaged = (progress: Progress, file: string, first: number, found: Scan, options: RecoveryOptions): void => {
  progress.segments.push({ first, file, sides: sidesOf(first, options), state: 'damaged' });
  if (found.kind === 'damaged') progress.nextIndex = Math.max(progress.nextIndex, found.nextIndex);
};

const addSealed = (progress: Progress, file: string, first: number, seal: Seal, options: RecoveryOptions): void => {
  const range = idRange(seal.blocks);
  const sides = sidesOf(first, options);
  progress.segments.push({ first, file, sides, state: 'sealed', ...(range === undefined ? {} : { range }) });
  progress.nextIndex = Math.max(progress.nextIndex, first + seal.records);
};

const goOn = async (first: number, from: Omit<OpenSegment, 'first' | 'damagedSides'>, options: RecoveryOptions) => {
  const sideSize = await recoverSide(first, options);
  const own = path.join(options.directory, sideName(first));
  const damagedSides = sidesOf(first, options).filter((file) => file !== own);
  return { first, ...from, damagedSides, ...(sideSize === undefined ? {} : { sideSize }) };
};

/** Brings a segment without a seal into order: cut, set aside, sealed, or open for the next record. */
const settle = async (progress: Progress, file: string, isLast: boolean, options: RecoveryOptions): Promise<void> => {
  const first = firstOf(path.basename(file));
  const bytes = fs.readFileSync(file);
  const found = scan(bytes, first, options.origin);
  if (found.kind === 'damaged' || (found.kind === 'empty' && bytes.length > 0 && !isLast)) {
    const aside = setAside(file);
    options.warn(`${file} was set aside as ${aside}: ${found.kind === 'damaged' ? found.why : 'it has no header'}`);
    addDamaged(progress, aside, first, found, options);
    return;
  }
  const end = found.kind === 'empty' ? 0 : found.end;
  cut(file, bytes, end, options);
  if (found.kind === 'empty') {
    // A file without a record whose place another one took cannot become a segment.
    if (first !== progress.nextIndex || !isLast) fs.rmSync(file);
    else
      progress.open = await goOn(
        first,
        { records: 0, size: 0, createdMs: options.nowMs, blocks: createBlocks() },
        options,
      );
    return;
  }
  const { records, blocks } = found;
  progress.nextIndex = Math.max(progress.nextIndex, first + records);
  if (isLast && first + records === progress.nextIndex) {
    await makeDurable(options.files, file, bytes.subarray(0, end));
    const createdMs = Date.parse(found.created) || options.nowMs;
    progress.open = await goOn(first, { records, size: end, createdMs, blocks }, options);
    return;
  }
  await recoverSide(first, options);
  const seal = { records, bytes: end, blocks: blocks.list };
  // The seal says that all before it is on the disk: first the records, then the seal.
  await makeDurable(options.files, file, bytes.subarray(0, end));
  await makeDurable(options.files, file, Buffer.concat([bytes.subarray(0, end), sealBytes(seal)]));
  addSealed(progress, file, first, seal, options);
};

/** Brings a directory of segments into a state to go on from. Records are never deleted: what is cut or damaged is kept. */
export const recover = async (options: RecoveryOptions): Promise<Recovered> => {
  const { directory, origin, warn } = options;
  const progress: Progress = { segments: [], nextIndex: 0 };
  const names = fs.readdirSync(directory).sort();
  for (const name of names.filter((each) => /^\d{16}\.seg\.corrupt/.test(each))) {
    const file = path.join(directory, name);
    addDamaged(progress, file, firstOf(name), scan(fs.readFileSync(file), firstOf(name), origin), options);
  }
  const segments = names.filter((name) => /^\d{16}\.seg$/.test(name));
  for (const [at, name] of segments.entries()) {
    const first = firstOf(name);
    const file = path.join(directory, name);
    const { nextIndex } = progress;
    if (first > nextIndex && at > 0) warn(`${directory}: records ${nextIndex} to ${first - 1} are missing`);
    const seal = sealOf(file);
    if (seal === undefined) await settle(progress, file, at === segments.length - 1, options);
    else addSealed(progress, file, first, seal, options);
  }
  return progress;
};
