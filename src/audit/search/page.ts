import fs from 'node:fs';
import path from 'node:path';
import type { DamagedPlace } from '../store/chain.ts';
import { fillIn } from '../store/find.ts';
import { soundFrames } from '../store/frame.ts';
import type { Segment } from '../store/writer.ts';
import type { Facts } from './match.ts';
import { isWanted } from './match.ts';
import type { RecordFilter, RecordPage } from './model.ts';
import { readIndexedSide } from './sides.ts';
import type { Span } from './walk.ts';
import { spansOf } from './walk.ts';

/** One request to the reading thread. */
export interface PageRequest {
  /** Those that can hold wanted records, in order of their first index. */
  readonly segments: readonly Segment[];
  readonly filter: RecordFilter;
  readonly order: 'newest' | 'oldest';
  /** Newest first: only records below this index. Oldest first: only from this index on. */
  readonly bound: number;
  readonly limit: number;
  /** Bounds on one request: milliseconds, bytes read, bytes answered. */
  readonly most: { readonly ms: number; readonly bytes: number; readonly answerBytes: number };
}

export interface PageReply extends Omit<RecordPage, 'next' | 'missing'> {
  /** Newest first: everything from this index on was looked at. Oldest first: everything below it. */
  readonly reached: number;
  /** True when records beyond `reached` were not looked at. */
  readonly more: boolean;
}

const MOST_DAMAGED = 100;
const SEPARATOR = Buffer.from(',\n');

const isGone = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

const openIfThere = (file: string): number | undefined => {
  try {
    return fs.openSync(file, 'r');
  } catch (error) {
    // Taken away since the search began: the next look at the chain says so.
    if (isGone(error)) return undefined;
    throw error;
  }
};

/** The bytes of a span; undefined when the file is gone. */
export const readSpan = (file: string, { start, end }: Span): Buffer | undefined => {
  const fd = openIfThere(file);
  if (fd === undefined) return undefined;
  try {
    const bytes = Buffer.allocUnsafe(end - start);
    let got = 0;
    while (got < bytes.length) {
      const read = fs.readSync(fd, bytes, got, bytes.length - got, start + got);
      if (read === 0) break;
      got += read;
    }
    return bytes.subarray(0, got);
  } finally {
    fs.closeSync(fd);
  }
};

const INPUT = Buffer.from(',"input":');

/** The record's members up to `input`, where all that filters look at stands: inputs are most of a record. */
const factsOf = (payload: Buffer): Facts => {
  const input = payload.indexOf(INPUT);
  if (input > 0) {
    try {
      return JSON.parse(`${payload.toString('utf8', 0, input)}}`) as Facts;
    } catch {
      // Some other member has a member of that name: the whole record says.
    }
  }
  return JSON.parse(payload.toString('utf8')) as Facts;
};

/** Undefined for what has a right checksum and is no record all the same. */
const factsIn = (payload: Buffer): Facts | undefined => {
  try {
    const facts: unknown = factsOf(payload);
    return typeof facts === 'object' && facts !== null ? (facts as Facts) : undefined;
  } catch {
    return undefined;
  }
};

/** Facts that were too many for their record stand in the side file. */
const isAside = ({ path, policies, bundles, tokens }: Facts): boolean =>
  typeof path === 'object' ||
  [policies, tokens].some((list) => list !== undefined && !Array.isArray(list)) ||
  (typeof bundles === 'object' && bundles !== null && 'sha256' in bundles && 'bytes' in bundles);

/** Line breaks stand between members only, never in a string. */
const oneLine = (text: string): string => text.replaceAll(/[\r\n]/g, ' ');

