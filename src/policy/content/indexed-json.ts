import type { CheckedJson } from '../../engine/index.ts';

/**
 * A JSON text as `jsonBytes` writes it (no white space, members in order of their UTF-8 bytes), and where the members of
 * its large values begin: what stands at a path is found without reading the rest.
 */
export interface IndexedJson {
  readonly json: CheckedJson;
  readonly index: JsonIndex;
}

/**
 * By the offset of an opening bracket: where its members begin, in order, and last the offset behind the closing one. Each
 * member ends one byte before the next begins.
 */
export type JsonIndex = ReadonlyMap<number, Uint32Array>;

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Smaller values are read from their beginning: a few microseconds. */
const LARGE_BYTES = 16_384;

/** Behind the string that begins at `at`. */
const stringEnd = (json: Uint8Array, at: number): number => {
  let end = at + 1;
  for (; json[end] !== QUOTE; end++) if (json[end] === BACKSLASH) end++;
  return end + 1;
};

/** Reads the whole text once: what takes long for much data belongs on a thread of its own. */
export const indexJson = (json: CheckedJson, largeBytes = LARGE_BYTES): JsonIndex => {
  const index = new Map<number, Uint32Array>();
  const brackets: number[] = [];
  // Where the members of all open values begin, and where those of each of these values begin in the list.
  const starts: number[] = [];
  const marks: number[] = [];
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (byte === QUOTE) at = stringEnd(json, at) - 1;
    else if (byte === COMMA) starts.push(at + 1);
    else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      brackets.push(at);
      marks.push(starts.length);
      starts.push(at + 1);
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      const start = brackets.pop() ?? 0;
      const mark = marks.pop() ?? 0;
      starts.push(at + 1);
      // One without members has no place in the index, whatever counts as large.
      if (at - start >= Math.max(2, largeBytes)) index.set(start, Uint32Array.from(starts.slice(mark)));
      starts.length = mark;
    }
  }
  return index;
};

const scalarEnd = (json: Uint8Array, at: number): number => {
  if (json[at] === QUOTE) return stringEnd(json, at);
  let end = at;
  while (end < json.length && json[end] !== COMMA && json[end] !== CLOSE_LIST && json[end] !== CLOSE_OBJECT) end++;
  return end;
};

/** Behind the value that begins at `at`. */
const valueEnd = ({ json, index }: IndexedJson, at: number): number => {
  const known = index.get(at)?.at(-1);
  if (known !== undefined) return known;
  let depth = 0;
  let end = at;
  do {
    const byte = json[end];
    if (byte === OPEN_OBJECT || byte === OPEN_LIST) depth++;
    else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) depth--;
    else if (byte !== COMMA && byte !== 0x3a) end = scalarEnd(json, end) - 1;
    end++;
  } while (depth > 0);
  return end;
};

/** A value in an indexed text, by the offset at which it begins. */
export interface JsonPlace {
  readonly of: IndexedJson;
  readonly at: number;
}

const isObject = ({ of, at }: JsonPlace): boolean => of.json[at] === OPEN_OBJECT;

/** Offsets at which the members of an object or an array begin. */
function* memberStarts({ of, at }: JsonPlace): Iterable<number> {
  const known = of.index.get(at);
  if (known !== undefined) {
    yield* known.subarray(0, -1);
    return;
  }
  const { json } = of;
  const isKeyed = json[at] === OPEN_OBJECT;
  if (json[at + 1] === CLOSE_OBJECT || json[at + 1] === CLOSE_LIST) return;
  for (let start = at + 1; ; ) {
    yield start;
    const end = valueEnd(of, isKeyed ? stringEnd(json, start) + 1 : start);
    if (json[end] !== COMMA) return;
    start = end + 1;
  }
}

interface Member {
  readonly key: string;
  readonly place: JsonPlace;
}

const memberAt = (of: IndexedJson, start: number): Member => {
  const end = stringEnd(of.json, start);
  const token = Buffer.from(of.json.buffer, of.json.byteOffset + start, end - start).toString();
  const key = token.includes('\\') ? (JSON.parse(token) as string) : token.slice(1, -1);
  return { key, place: { of, at: end + 1 } };
};

function* objectMembers(place: JsonPlace): Iterable<Member> {
  for (const start of memberStarts(place)) yield memberAt(place.of, start);
}

/** The members of an object, in order; undefined for other values. */
export const membersOf = (place: JsonPlace): Iterable<Member> | undefined =>
  isObject(place) ? objectMembers(place) : undefined;

/** The text of a value. */
export const textOf = ({ of, at }: JsonPlace): string => {
  const end = valueEnd(of, at);
  return Buffer.from(of.json.buffer, of.json.byteOffset + at, end - at).toString();
};

/** The member of this name among many, which stand in order of their UTF-8 bytes. */
const found = (of: IndexedJson, starts: Uint32Array, name: string): JsonPlace | undefined => {
  const wanted = Buffer.from(name);
  let low = 0;
  let high = starts.length - 2;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const { key, place } = memberAt(of, starts[middle] ?? 0);
    const order = Buffer.compare(Buffer.from(key), wanted);
    if (order === 0) return place;
    if (order < 0) low = middle + 1;
    else high = middle - 1;
  }
  return undefined;
};

const memberOf = (place: JsonPlace, name: string): JsonPlace | undefined => {
  const starts = place.of.index.get(place.at);
  if (starts !== undefined) return found(place.of, starts, name);
  for (const member of objectMembers(place)) if (member.key === name) return member.place;
  return undefined;
};

const itemOf = (place: JsonPlace, position: number): JsonPlace | undefined => {
  const { of } = place;
  const starts = of.index.get(place.at);
  const at = starts === undefined ? [...memberStarts(place)][position] : starts.subarray(0, -1)[position];
  return at === undefined ? undefined : { of, at };
};

/** What stands one step below a value: a member of an object by name, an item of an array by position. */
export const stepFrom = (place: JsonPlace, segment: string): JsonPlace | undefined => {
  if (isObject(place)) return memberOf(place, segment);
  if (place.of.json[place.at] !== OPEN_LIST || !/^(?:0|[1-9][0-9]{0,8})$/.test(segment)) return undefined;
  return itemOf(place, Number(segment));
};

/** What stands at a path, undefined where nothing does. */
export const placeAt = (of: IndexedJson, path: readonly string[]): JsonPlace | undefined => {
  let place: JsonPlace | undefined = { of, at: 0 };
  for (const segment of path) place = place && stepFrom(place, segment);
  return place;
};

export const kindAt = ({ of, at }: JsonPlace): 'object' | 'array' | 'scalar' => {
  const byte = of.json[at];
  return byte === OPEN_OBJECT ? 'object' : byte === OPEN_LIST ? 'array' : 'scalar';
};
