import { isAscii, isUtf8 } from 'node:buffer';
import type { RegoEntry, RegoValue } from '../../rego/index.ts';
import { RegoBytes, RegoNumber, RegoObject, RegoSet, regoObject, regoSet } from '../../rego/index.ts';

/** Deeper values than this are refused: reading and writing recurse. */
export const deepestValue = 1_000;

/** A text that is no Rego value, or one nested too deep. */
export class ValueTextError extends Error {
  readonly tooDeep: boolean;

  constructor(message: string, tooDeep = false) {
    super(message);
    this.tooDeep = tooDeep;
  }
}

export const tooDeep = (): ValueTextError => new ValueTextError(`a value nested deeper than ${deepestValue}`, true);

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const CLOSE_BRACE = 0x7d;
const CLOSE_BRACKET = 0x5d;

const escapes: { readonly [letter: number]: number } = {
  [QUOTE]: QUOTE,
  [BACKSLASH]: BACKSLASH,
  47: 0x2f,
  98: 0x08,
  102: 0x0c,
  110: 0x0a,
  114: 0x0d,
  116: 0x09,
};

/** The string or byte string that stands for these bytes. */
const textOf = (bytes: Buffer): string | RegoBytes => {
  if (isAscii(bytes)) return bytes.toString('latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : new RegoBytes(Uint8Array.from(bytes));
};

/** How many values may still be read; below 0 once there were more. */
export interface ValueRoom {
  values: number;
}

class Reader {
  private at = 0;
  private depth = 0;
  private readonly bytes: Buffer;
  private readonly numberText: (text: string) => string;
  private readonly room: ValueRoom;

  constructor(bytes: Buffer, numberText: (text: string) => string, room: ValueRoom) {
    this.bytes = bytes;
    this.numberText = numberText;
    this.room = room;
  }

  document(): RegoValue {
    const value = this.value();
    if (this.at !== this.bytes.length) throw this.wrong();
    return value;
  }

  private value(): RegoValue {
    if (--this.room.values < 0) throw new ValueTextError('the text has more values than may be read');
    let first = this.bytes[this.at];
    // ABI 1.3 puts a space after commas and colons.
    while (first === 0x20) first = this.bytes[++this.at];
    if (first === QUOTE) return this.string();
    if (first === 0x7b || first === 0x5b) return this.nested(first === 0x7b);
    if (first === 0x74) return this.word('true', true);
    if (first === 0x66) return this.word('false', false);
    if (first === 0x6e) return this.word('null', null);
    if (first === 0x73) return this.word('set()', new RegoSet([]));
    return this.number();
  }

  private nested(inBraces: boolean): RegoValue {
    if (++this.depth > deepestValue) throw tooDeep();
    this.at++;
    const result = inBraces ? this.braces() : this.list(CLOSE_BRACKET);
    this.depth--;
    return result;
  }

  /** Items up to `close`, of which there may be none. */
  private list(close: number, items: RegoValue[] = []): RegoValue[] {
    if (this.bytes[this.at] === close && items.length === 0) {
      this.at++;
      return items;
    }
    for (;;) {
      items.push(this.value());
      if (!this.more(close)) return items;
    }
  }

  private more(close: number): boolean {
    const byte = this.bytes[this.at++];
    if (byte === COMMA) return true;
    if (byte === close) return false;
    throw this.wrong();
  }

  /** An object or a set: the first item tells. */
  private braces(): RegoObject | RegoSet {
    if (this.bytes[this.at] === CLOSE_BRACE) {
      this.at++;
      return new RegoObject([]);
    }
    const first = this.value();
    if (this.bytes[this.at] !== COLON)
      return regoSet(this.more(CLOSE_BRACE) ? this.list(CLOSE_BRACE, [first]) : [first]);
    const entries: RegoEntry[] = [];
    for (let key = first; ; key = this.value()) {
      if (this.bytes[this.at++] !== COLON) throw this.wrong();
      entries.push([key, this.value()]);
      if (!this.more(CLOSE_BRACE)) return regoObject(entries);
    }
  }

  private word<Value>(word: string, value: Value): Value {
    const end = this.at + word.length;
    if (this.bytes.toString('latin1', this.at, end) !== word) throw this.wrong();
    this.at = end;
    return value;
  }

  private number(): RegoNumber {
    const start = this.at;
    const { bytes } = this;
    let digits = true;
    for (let byte = bytes[start]; byte !== undefined; byte = bytes[++this.at]) {
      if (byte >= 0x30 && byte <= 0x39) continue;
      const sign = byte === 0x2b || byte === 0x2d || byte === 0x2e;
      if (!sign && (byte | 0x20) !== 0x65) break;
      digits = false;
    }
    const text = bytes.toString('latin1', start, this.at);
    // Most numbers: their text is everybody's.
    if (digits && this.at > start) return new RegoNumber(text);
    if (!/^-?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/.test(text)) throw this.wrong();
    const written = this.numberText(text);
    // Rego has `.5`, which is no number in JSON: OPA fails where it would have to write it.
    return new RegoNumber(/^-?\./.test(written) ? written.replace('.', '0.') : written);
  }

  private string(): string | RegoBytes {
    const { bytes } = this;
    const start = this.at + 1;
    let at = start;
    for (;;) {
      const byte = bytes[at];
      if (byte === QUOTE) break;
      if (byte === BACKSLASH) return this.escaped(start);
      if (byte === undefined) throw this.wrong();
      at++;
    }
    this.at = at + 1;
    return textOf(bytes.subarray(start, at));
  }

  private escaped(start: number): string | RegoBytes {
    const { bytes } = this;
    const out: number[] = [];
    let at = start;
    for (let byte = bytes[at]; byte !== QUOTE; byte = bytes[at]) {
      if (byte === undefined) throw this.wrong();
      if (byte !== BACKSLASH) {
        out.push(byte);
        at++;
      } else if (bytes[at + 1] === 0x75) {
        const units = /^(?:\\u[0-9a-fA-F]{4})+/.exec(bytes.toString('latin1', at, bytes.indexOf(QUOTE, at)))?.[0];
        if (units === undefined) throw this.wrong();
        out.push(...Buffer.from((JSON.parse(`"${units}"`) as string).toWellFormed()));
        at += units.length;
      } else {
        const meant = escapes[bytes[at + 1] ?? 0];
        if (meant === undefined) throw this.wrong();
        out.push(meant);
        at += 2;
      }
    }
    this.at = at + 1;
    return textOf(Buffer.from(out));
  }

  private wrong(): ValueTextError {
    return new ValueTextError(`the text at byte ${this.at} is no Rego value`);
  }
}

const asWritten = (text: string): string => text;

/**
 * Reads what `opa_value_dump` wrote, without the closing NUL. `numberText` may put another text in the place of a
 * number's; each value read takes one from `room`. Throws ValueTextError, also when there is no room.
 */
export const parseValue = (
  bytes: Uint8Array,
  numberText: (text: string) => string = asWritten,
  room: ValueRoom = { values: Number.POSITIVE_INFINITY },
): RegoValue => new Reader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), numberText, room).document();

const writeObject = (entries: readonly RegoEntry[], depth: number): string => {
  const members = entries.map(([key, value]) => `${write(key, depth)}:${write(value, depth)}`);
  return `{${members.join(',')}}`;
};

const write = (value: RegoValue, depth: number): string => {
  if (depth > deepestValue) throw tooDeep();
  if (value === null) return 'null';
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (typeof value === 'string') return JSON.stringify(value.toWellFormed());
  if (value instanceof RegoNumber) return value.text;
  // The module aborts on bytes that are no UTF-8: they become U+FFFD, as they do in OPA's own Wasm host.
  if (value instanceof RegoBytes) return JSON.stringify(Buffer.from(value.bytes).toString('utf8'));
  if (value instanceof RegoObject) return writeObject(value.entries, depth + 1);
  const items = value instanceof RegoSet ? value.items : value;
  const text = items.map((item) => write(item, depth + 1)).join(',');
  if (!(value instanceof RegoSet)) return `[${text}]`;
  return items.length === 0 ? 'set()' : `{${text}}`;
};

/** The text that `opa_value_parse` reads. Strings are made well-formed. Throws ValueTextError. */
export const dumpValue = (value: RegoValue): string => write(value, 0);
