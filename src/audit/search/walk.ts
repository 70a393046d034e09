import fs from 'node:fs';
import type { Block } from '../store/blocks.ts';
import { RECORDS_PER_BLOCK } from '../store/blocks.ts';
import { MAGIC_LENGTH, soundFrames } from '../store/frame.ts';
import { readBeginning, sealOf } from '../store/scan.ts';
import type { Segment } from '../store/writer.ts';
import type { RecordFilter } from './model.ts';
import { mayBeInTime } from './time.ts';

/** Records that are read together: bytes of one file. */
export interface Span {
  readonly start: number;
  readonly end: number;
  /** The index of its first record. */
  readonly first: number;
  /** An index that none of its records reaches. */
  readonly beyond: number;
}

const DAMAGED_SPAN_BYTES = 1 << 20;

/** A damaged file has no blocks to rely on: it is read once, and cut into spans at frames that are sound. */
const spansOfDamaged = (file: string): Span[] => {
  const bytes = fs.readFileSync(file);
  const spans: { start: number; end: number; first: number; beyond: number }[] = [];
  for (const { at, start, end } of soundFrames(bytes, MAGIC_LENGTH)) {
    const index = readBeginning(bytes, start, end)?.index;
    if (index === undefined) continue;
    const last = spans.at(-1);
    if (last !== undefined && at - last.start < DAMAGED_SPAN_BYTES) {
      last.end = end;
      last.beyond = index + 1;
    } else {
      if (last !== undefined) last.end = at;
      spans.push({ start: at, end, first: index, beyond: index + 1 });
    }
  }
  const [head] = spans;
  const last = spans.at(-1);
  if (head !== undefined) head.start = MAGIC_LENGTH;
  if (last !== undefined) last.end = bytes.length;
  return spans;
};

const MOST_KEPT = 16;
const kept = new Map<string, Span[]>();

/** The bytes of a file that was set aside change no more. */
const damagedSpans = (file: string): Span[] => {
  const spans = kept.get(file) ?? spansOfDamaged(file);
  if (kept.size >= MOST_KEPT) kept.clear();
  kept.set(file, spans);
  return spans;
};

/** The spans of a segment in which wanted records can be, in order. */
export const spansOf = (segment: Segment, filter: RecordFilter): readonly Span[] => {
  if (segment.state === 'damaged') return damagedSpans(segment.file);
  const seal = segment.blocks === undefined ? sealOf(segment.file) : undefined;
  const blocks: readonly Block[] = segment.blocks ?? seal?.blocks ?? [];
  const bytes = segment.bytes ?? seal?.bytes;
  // A seal that was there when the log was opened and is no more.
  if (bytes === undefined) return damagedSpans(segment.file);
  return blocks.flatMap(([start, lowest, highest], at) => {
    const first = segment.first + at * RECORDS_PER_BLOCK;
    const span = { start, end: blocks[at + 1]?.[0] ?? bytes, first, beyond: first + RECORDS_PER_BLOCK };
    return mayBeInTime(filter, [lowest, highest]) ? [span] : [];
  });
};
