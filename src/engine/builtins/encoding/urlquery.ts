import type { RegoValue } from '../../../rego/index.ts';
import { bytesOf, RegoBytes, RegoObject, RegoSet, regoObject } from '../../../rego/index.ts';
import type { Builtin } from '../model.ts';
import { BuiltinError } from '../model.ts';
import { byteStringOperand, isText, stringOfBytes } from '../operands.ts';
import { goJson } from '../tokens/sign.ts';

// All texts here have one character a byte: Go escapes bytes, whether or not they are UTF-8.

const escapeOf = (byte: string): string =>
  byte === ' ' ? '+' : `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;

const escaped = (text: string): string => text.replace(/[^A-Za-z0-9_.~-]/g, escapeOf);

const badEscape = /%(?![0-9A-Fa-f]{2})/;

const unescaped = (text: string): string => {
  if (badEscape.test(text)) throw new BuiltinError('invalid URL escape');
  return text.replace(/\+|%(..)/g, (found, hex: string) =>
    found === '+' ? ' ' : String.fromCharCode(Number.parseInt(hex, 16)),
  );
};

const stringOf = (text: string): string | RegoBytes => stringOfBytes(Buffer.from(text, 'latin1'));

/** `urlquery.encode`. */
export const urlqueryEncode: Builtin = (_scope, text) => escaped(byteStringOperand(text, 1));

/** `urlquery.decode`. */
export const urlqueryDecode: Builtin = (_scope, text) => stringOf(unescaped(byteStringOperand(text, 1)));

const bytesText = (value: string | RegoBytes): string => Buffer.from(bytesOf(value)).toString('latin1');

const valuesOf = (value: RegoValue): readonly string[] => {
  const items = value instanceof RegoSet ? value.items : Array.isArray(value) ? (value as RegoValue[]) : [value];
  return items.map((item) => {
    if (isText(item)) return bytesText(item);
    throw new BuiltinError('operand 1 values must be string, array[string], or set[string]');
  });
};

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** `urlquery.encode_object`: names sorted by bytes; a name that is no string is its JSON. */
export const urlqueryEncodeObject: Builtin = (_scope, object) => {
  if (!(object instanceof RegoObject)) throw new BuiltinError('operand 1 must be object');
  const members = new Map<string, readonly string[]>();
  for (const [key, value] of object.entries) {
    members.set(bytesText(isText(key) ? key : goJson(key)), valuesOf(value));
  }
  return [...members]
    .sort(([a], [b]) => compareText(a, b))
    .flatMap(([name, values]) => values.map((value) => `${escaped(name)}=${escaped(value)}`))
    .join('&');
};

const mostParameters = 10_000;

/** `urlquery.decode_object`: every value is an array; a semicolon or a bad escape anywhere is an error. */
export const urlqueryDecodeObject: Builtin = (_scope, query) => {
  const parameters = byteStringOperand(query, 1).split('&');
  if (parameters.length > mostParameters) throw new BuiltinError('number of URL query parameters exceeded limit');
  const members = new Map<string, RegoValue[]>();
  for (const parameter of parameters) {
    if (parameter.includes(';')) throw new BuiltinError('invalid semicolon separator in query');
    if (parameter === '') continue;
    const [name = '', ...rest] = parameter.split('=');
    const key = unescaped(name);
    const value = stringOf(unescaped(rest.join('=')));
    const known = members.get(key);
    if (known) known.push(value);
    else members.set(key, [value]);
  }
  return regoObject([...members].map(([name, values]) => [stringOf(name), values] as const));
};
