import { isUtf8 } from 'node:buffer';
import type { CheckedJson } from '../model.ts';
import type { JsonErrorCode, JsonPlace } from './error.ts';
import { JsonError, placeOf } from './error.ts';

export interface JsonLimits {
  readonly bytes: number;
  /** Nesting of arrays and objects; a scalar has depth 0. At most 512. */
  readonly depth: number;
  /** Members of all objects together. */
  readonly keys: number;
}

export const defaultJsonLimits: JsonLimits = { bytes: 1_048_576, depth: 64, keys: 10_000 };

export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null';

/** Byte offsets of one member: its key from the opening quote, its value without white space around. */
export interface MemberSpan {
  readonly keyStart: number;
  readonly start: number;
  readonly end: number;
}

export interface CheckedDocument {
  readonly json: CheckedJson;
  readonly kind: JsonKind;
  /** Members of an object at the top, under their unescaped keys, in the order of the text; empty for other kinds. */
  readonly members: ReadonlyMap<string, MemberSpan>;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** Keys of one object up to this number are compared one by one; more go into a Set. */
const FEW_KEYS = 12;

/** 1 for the bytes at which the plain part of a string ends: the quote, the backslash and control characters. */
const stops = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte < 0x20 || byte === QUOTE || byte === BACKSLASH ? 1 : 0,
);

/**
 * Scratch of the one scan that runs (scans are synchronous). Offsets of the keys of all objects that are open, start
 * and end of each, end negative when the key has escapes: at most FEW_KEYS for each depth.
 */
const open = new Int32Array(2 * FEW_KEYS * 513);
/** Per depth: the offset of the current key in an object, or minus one minus the index in an array. */
const place = new Int32Array(513);

// Recursion is bounded by this whatever the configured depth is.
const DEEPEST = 512;

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;

const hexValue = (byte: number): number => {
  if (isDigit(byte)) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
};

const kinds: { readonly [first: number]: JsonKind } = {
  [OPEN_BRACE]: 'object',
  [OPEN_BRACKET]: 'array',
  [QUOTE]: 'string',
  116: 'boolean',
  102: 'boolean',
  110: 'null',
};

/** The unescaped text of the key between two offsets; a negative end says that it has escapes. */
const keyText = (bytes: Buffer, start: number, end: number): string =>
  end < 0 ? (JSON.parse(bytes.toString('utf8', start, -end)) as string) : bytes.toString('utf8', start + 1, end - 1);

/** A pass over the bytes: nothing is built but the offsets of keys. */
class Scanner {
  private at = 0;
  private depth = 0;
  private keys = 0;
  /** How much of `open` is in use. */
  private opened = 0;
  /** Of each member at the top: start and end of the key as in `open`, start and end of the value. */
  readonly top: number[] = [];
  private readonly bytes: Buffer;
  private readonly end: number;
  private readonly depthLimit: number;
  private readonly keyLimit: number;

  constructor(bytes: Buffer, limits: JsonLimits) {
    this.bytes = bytes;
    this.end = bytes.length;
    this.depthLimit = Math.min(limits.depth, DEEPEST);
    this.keyLimit = limits.keys;
  }

  /** Scans the one value of the text and answers its kind. */
  document(): JsonKind {
    const first = this.space();
    this.value(first);
    if (this.space() !== -1) this.fail('JSON_SYNTAX', 'expected the end of the text after the value');
    return kinds[first] ?? 'number';
  }

