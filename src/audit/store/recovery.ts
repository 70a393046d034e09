import fs from 'node:fs';
import path from 'node:path';
import { createBlocks, idRange } from './blocks.ts';
import type { DamagedPlace } from './chain.ts';
import type { LogFiles } from './files.ts';
import { nextFrame, wholeFrames } from './frame.ts';
import type { Seal } from './layout.ts';
import { firstOf, HEADER_BYTES, readHeader, sealBytes, sideName } from './layout.ts';
import { scan, sealOf } from './scan.ts';
import type { OpenSegment, Segment } from './writer.ts';

export interface Recovered {
  readonly segments: readonly Segment[];
  /** Of whole files. */
  readonly flaws: readonly DamagedPlace[];
  readonly open?: OpenSegment;
  readonly nextIndex: number;
}

export interface RecoveryOptions {
  readonly directory: string;
  readonly origin: string;
  readonly nowMs: number;
  readonly files: LogFiles;
  /** The index after the last record that is known to have been written: no index is given twice. */
  readonly reach: number;
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

const moveAside = (file: string): string => {
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
    options.warn(`${file} is damaged and was set aside as ${moveAside(file)}; values in it may be lost`);
    return undefined;
  }
  cut(file, bytes, end, options);
  await makeDurable(options.files, file, bytes.subarray(0, end));
  return end;
};

/** The state of a directory while its files are looked at, in order. */
interface Progress {
  readonly segments: Segment[];
  readonly flaws: DamagedPlace[];
  open?: OpenSegment;
  nextIndex: number;
}

const sidesOf = (first: number, { directory }: RecoveryOptions): string[] => {
  const own = sideName(first);
  const names = fs.readdirSync(directory).filter((name) => name === own || name.startsWith(`${own}.corrupt`));
  return names.map((name) => path.join(directory, name));
};

const headerOf = (file: string) => {
  const fd = fs.openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(HEADER_BYTES);
    return readHeader('segment', bytes.subarray(0, fs.readSync(fd, bytes, 0, HEADER_BYTES, 0)));
  } finally {
    fs.closeSync(fd);
  }
};

const isForeign = (file: string, { origin }: RecoveryOptions): boolean => (headerOf(file)?.origin ?? origin) !== origin;

const addFlaw = (progress: Progress, file: string, why: DamagedPlace['why'], bytes = fs.statSync(file).size): void =>
  void progress.flaws.push({ file: path.basename(file), offset: 0, bytes, why });

const addAside = (progress: Progress, file: string, options: RecoveryOptions): void => {
  const foreign = isForeign(file, options);
  addFlaw(progress, file, foreign ? 'origin' : 'aside');
  if (foreign) return;
  const named = firstOf(path.basename(file));
  const found = scan(fs.readFileSync(file), named, options.origin);
  const whole = found.kind === 'sound' ? [[named, named + found.records] as const] : [];
  const held = found.kind === 'damaged' ? found.held : whole;
  const first = held[0]?.[0] ?? named;
  const sides = [...new Set([...sidesOf(named, options), ...sidesOf(first, options)])];
  progress.segments.push({ first, file, sides, state: 'damaged', held });
  for (const [, beyond] of held) progress.nextIndex = Math.max(progress.nextIndex, beyond);
};

const setAside = (progress: Progress, file: string, why: string, options: RecoveryOptions): void => {
  const aside = moveAside(file);
  options.warn(`${file} was set aside as ${aside}: ${why}`);
  addAside(progress, aside, options);
};

/** Its header says which records it holds, whatever it is called; the name does when the header is damaged. */
const addSealed = (progress: Progress, file: string, seal: Seal, options: RecoveryOptions): void => {
  if (isForeign(file, options)) {
    setAside(progress, file, 'it belongs to another log', options);
    return;
  }
  const named = firstOf(path.basename(file));
  const header = headerOf(file);
  if (header === undefined) addFlaw(progress, file, 'bytes', seal.blocks[0]?.[0] ?? 0);
  const first = header?.first ?? named;
  if (first !== named) addFlaw(progress, file, 'name');
  const range = idRange(seal.blocks);
  const beyond = first + seal.records;
  const facts = { first, file, sides: sidesOf(first, options), held: [[first, beyond]] } as const;
  progress.segments.push({ ...facts, state: 'sealed', ...(range === undefined ? {} : { range }) });
  progress.nextIndex = Math.max(progress.nextIndex, beyond);
};

/** A segment to come needs its name: files that have it, and do not hold what it says, give way. */
const freeNames = (progress: Progress, options: RecoveryOptions): void => {
  const isInTheWay = ({ file }: Segment): boolean =>
    file.endsWith('.seg') && firstOf(path.basename(file)) >= progress.nextIndex;
  for (const segment of progress.segments.filter(isInTheWay)) {
    const { file } = segment;
    progress.segments.splice(progress.segments.indexOf(segment), 1);
    progress.flaws.splice(0, Infinity, ...progress.flaws.filter((flaw) => flaw.file !== path.basename(file)));
    setAside(progress, file, 'a segment to come has its name', options);
  }
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
    setAside(progress, file, found.kind === 'damaged' ? found.why : 'it has no header', options);
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
  addSealed(progress, file, seal, options);
};

/** Brings a directory of segments into a state to go on from. Records are never deleted: what is cut or damaged is kept. */
export const recover = async (options: RecoveryOptions): Promise<Recovered> => {
  const { directory, reach } = options;
  const progress: Progress = { segments: [], flaws: [], nextIndex: reach };
  const names = fs.readdirSync(directory).sort();
  for (const name of names.filter((each) => /^\d{16}\.seg\.corrupt/.test(each))) {
    const file = path.join(directory, name);
    options.warn(`${file} was set aside by an earlier start; its sound records are found`);
    addAside(progress, file, options);
  }
  const segments = names.filter((name) => /^\d{16}\.seg$/.test(name));
  for (const [at, name] of segments.entries()) {
    const file = path.join(directory, name);
    const seal = sealOf(file);
    if (seal === undefined) await settle(progress, file, at === segments.length - 1, options);
    else addSealed(progress, file, seal, options);
  }
  freeNames(progress, options);
  return progress;
};
