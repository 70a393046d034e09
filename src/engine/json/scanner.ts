import type { JsonErrorCode, JsonPlace } from './error.ts';
import { JsonError, placeOf } from './error.ts';
import { deepest, OpenKeys } from './open-keys.ts';

export interface JsonLimits {
  readonly bytes: number;
  /** Nesting of arrays and objects; a scalar has depth 0. At most 512. */
  readonly depth: number;
  /** Members of all objects together. */
  readonly keys: number;
}

export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** 1 for the bytes at which the plain part of a string ends: the quote, the backslash and control characters. */
const stops = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte < 0x20 || byte === QUOTE || byte === BACKSLASH ? 1 : 0,
);

// Scratch of the one scan that runs: scans are synchronous.
/** Per depth: the offset of the current key in an object, or minus one minus the index in an array. */
const place = new Int32Array(deepest + 1);

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

/** A pass over the bytes: nothing is built but the offsets of keys. */
export class Scanner {
  private at = 0;
  private depth = 0;
  private keys = 0;
  /** Of each member at the top: start and end of the key as in OpenKeys, start and end of the value. */
  readonly top: number[] = [];
  private readonly bytes: Buffer;
  private readonly open: OpenKeys;
  private readonly end: number;
  private readonly depthLimit: number;
  private readonly keyLimit: number;

  constructor(bytes: Buffer, limits: JsonLimits) {
    this.bytes = bytes;
    this.open = new OpenKeys(bytes);
    this.end = bytes.length;
    this.depthLimit = Math.min(limits.depth, deepest);
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
    else this.fail('JSON_SYNTAX', `expected a value${this.foundInstead(first)}`);
  }

  private foundInstead(first: number): string {
    if (first === -1) return ', found the end of the text';
    const isMark = first === 0xef && this.bytes[this.at + 1] === 0xbb && this.bytes[this.at + 2] === 0xbf;
    return isMark ? ', found a byte order mark' : '';
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
    const frame = this.open.enter();
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
        if (!this.open.add(frame, keyStart, keyEnd)) {
          this.fail('JSON_DUPLICATE_KEY', 'the same member name twice in one object', keyStart);
        }
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
    this.open.leave(frame);
    this.at++;
    this.depth--;
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