/** Reads one page. Synchronous but for side values: it has its thread for itself. */
export const readPage = async (request: PageRequest): Promise<PageReply> => {
  const { filter, order, bound, limit, most } = request;
  const newest = order === 'newest';
  const until = performance.now() + most.ms;
  const scanned = { records: 0, bytes: 0 };
  const damaged: DamagedPlace[] = [];
  const records: { index: number; start: number; end: number }[] = [];
  const parts: Buffer[] = [];
  let length = 0;
  let reached = bound;

  const isInBound = (index: number): boolean => (newest ? index < bound : index >= bound);
  const isFull = (): boolean => records.length >= limit || length >= most.answerBytes;
  const isSpent = (): boolean => scanned.bytes >= most.bytes || performance.now() >= until;
  const noteDamage = (file: string, offset: number, bytes: number, why: DamagedPlace['why'] = 'bytes'): void => {
    if (damaged.length < MOST_DAMAGED) damaged.push({ file: path.basename(file), offset, bytes, why });
  };

  const take = (index: number, text: string): void => {
    const bytes = Buffer.from(oneLine(text));
    if (records.length > 0) {
      parts.push(SEPARATOR);
      length += SEPARATOR.length;
    }
    parts.push(bytes);
    records.push({ index, start: length, end: length + bytes.length });
    length += bytes.length;
  };

  /** The wanted records of a span in file order, damage noted. */
  const wantedIn = async (segment: Segment, span: Span): Promise<(readonly [number, Buffer])[]> => {
    const bytes = readSpan(segment.file, span);
    if (bytes === undefined) return [];
    const wanted: (readonly [number, Buffer])[] = [];
    let expected = 0;
    /** The index that belongs here; unknown where nobody knows how many records a damaged part held. */
    let next = segment.state === 'damaged' ? undefined : span.first;
    for (const { at, start, end } of soundFrames(bytes, 0)) {
      if (at > expected) {
        noteDamage(segment.file, span.start + expected, at - expected);
        next = undefined;
      }
      expected = end;
      const payload = bytes.subarray(start, end);
      let facts = factsIn(payload);
      if (facts === undefined) {
        noteDamage(segment.file, span.start + at, end - at);
        next = undefined;
        continue;
      }
      const { index } = facts;
      if (typeof index !== 'number') continue;
      if (segment.state !== 'damaged') {
        if (next !== undefined && index !== next) noteDamage(segment.file, span.start + at, end - at, 'order');
        next = (next ?? index) + 1;
      }
      if (!isInBound(index)) continue;
      scanned.records += 1;
      if (isAside(facts)) facts = JSON.parse(await filled(segment, payload)) as Facts;
      if (isWanted(filter, facts)) wanted.push([index, payload]);
    }
    if (expected < span.end - span.start)
      noteDamage(segment.file, span.start + expected, span.end - span.start - expected);
    scanned.bytes += bytes.length;
    return wanted;
  };

  const filled = (segment: Segment, payload: Buffer): Promise<string> => {
    const text = payload.toString('utf8');
    return fillIn(text, (sha256) => readIndexedSide(segment.sides, sha256)).catch(() => text);
  };

  const readInto = async (segment: Segment, span: Span): Promise<void> => {
    const wanted = await wantedIn(segment, span);
    for (const [index, payload] of newest ? wanted.reverse() : wanted) {
      if (isFull()) return;
      take(index, await filled(segment, payload));
      reached = newest ? index : index + 1;
    }
    if (!isFull()) reached = newest ? Math.min(reached, span.first) : Math.max(reached, span.beyond);
  };

  const spansIn = (segment: Segment): readonly Span[] => {
    try {
      const spans = spansOf(segment, filter);
      return newest ? spans.toReversed() : spans;
    } catch (error) {
      if (!isGone(error)) noteDamage(segment.file, 0, 0);
      return [];
    }
  };

  const walk = async (): Promise<boolean> => {
    for (const segment of newest ? request.segments.toReversed() : request.segments) {
      for (const span of spansIn(segment)) {
        if (newest ? span.first >= bound : span.beyond <= bound) continue;
        if (isFull() || (isSpent() && scanned.bytes > 0)) return true;
        await readInto(segment, span);
      }
    }
    return isFull();
  };
  const more = await walk();
  const bytes = new Uint8Array(Buffer.concat(parts));
  return { bytes, records, partial: more && records.length < limit, scanned, damaged, reached, more };
};
