import type { RegoValue } from '../../../rego/index.ts';
import { RegoSet } from '../../../rego/index.ts';
import type { Builtin } from '../model.ts';
import { BuiltinError } from '../model.ts';
import { byteStringOperand, isText, listOperand, typeName, wrongType } from '../operands.ts';

/** A string, or the strings of an array or set, with one character a byte. */
const strings = (value: RegoValue | undefined, position: number): readonly string[] => {
  if (isText(value)) return [byteStringOperand(value, position)];
  if (!Array.isArray(value) && !(value instanceof RegoSet)) throw wrongType(value, position, 'string', 'set', 'array');
  return listOperand(value, position).map((item) => {
    if (isText(item)) return byteStringOperand(item, position);
    const kind = typeName(value);
    throw new BuiltinError(
      `operand ${position} must be ${kind} of strings but got ${kind} containing ${typeName(item)}`,
    );
  });
};

/** Whether one of the strings begins with one of the beginnings. */
const anyBegins = (texts: readonly string[], beginnings: readonly string[]): boolean => {
  if (texts.length === 1 || beginnings.length === 1) {
    return texts.some((text) => beginnings.some((beginning) => text.startsWith(beginning)));
  }
  // Of sorted strings those with one beginning stand together, right behind it.
  const sorted = [...texts].sort();
  return beginnings.some((beginning) => {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sorted[middle] as string) < beginning) low = middle + 1;
      else high = middle;
    }
    return sorted[low]?.startsWith(beginning) === true;
  });
};

/** `strings.any_prefix_match`: strings are compared by bytes. */
export const anyPrefixMatch: Builtin = (_scope, texts, prefixes) => anyBegins(strings(texts, 1), strings(prefixes, 2));

const backwards = (text: string): string => Buffer.from(text, 'latin1').reverse().toString('latin1');

/** `strings.any_suffix_match`. */
export const anySuffixMatch: Builtin = (_scope, texts, suffixes) =>
  anyBegins(strings(texts, 1).map(backwards), strings(suffixes, 2).map(backwards));
