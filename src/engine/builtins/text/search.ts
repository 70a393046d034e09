import type { RegoValue } from '../../../rego/index.ts';
import { regoInteger } from '../../../rego/index.ts';
import { decodeUtf8, stringOfText, textOf } from '../format/byte-text.ts';
import type { Builtin, CallScope } from '../model.ts';
import { BuiltinError } from '../model.ts';
import { apart, occurrences } from '../occurrences.ts';
import { byteOperand, int64Operand, stringOfBytes } from '../operands.ts';

/** The bytes of each character; a byte that is in none counts as one. */
const characters = (bytes: Uint8Array): string[] => [...textOf(stringOfBytes(Buffer.from(bytes)))];

/** `strings.count`: places that do not overlap; the empty string stands around every character. */
export const stringsCount: Builtin = (_scope, text, wanted) => {
  const bytes = byteOperand(text, 1);
  const pattern = byteOperand(wanted, 2);
  if (pattern.length === 0) return regoInteger(characters(bytes).length + 1);
  return regoInteger(apart(occurrences(bytes, pattern), pattern.length).length);
};

/** Its characters; bytes of none are all U+FFFD. */
export const codePoints = (bytes: Uint8Array): number[] =>
  Array.from(
    decodeUtf8(bytes, () => '\ufffd'),
    (character) => character.codePointAt(0) ?? 0,
  );

/** `indexof_n`: the places in characters, overlapping ones too; bytes of no character are all alike. */
export const indexofN: Builtin = (_scope, text, wanted) => {
  const bytes = byteOperand(text, 1);
  const pattern = byteOperand(wanted, 2);
  if (pattern.length === 0) throw new BuiltinError('empty search character');
  return occurrences(codePoints(bytes), codePoints(pattern)).map(regoInteger);
};

/** What making one part takes. */
const partPoints = 500;

const parts = (scope: CallScope, bytes: Uint8Array, delimiter: Uint8Array): RegoValue[] => {
  if (delimiter.length === 0) return characters(bytes).map(stringOfText);
  const places = apart(occurrences(bytes, delimiter), delimiter.length);
  scope.spend(partPoints * places.length);
  const starts = [0, ...places.map((place) => place + delimiter.length)];
  return starts.map((start, at) => stringOfBytes(Buffer.from(bytes.subarray(start, places[at]))));
};

/** `strings.split_n`: the first n parts, or the last -n; the others are dropped. */
export const splitN: Builtin = (scope, text, delimiter, count) => {
  const bytes = byteOperand(text, 1);
  const between = byteOperand(delimiter, 2);
  const wanted = Number(int64Operand(count, 3));
  const all = parts(scope, bytes, between);
  return wanted >= 0 ? all.slice(0, wanted) : all.slice(Math.max(all.length + wanted, 0));
};
