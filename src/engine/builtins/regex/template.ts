import { isUtf8 } from 'node:buffer';
import type { CallScope } from '../model.ts';
import { BuiltinError } from '../model.ts';
import { programOf } from './program.ts';

// Texts here have one character a byte, as delimiters are bytes.

export const patternOfBytes = (text: string): string => {
  const bytes = Buffer.from(text, 'latin1');
  if (!isUtf8(bytes)) throw new BuiltinError('invalid UTF-8 in the regular expression');
  return bytes.toString('utf8');
};

const quoted = (text: string): string => text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&');

/** Places of the outermost delimited parts: [start, end, ...], delimiters included. */
const delimited = (template: string, start: string, end: string): readonly (readonly [number, number])[] => {
  const found: [number, number][] = [];
  const unbalanced = (): BuiltinError => new BuiltinError('unbalanced delimiters in the template');
  let level = 0;
  let from = 0;
  for (let at = 0; at < template.length; at++) {
    if (template[at] === start) {
      if (++level === 1) from = at;
    } else if (template[at] === end) {
      if (--level === 0) found.push([from, at + 1]);
      if (level < 0) throw unbalanced();
    }
  }
  if (level !== 0) throw unbalanced();
  return found;
};

/** The pattern of a template: what is delimited is a pattern, each by itself, and the rest is text. */
export const templatePattern = (template: string, start: string, end: string, scope: CallScope): string => {
  let pattern = '^';
  let at = 0;
  for (const [from, to] of delimited(template, start, end)) {
    const inner = template.slice(from + 1, to - 1);
    pattern += `${quoted(template.slice(at, from))}(${inner})`;
    programOf(patternOfBytes(`^${inner}$`), scope);
    at = to;
  }
  return patternOfBytes(`${pattern}${quoted(template.slice(at))}$`);
};
