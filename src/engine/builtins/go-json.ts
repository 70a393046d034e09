import type { RegoValue } from '../../rego/index.ts';
import { RegoNumber, regoObject } from '../../rego/index.ts';
import { decodeUtf8 } from './format/byte-text.ts';
import { BuiltinError } from './model.ts';

// Go stops at 10,000; the stack of a JavaScript thread does not reach that far, and no real document comes near this.
const maxDepth = 512;

const space = /[ \t\r\n]*/y;
const numberForm = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const stringForm = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y;

/** Text of bytes as Go's decoder reads them. */
const textOf = (bytes: Buffer): string => decodeUtf8(bytes, () => '\ufffd');

/** OPA refuses numbers whose binary exponent is beyond 100,000; only texts with an exponent can be so large. */
const checkedNumber = (text: string): RegoNumber => {
  const [mantissa = '', exponent] = text.toLowerCase().split('e');
  if (exponent === undefined) return new RegoNumber(text);
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.');
  const digits = (whole + fraction).replace(/^0+/, '');
  const leadingZeros = whole.length + fraction.length - digits.length;
  if (digits === '') return new RegoNumber(text);
  const tens = Number(exponent) + whole.length - leadingZeros;
  const binaryExponent = Math.floor(tens * Math.log2(10) + Math.log2(Number(`0.${digits.slice(0, 17)}`))) + 1;
  if (!(Math.abs(binaryExponent) <= 1e5)) throw new BuiltinError('invalid JSON: number too big');
  return new RegoNumber(text);
};

class Reader {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** The text that the sticky pattern matches here, which is then behind us. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  /** The next character after white space, without passing it. */
  peek(): string | undefined {
    if (this.text.charCodeAt(this.at) <= 0x20) this.take(space);
    return this.text[this.at];
  }

  skip(wanted: string): boolean {
    if (this.peek() !== wanted) return false;
    this.at++;
    return true;
  }

  bad(): BuiltinError {
    return new BuiltinError(`invalid JSON at character ${this.at}`);
  }

  literal(word: string, value: RegoValue): RegoValue {
    if (!this.text.startsWith(word, this.at)) throw this.bad();
    this.at += word.length;
    return value;
  }

  string(): string {
    const found = this.take(stringForm);
    if (found === undefined) throw this.bad();
    return found.includes('\\') ? (JSON.parse(found) as string).toWellFormed() : found.slice(1, -1);
  }

  value(depth: number): RegoValue {
    if (depth > maxDepth) throw new BuiltinError(`invalid JSON: nested deeper than ${maxDepth}`);
    const first = this.peek();
    if (first === '{') return this.object(depth);
    if (first === '[') return this.array(depth);
    if (first === '"') return this.string();
    if (first === 't') return this.literal('true', true);
    if (first === 'f') return this.literal('false', false);
    if (first === 'n') return this.literal('null', null);
    const number = this.take(numberForm);
    if (number === undefined) throw this.bad();
    return checkedNumber(number);
  }

  array(depth: number): RegoValue {
    this.at++;
    const items: RegoValue[] = [];
    if (this.skip(']')) return items;
    do items.push(this.value(depth + 1));
    while (this.skip(','));
    if (!this.skip(']')) throw this.bad();
    return items;
  }

  object(depth: number): RegoValue {
    this.at++;
    const members = new Map<string, RegoValue>();
    if (this.skip('}')) return regoObject([]);
    do {
      this.peek();
      const name = this.string();
      if (!this.skip(':')) throw this.bad();
      members.set(name, this.value(depth + 1));
    } while (this.skip(','));
    if (!this.skip('}')) throw this.bad();
    return regoObject(members);
  }
}

/** The first JSON value of the bytes and what stands behind it. Of equal names in an object the last one counts. */
export const readJson = (bytes: Buffer): { readonly value: RegoValue; readonly rest: string } => {
  const reader = new Reader(textOf(bytes));
  const value = reader.value(1);
  return { value, rest: reader.text.slice(reader.at) };
};

/**
 * JSON as OPA's `json.unmarshal` reads it. Go's decoder takes a second top-level value of `null` for the end of the
 * text and reads no further; so must we, or a token would be valid in OPA and not here.
 */
export const parseJson = (bytes: Buffer): RegoValue => {
  const { value, rest } = readJson(bytes);
  if (!/^[ \t\r\n]*(?:$|null)/.test(rest)) throw new BuiltinError('invalid JSON: more text after the value');
  return value;
};