  /** Skips white space; the byte it stops at, or -1 at the end. */
  private space(): number {
    const { bytes, end } = this;
    let at = this.at;
    while (at < end) {
      const byte = bytes[at] as number;
      if (byte > 0x20 || (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) {
        this.at = at;
        return byte;
      }
      at++;
    }
    this.at = at;
    return -1;
  }

  private value(first: number): void {
    if (first === QUOTE) this.string();
    else if (first === OPEN_BRACE) this.object();
    else if (first === OPEN_BRACKET) this.array();
    else if (isDigit(first) || first === 0x2d) this.number(first);
    else if (first === 0x74) this.literal('true');
    else if (first === 0x66) this.literal('false');
    else if (first === 0x6e) this.literal('null');
    else this.fail('JSON_SYNTAX', first === -1 ? 'expected a value, found the end of the text' : 'expected a value');
  }

  private enter(): void {
    if (++this.depth > this.depthLimit) {
      this.depth--;
      this.fail('JSON_TOO_DEEP', `nested deeper than ${this.depthLimit}`);
    }
    this.at++;
  }

  private array(): void {
    this.enter();
    let next = this.space();
    if (next !== CLOSE_BRACKET) {
      for (let index = 0; ; index++) {
        place[this.depth] = -1 - index;
        this.value(next);
        const after = this.space();
        if (after === CLOSE_BRACKET) break;
        if (after !== COMMA) this.fail('JSON_SYNTAX', 'expected a comma or the end of the array');
        this.at++;
        next = this.space();
      }
    }
    this.at++;
    this.depth--;
  }

  private object(): void {
    this.enter();
    const base = this.opened;
    let many: Set<string> | undefined;
    let next = this.space();
    if (next !== CLOSE_BRACE) {
      for (;;) {
        if (next !== QUOTE) this.fail('JSON_SYNTAX', 'expected a member name in double quotes');
        const keyStart = this.at;
        place[this.depth] = keyStart;
        const escaped = this.string();
        const keyEnd = escaped ? -this.at : this.at;
        if (++this.keys > this.keyLimit)
          this.fail('JSON_TOO_MANY_KEYS', `more than ${this.keyLimit} members`, keyStart);
        many = this.refuseRepeat(base, keyStart, keyEnd, many);
        if (this.space() !== COLON) this.fail('JSON_SYNTAX', 'expected a colon after the member name');
        this.at++;
        const first = this.space();
        const start = this.at;
        this.value(first);
        if (this.depth === 1) this.top.push(keyStart, keyEnd, start, this.at);
        const after = this.space();
        if (after === CLOSE_BRACE) break;
        if (after !== COMMA) this.fail('JSON_SYNTAX', 'expected a comma or the end of the object');
        this.at++;
        next = this.space();
      }
    }
    this.opened = base;
    this.at++;
    this.depth--;
  }

  private refuseRepeat(
    base: number,
    start: number,
    end: number,
    many: Set<string> | undefined,
  ): Set<string> | undefined {
    if (many !== undefined) {
      const before = many.size;
      if (many.add(keyText(this.bytes, start, end)).size === before) this.repeated(start);
      return many;
    }
    const top = this.opened;
    for (let at = base; at < top; at += 2) {
      if (this.sameKey(open[at] as number, open[at + 1] as number, start, end)) this.repeated(start);
    }
    open[top] = start;
    open[top + 1] = end;
    this.opened = top + 2;
    if (top + 2 - base < 2 * FEW_KEYS) return undefined;
    const set = new Set<string>();
    for (let at = base; at <= top; at += 2) set.add(keyText(this.bytes, open[at] as number, open[at + 1] as number));
    this.opened = base;
    return set;
  }

  private sameKey(start: number, end: number, otherStart: number, otherEnd: number): boolean {
    if (end < 0 || otherEnd < 0) return keyText(this.bytes, start, end) === keyText(this.bytes, otherStart, otherEnd);
    const length = end - start;
    if (length !== otherEnd - otherStart) return false;
    const { bytes } = this;
    for (let at = length - 2; at > 0; at--) if (bytes[start + at] !== bytes[otherStart + at]) return false;
    return true;
  }

  private repeated(start: number): never {
    this.fail('JSON_DUPLICATE_KEY', 'the same member name twice in one object', start);
  }

  /** Scans a string from its opening quote; true when it has escapes. */
  private string(): boolean {
    const { bytes, end } = this;
    let at = this.at + 1;
    let escaped = false;
    for (;;) {
      while (at < end && stops[bytes[at] as number] === 0) at++;
      const byte = at < end ? bytes[at] : -1;
      if (byte === QUOTE) {
        this.at = at + 1;
        return escaped;
      }
      if (byte !== BACKSLASH) {
        this.at = at;
        const control = 'a control character in a string must be escaped';
        this.fail('JSON_SYNTAX', byte === -1 ? 'a string without its closing quote' : control);
      }
      escaped = true;
      at = this.escape(at);
    }
  }

  /** Checks the escape at `at`; the offset after it. */
  private escape(at: number): number {
    const letter = this.bytes[at + 1];
    this.at = at;
    if (letter !== 0x75) {
      if (letter === undefined || !'"\\/bfnrt'.includes(String.fromCharCode(letter))) {
        this.fail('JSON_SYNTAX', 'an escape that JSON does not know');
      }
      return at + 2;
    }
    const unit = this.unit(at);
    if (unit < 0xd800 || unit > 0xdfff) return at + 6;
    const paired = unit < 0xdc00 && this.bytes[at + 6] === BACKSLASH && this.bytes[at + 7] === 0x75;
    const second = paired ? this.unit(at + 6) : 0;
    if (second < 0xdc00 || second > 0xdfff) {
      this.at = at;
      this.fail('JSON_LONE_SURROGATE', 'an escaped surrogate without its other half');
    }
    return at + 12;
  }

  private unit(at: number): number {
    let unit = 0;
    for (let index = at + 2; index < at + 6; index++) {
      const digit = index < this.end ? hexValue(this.bytes[index] as number) : -1;
      if (digit < 0) {
        this.at = at;
        this.fail('JSON_SYNTAX', 'expected four hexadecimal digits after \\u');
      }
      unit = unit * 16 + digit;
    }
    return unit;
  }

  private number(first: number): void {
    let at = first === 0x2d ? this.at + 1 : this.at;
    const { bytes } = this;
    at = bytes[at] === 0x30 ? at + 1 : this.digits(at);
    if (bytes[at] === 0x2e) at = this.digits(at + 1);
    if (((bytes[at] ?? 0) | 0x20) === 0x65) {
      const sign = bytes[at + 1];
      at = this.digits(sign === 0x2b || sign === 0x2d ? at + 2 : at + 1);
    }
    this.at = at;
  }

  /** Skips digits, of which there must be one; the offset after them. */
  private digits(start: number): number {
    const { bytes, end } = this;
    let at = start;
    while (at < end && isDigit(bytes[at] as number)) at++;
    if (at === start) {
      this.at = at;
      this.fail('JSON_SYNTAX', 'expected a digit');
    }
    return at;
  }

  private literal(word: string): void {
    for (let index = 1; index < word.length; index++) {
      if (this.bytes[this.at + index] !== word.charCodeAt(index)) this.fail('JSON_SYNTAX', 'expected a value');
    }
    this.at += word.length;
  }

  private fail(code: JsonErrorCode, wanted: string, at: number = this.at): never {
    throw new JsonError(code, wanted, this.placeAt(at));
  }

  private placeAt(at: number): JsonPlace {
    const steps = Array.from(place.subarray(1, this.depth + 1), (step) => {
      if (step < 0) return String(-1 - step);
      const end = this.bytes.indexOf(QUOTE, step + 1);
      return this.bytes.toString('utf8', step + 1, end < 0 || end > step + 64 ? step + 65 : end);
    });
    return placeOf(this.bytes, at, steps);
  }
}

class Checked implements CheckedDocument {
  readonly json: CheckedJson;
  readonly kind: JsonKind;
  private readonly offsets: readonly number[];
  private map: Map<string, MemberSpan> | undefined;

