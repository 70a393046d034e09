// Strings as Go's strconv.Quote writes them. Bytes that are no UTF-8 stand in texts as lone surrogates U+DC80 to U+DCFF.

import { byteOf } from './byte-text.ts';
import { isPrintableCode } from './printable.ts';

const escapes: ReadonlyMap<string, string> = new Map([
  ['\x07', '\\a'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\v', '\\v'],
  ['\\', '\\\\'],
]);

/** Whether Go prints the character as it is: letters, marks, numbers, punctuation, symbols and the ASCII space. */
export const isPrintable = (character: string): boolean => isPrintableCode(character.codePointAt(0) as number);

const hex = (code: number, width: number): string => code.toString(16).padStart(width, '0');

const quoted = (character: string, quote: string, ascii: boolean): string => {
  if (character === quote) return `\\${quote}`;
  const code = character.codePointAt(0) as number;
  const byte = byteOf(character);
  if (byte !== undefined) return `\\x${hex(byte, 2)}`;
  if (character !== '\\' && (ascii ? code >= 0x20 && code < 0x7f : isPrintable(character))) return character;
  const known = escapes.get(character);
  if (known !== undefined) return known;
  if (code < 0x20 || code === 0x7f) return `\\x${hex(code, 2)}`;
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
};

/** Neither a quote nor a backslash: Go writes them as they are. */
const plain = /^[ !#-[\]-~]*$/;

/** In double quotes; `ascii` escapes everything else. */
export const goQuote = (text: string, ascii = false): string =>
  plain.test(text) ? `"${text}"` : `"${[...text].map((character) => quoted(character, '"', ascii)).join('')}"`;

/** One character in single quotes. */
export const goQuoteRune = (character: string, ascii = false): string => `'${quoted(character, "'", ascii)}'`;

/** Whether a text can stand between backquotes, on one line and unescaped. */
export const canBackquote = (text: string): boolean =>
  [...text].every((character) => {
    if (byteOf(character) !== undefined) return false;
    const code = character.codePointAt(0) as number;
    return code > 0xffff || !(code === 0xfeff || (code < 0x20 && code !== 9) || code === 0x60 || code === 0x7f);
  });
