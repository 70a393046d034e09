import type { RegoValue } from '../../../rego/index.ts';
import { RegoNumber, RegoSet, regoInteger } from '../../../rego/index.ts';
import { floatOf, truncated } from '../../values/big-float.ts';
import { stringOfText, textOf, textOperand } from '../format/byte-text.ts';
import { valueText } from '../format/value-text.ts';
import type { Builtin } from '../model.ts';
import { BuiltinError } from '../model.ts';
import { occurrences } from '../occurrences.ts';
import { arrayOperand, byteOperand, int64Operand, isText, listOperand, stringOfBytes, wrongType } from '../operands.ts';
import { codePoints } from '../text/search.ts';

/** `concat`: a set is joined in Rego's order. */
export const concat: Builtin = (scope, between, values) => {
  const delimiter = textOperand(between, 1);
  const parts = listOperand(values, 2).map((value) => {
    if (isText(value)) return textOf(value);
    throw new BuiltinError('operand 2 must be a collection of strings');
  });
  scope.spend(parts.length * delimiter.length);
  return stringOfText(parts.join(delimiter));
};

/** `indexof`, in characters. */
export const indexof: Builtin = (_scope, text, wanted) => {
  const [within, pattern] = [byteOperand(text, 1), byteOperand(wanted, 2)];
  if (pattern.length === 0) throw new BuiltinError('empty search character');
  return regoInteger(occurrences(codePoints(within), codePoints(pattern))[0] ?? -1);
};

/** `substring`, in characters; a negative length means all the rest. */
export const substring: Builtin = (_scope, text, offset, count) => {
  const bytes = byteOperand(text, 1);
  const start = Number(int64Operand(offset, 2));
  const length = Number(int64Operand(count, 3));
  if (start < 0) throw new BuiltinError('negative offset');
  const points = codePoints(bytes);
  if (start === 0 && length >= points.length) return text;
  const cut = points.slice(start, length < 0 ? undefined : start + length);
  return cut.map((point) => String.fromCodePoint(point)).join('');
};

/** `replace`: an empty pattern stands before, between and behind all bytes. */
export const replace: Builtin = (scope, text, old, by) => {
  const latin = (value: RegoValue | undefined, position: number): string =>
    Buffer.from(byteOperand(value, position)).toString('latin1');
  const [whole, pattern, put] = [latin(text, 1), latin(old, 2), latin(by, 3)];
  const kept = pattern === '' ? ['', ...whole, ''] : whole.split(pattern);
  scope.spend(10 * kept.length * put.length);
  return stringOfBytes(Buffer.from(kept.join(put), 'latin1'));
};

const radixes: ReadonlyMap<string, number> = new Map([
  ['2', 2],
  ['8', 8],
  ['10', 10],
  ['16', 16],
]);

/** `format_int`: fractions are cut off. */
export const formatInt: Builtin = (_scope, number, base) => {
  if (!(number instanceof RegoNumber)) throw wrongType(number, 1, 'number');
  if (!(base instanceof RegoNumber)) throw wrongType(base, 2, 'number');
  const radix = radixes.get(base.text);
  if (radix === undefined) throw new BuiltinError('operand 2 must be one of {2, 8, 10, 16}');
  if (/^-?\d+$/.test(number.text)) return BigInt(number.text).toString(radix);
  const float = floatOf(number.text);
  if (float === undefined) throw new BuiltinError('the number is too large');
  return truncated(float).toString(radix);
};

/** `internal.template_string`: what `$"..."` means. A part is a string or a set of at most one value. */
export const templateString: Builtin = (_scope, parts) => {
  const shown = (value: RegoValue): string => (isText(value) ? textOf(value) : valueText(value));
  const texts = arrayOperand(parts, 1).map((part) => {
    if (!(part instanceof RegoSet)) {
      if (part !== null && typeof part === 'object' && !isText(part) && !(part instanceof RegoNumber)) {
        throw new BuiltinError('a template string has a part that is no set');
      }
      return shown(part);
    }
    const [only, ...more] = part.items;
    if (more.length > 0) throw new BuiltinError('template-strings must not produce multiple outputs');
    return only === undefined ? '<undefined>' : shown(only);
  });
  return stringOfText(texts.join(''));
};

// Go's ParseFloat takes others, too (`0x1p-2`, `1_000`), whose text is then no number in JSON.
const decimalForm = /^([+-]?)(0*)(\d*)(?:\.(\d*))?([eE][+-]?\d+)?$/;

/** `to_number`. */
export const toNumber: Builtin = (_scope, value) => {
  if (value === null) return regoInteger(0);
  if (typeof value === 'boolean') return regoInteger(value ? 1 : 0);
  if (value instanceof RegoNumber) return value;
  if (!isText(value)) throw wrongType(value, 1, 'null', 'boolean', 'number', 'string');
  const [, sign = '', zeros = '', whole = '', fraction = '', power = ''] = decimalForm.exec(textOf(value)) ?? [];
  if (zeros === '' && whole === '' && fraction === '') throw new BuiltinError('the text is no number');
  const text = `${sign === '-' ? '-' : ''}${whole === '' ? '0' : whole}${fraction === '' ? '' : `.${fraction}`}`;
  const number = text + power;
  if (!Number.isFinite(Number(number))) throw new BuiltinError('the number is too large');
  return new RegoNumber(number);
};
