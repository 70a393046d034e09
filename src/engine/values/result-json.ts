import { isUtf8 } from 'node:buffer';
import type { RegoObject, RegoValue } from '../../rego/index.ts';
import { bytesOf, RegoBytes, RegoNumber, RegoSet } from '../../rego/index.ts';
import { deepestValue, tooDeep } from './value-text.ts';

const special = /[<>&\u2028\u2029]/g;
const unicodeEscape = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;

// As Go's encoding/json writes strings for HTML pages: what JSON.stringify escapes, and five characters more.
const quote = (text: string): string => JSON.stringify(text).replace(special, unicodeEscape);

/** Length of the UTF-8 sequence at an offset, or 0 where there is none. */
const sequenceAt = (bytes: Uint8Array, at: number): number => {
  for (let length = 1; length <= 4 && at + length <= bytes.length; length++) {
    if (isUtf8(bytes.subarray(at, at + length))) return length;
  }
  return 0;
};

// Go writes each byte that is no UTF-8 as an escaped U+FFFD of its own.
const quoteBytes = (bytes: Uint8Array): string => {
  let out = '';
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceAt(bytes, at);
    out += length === 0 ? '\\ufffd' : quote(Buffer.from(bytes.subarray(at, at + length)).toString('utf8')).slice(1, -1);
    at += Math.max(1, length);
  }
  return `"${out}"`;
};

interface Member {
  /** UTF-8 (or raw) bytes of the key, by which members are sorted. */
  readonly bytes: Uint8Array;
  readonly key: string;
  readonly value: RegoValue;
}

const memberOf = (key: RegoValue, value: RegoValue, depth: number): Member => {
  if (key instanceof RegoBytes) return { bytes: key.bytes, key: quoteBytes(key.bytes), value };
  // A key that is no string becomes a string: the JSON of the key.
  const text = typeof key === 'string' ? key : write(key, depth);
  return { bytes: bytesOf(text), key: quote(text), value };
};

const writeObject = (object: RegoObject, depth: number): string => {
  const { entries } = object;
  if (entries.every(([key]) => typeof key === 'string')) {
    // Entries are in Rego's order, which for strings is that of their bytes: Go's order too.
    let text = '';
    for (const [key, value] of entries)
      text += `${text === '' ? '' : ','}${quote(key as string)}:${write(value, depth)}`;
    return `{${text}}`;
  }
  const members = entries
    .map(([key, value]) => memberOf(key, value, depth))
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes));
  // Keys that became one text: as in OPA the last in Rego's order stays, and the sort kept that order.
  const last = members.filter((member, at) => {
    const next = members[at + 1];
    return next === undefined || Buffer.compare(member.bytes, next.bytes) !== 0;
  });
  return `{${last.map(({ key, value }) => `${key}:${write(value, depth)}`).join(',')}}`;
};

// Strings that are added up are copied once, at the end; joined ones at each level of nesting.
const writeItems = (items: readonly RegoValue[], depth: number): string => {
  let text = '';
  for (const item of items) text += text === '' ? write(item, depth) : `,${write(item, depth)}`;
  return `[${text}]`;
};

const write = (value: RegoValue, depth: number): string => {
  if (depth > deepestValue) throw tooDeep();
  if (value === null) return 'null';
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (typeof value === 'string') return quote(value);
  if (value instanceof RegoNumber) return value.text;
  if (value instanceof RegoBytes) return quoteBytes(value.bytes);
  if (value instanceof RegoSet) return writeItems(value.items, depth + 1);
  if (Array.isArray(value)) return writeItems(value as readonly RegoValue[], depth + 1);
  return writeObject(value as RegoObject, depth + 1);
};

/**
 * The JSON text that OPA's Data API sends for a value: sets as arrays in Rego's order, members sorted by the bytes of
 * their keys, keys that are no strings as their JSON, the text of numbers as it is, and Go's escapes.
 * Throws ValueTextError for a value nested too deep.
 */
export const resultJson = (value: RegoValue): string => write(value, 0);