  constructor(bytes: Buffer, kind: JsonKind, offsets: readonly number[]) {
    this.json = bytes as Uint8Array as CheckedJson;
    this.kind = kind;
    this.offsets = offsets;
  }

  get members(): ReadonlyMap<string, MemberSpan> {
    this.map ??= this.readMembers();
    return this.map;
  }

  private readMembers(): Map<string, MemberSpan> {
    const { offsets } = this;
    const bytes = this.json as Uint8Array as Buffer;
    const map = new Map<string, MemberSpan>();
    for (let at = 0; at < offsets.length; at += 4) {
      const keyStart = offsets[at] as number;
      const keyEnd = offsets[at + 1] as number;
      const span = { keyStart, start: offsets[at + 2] as number, end: offsets[at + 3] as number };
      map.set(keyText(bytes, keyStart, keyEnd), span);
    }
    return map;
  }
}

/**
 * Checks bytes from outside and builds nothing: UTF-8, the grammar of RFC 8259, one value, no key twice in an object
 * (compared unescaped), no lone surrogates, the limits. The same bytes are the result: they must not change any more.
 * Throws JsonError.
 */
export const checkJson = (bytes: Uint8Array, limits: JsonLimits = defaultJsonLimits): CheckedDocument => {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (buffer.length > limits.bytes) {
    throw new JsonError('JSON_TOO_LARGE', `${buffer.length} bytes, at most ${limits.bytes}`, placeOf(buffer, 0, []));
  }
  if (!isUtf8(buffer))
    throw new JsonError('JSON_NOT_UTF8', 'bytes that are no UTF-8', placeOf(buffer, brokenAt(buffer), []));
  const scanner = new Scanner(buffer, limits);
  const kind = scanner.document();
  return new Checked(buffer, kind, scanner.top);
};

// Decoding puts U+FFFD where bytes are no UTF-8: the first byte that does not come back is the place.
const brokenAt = (bytes: Buffer): number => {
  const again = Buffer.from(bytes.toString('utf8'));
  let at = 0;
  while (at < bytes.length && bytes[at] === again[at]) at++;
  return at;
};

/** The value of one member of an object at the top, or undefined when it is absent or the document is no object. */
export const sliceChecked = (document: CheckedDocument, name: string): CheckedJson | undefined => {
  const span = document.members.get(name);
  return span === undefined ? undefined : (document.json.subarray(span.start, span.end) as CheckedJson);
};

/** The document's bytes without one member at the top; the same bytes when it is absent. */
export const withoutMember = (document: CheckedDocument, name: string): CheckedJson => {
  const { json, members } = document;
  const spans = [...members];
  const index = spans.findIndex(([key]) => key === name);
  const [, span] = spans[index] ?? [];
  if (span === undefined) return json;
  const after = spans[index + 1]?.[1];
  const before = spans[index - 1]?.[1];
  // The comma that goes is the one after the member, or the one before the last member.
  const from = after === undefined && before !== undefined ? before.end : span.keyStart;
  const to = after === undefined ? span.end : after.keyStart;
  return Buffer.concat([json.subarray(0, from), json.subarray(to)]) as Uint8Array as CheckedJson;
};
