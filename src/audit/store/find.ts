import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { pointerSteps } from '../../canonical/index.ts';
import type { TextNode } from '../record/json-text.ts';
import { nodeAt, parseText, printText, scalar } from '../record/json-text.ts';
import type { Block } from './blocks.ts';
import type { FrameSpan } from './frame.ts';
import { soundFrames } from './frame.ts';
import { sealOf } from './scan.ts';
import type { Segment } from './writer.ts';

// No index: a decision id is looked for in the blocks of records whose ids can include it, first as bytes (fast), then
// as the id of a parsed record (an input may name another record's id).

const readRange = async (file: FileHandle, start: number, end: number): Promise<Buffer> => {
  const bytes = Buffer.allocUnsafe(end - start);
  let got = 0;
  while (got < bytes.length) {
    const { bytesRead } = await file.read(bytes, got, bytes.length - got, start + got);
    if (bytesRead === 0) break;
    got += bytesRead;
  }
  return bytes.subarray(0, got);
};

/** The payload of the first sound frame that has `needle` in it and is what `isIt` says. */
const search = (
  bytes: Buffer,
  from: number,
  needle: Buffer,
  isIt: (payload: string) => boolean,
): string | undefined => {
  let hit = bytes.indexOf(needle, from);
  if (hit < 0) return undefined;
  for (const { start, end } of soundFrames(bytes, from) as Iterable<FrameSpan>) {
    if (end <= hit) continue;
    if (start <= hit) {
      const payload = bytes.toString('utf8', start, end);
      if (isIt(payload)) return payload;
    }
    hit = bytes.indexOf(needle, end);
    if (hit < 0) return undefined;
  }
  return undefined;
};

/** Byte ranges of a segment in which the id can be. */
const rangesOf = (segment: Segment, id: string): { readonly start: number; readonly end: number | undefined }[] => {
  const blocks: readonly Block[] | undefined =
    segment.state === 'damaged' ? undefined : (segment.blocks ?? sealOf(segment.file)?.blocks);
  // Without blocks from the file's magic on, header included: it is a frame like the others.
  if (blocks === undefined) return [{ start: 8, end: undefined }];
  return blocks
    .map(([start, low, high], at) => ({ start, end: blocks[at + 1]?.[0], low, high }))
    .filter(({ low, high }) => low <= id && id <= high);
};

const findInSegment = async (segment: Segment, id: string): Promise<string | undefined> => {
  const ranges = rangesOf(segment, id);
  if (ranges.length === 0) return undefined;
  const needle = Buffer.from(`"decision_id":${JSON.stringify(id)}`);
  const isIt = (payload: string): boolean => (JSON.parse(payload) as { decision_id?: unknown }).decision_id === id;
  const file = await open(segment.file, 'r');
  try {
    for (const { start, end } of ranges) {
      const bytes = await readRange(file, start, end ?? (await file.stat()).size);
      const found = search(bytes, 0, needle, isIt);
      if (found !== undefined) return found;
    }
  } finally {
    await file.close();
  }
  return undefined;
};

/** The text of a side value, or undefined when it is not there (any more). */
const readSide = async (files: readonly string[], sha256: string): Promise<string | undefined> => {
  const opening = `{"sha256":${JSON.stringify(sha256)},`;
  const needle = Buffer.from(opening);
  for (const name of files) {
    const file = await open(name, 'r').catch(() => undefined);
    if (file === undefined) continue;
    try {
      const bytes = await readRange(file, 0, (await file.stat()).size);
      const payload = search(bytes, 8, needle, (text) => text.startsWith(opening));
      // A value's text is kept as it was written: it begins after the first `"value":` and ends before the brace.
      if (payload !== undefined) return payload.slice(payload.indexOf('"value":') + 8, -1);
    } finally {
      await file.close();
    }
  }
  return undefined;
};

const replaceAt = (node: TextNode, steps: readonly string[], value: TextNode): TextNode => {
  const [step, ...rest] = steps;
  if (step === undefined) return value;
  if (node.kind === 'array') {
    return {
      kind: 'array',
      items: node.items.map((item, at) => (String(at) === step ? replaceAt(item, rest, value) : item)),
    };
  }
  if (node.kind === 'scalar') return node;
  return {
    kind: 'object',
    members: node.members.map((member) =>
      member.key === step ? { ...member, value: replaceAt(member.value, rest, value) } : member,
    ),
  };
};

/** Puts side values where their digests stand; `side` keeps the pointers of those that are gone. */
export const fillIn = async (
  record: string,
  read: (sha256: string) => Promise<string | undefined> | string | undefined,
): Promise<string> => {
  const { side } = JSON.parse(record) as { side?: readonly string[] };
  if (side === undefined) return record;
  let tree = parseText(record);
  const gone: string[] = [];
  for (const pointer of side) {
    const reference = nodeAt(tree, pointerSteps(pointer));
    const digest = reference?.kind === 'object' ? nodeAt(reference, ['sha256']) : undefined;
    const value = digest?.kind === 'scalar' ? await read(digest.text.slice(1, -1)) : undefined;
    if (value === undefined) gone.push(pointer);
    else tree = replaceAt(tree, pointerSteps(pointer), parseText(value));
  }
  if (tree.kind !== 'object') return record;
  const members = tree.members.flatMap((member) => {
    if (member.key !== 'side') return [member];
    return gone.length === 0 ? [] : [{ ...member, value: scalar(JSON.stringify(gone)) }];
  });
  return printText({ kind: 'object', members });
};

const mayHold = ({ state, range }: Segment, id: string): boolean =>
  state === 'damaged' || (range !== undefined && range[0] <= id && id <= range[1]);

/** The record of a decision with its side values, or undefined. Newest segments first, damaged ones last. */
export const findRecord = async (segments: readonly Segment[], id: string): Promise<string | undefined> => {
  const newest = segments.filter((segment) => mayHold(segment, id)).reverse();
  const inOrder = [
    ...newest.filter(({ state }) => state !== 'damaged'),
    ...newest.filter(({ state }) => state === 'damaged'),
  ];
  for (const segment of inOrder) {
    const record = await findInSegment(segment, id);
    // A record that cannot be taken apart is answered as it stands, its side values still named.
    if (record !== undefined) return await fillIn(record, (sha) => readSide(segment.sides, sha)).catch(() => record);
  }
  return undefined;
};
