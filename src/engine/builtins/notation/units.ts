import { RegoNumber, regoInteger } from '../../../rego/index.ts';
import { multiplied, ofInteger, scaled, truncated } from '../../values/big-float.ts';
import type { Builtin, CallScope } from '../model.ts';
import { BuiltinError } from '../model.ts';
import { byteStringOperand } from '../operands.ts';

interface Amount {
  readonly negative: boolean;
  /** The value is digits x 10^power. */
  readonly digits: bigint;
  readonly power: number;
}

const mostExponentDigits = 6;

/** Where the number ends and the unit begins: signs, points and exponents belong to the number wherever they stand. */
const unitStart = (text: string): number => {
  for (let at = 0; at < text.length; at++) {
    const char = text[at] as string;
    if (!/[0-9.eE+-]/.test(char)) return at;
    if (char !== 'e' && char !== 'E') continue;
    if (!/[0-9+-]/.test(text[at + 1] ?? '')) return at;
    if (/[+-]/.test(text[at + 1] ?? '')) at++;
    const digits = /^\d*/.exec(text.slice(at + 1, at + 2 + mostExponentDigits))?.[0] ?? '';
    if (digits.length > mostExponentDigits) throw new BuiltinError('exponent too large');
  }
  return text.length;
};

const parts = (text: string): readonly [number: string, unit: string] => {
  if (text.includes(' ')) throw new BuiltinError('spaces not allowed in resource strings');
  const start = unitStart(text);
  if (start === 0) throw new BuiltinError('no amount provided');
  return [text.slice(0, start), text.slice(start)];
};

const amountOf = (number: string, scope: CallScope): Amount => {
  const match = /^([+-]?)(?:(\d+)\.?(\d*)|\.(\d+))(?:[eE]([+-]?\d+))?$/.exec(number);
  if (match === null) throw new BuiltinError('could not parse amount to a number');
  const [, sign, whole = '', after, bare, exponent = '0'] = match;
  const fraction = after ?? bare ?? '';
  const power = Number(exponent) - fraction.length;
  // The result has as many digits.
  scope.spend(Math.abs(power) * 100);
  return { negative: sign === '-', digits: BigInt(whole + fraction), power };
};

const prefixes = ['k', 'm', 'g', 't', 'p', 'e'] as const;

const power = (prefix: string): bigint => BigInt(prefixes.indexOf(prefix as (typeof prefixes)[number]) + 1);

/** Go's lower case of what can be a unit: two letters that are no ASCII have one that is. */
const lower = (text: string): string =>
  text
    .replace(/\u0130/g, 'i')
    .replace(/\u212a/g, 'k')
    .toLowerCase();

const textOf = (bytes: string): string => Buffer.from(bytes, 'latin1').toString('utf8');

const unknownUnit = (): BuiltinError => new BuiltinError('unit not recognized');

const byteUnit = (unit: string): bigint => {
  if (unit === '') return 1n;
  const match = /^([kmgtpe])(i?)b?$/.exec(unit);
  if (match === null) throw unknownUnit();
  return (match[2] === 'i' ? 1024n : 1000n) ** power(match[1] as string);
};

/** `units.parse_bytes`: by a float of 64 bits, and without what is behind the point. */
export const unitsParseBytes: Builtin = (scope, operand) => {
  const [number, unit] = parts(lower(textOf(byteStringOperand(operand, 1))).replace(/"/g, ''));
  const factor = byteUnit(unit);
  const { negative, digits, power: tens } = amountOf(number, scope);
  return regoInteger(truncated(multiplied(scaled(negative, digits, tens), ofInteger(factor))));
};

interface Ratio {
  readonly top: bigint;
  readonly bottom: bigint;
}

// 0.001 as the float that OPA multiplies with.
const milli: Ratio = { top: 1_152_921_504_606_847n, bottom: 1n << 60n };

const unitRatio = (unit: string): Ratio => {
  if (unit === '') return { top: 1n, bottom: 1n };
  if (unit === 'm') return milli;
  const match = /^([kKMgGtTpPeE]|[kKmMgGtTpPeE](i))$/.exec(unit);
  if (match === null) throw unknownUnit();
  return { top: (match[2] === 'i' ? 1024n : 1000n) ** power((unit[0] as string).toLowerCase()), bottom: 1n };
};

const places = 10;

/** With ten places, halves away from zero. */
const decimal = (top: bigint, bottom: bigint): string => {
  const scale = 10n ** BigInt(places);
  const scaled = (2n * top * scale + bottom) / (2n * bottom);
  return `${scaled / scale}.${String(scaled % scale).padStart(places, '0')}`;
};

/** `units.parse`: exact; an integer, or a number with ten places. */
export const unitsParse: Builtin = (scope, operand) => {
  const [number, written] = parts(textOf(byteStringOperand(operand, 1)).replace(/"/g, ''));
  const unit = written.slice(0, 1) + lower(written.slice(1));
  const { top, bottom } = unitRatio(unit);
  const { negative, digits, power: tens } = amountOf(number, scope);
  if (digits !== 0n && Math.abs(tens) > 1e6) throw new BuiltinError('could not parse amount to a number');
  const above = digits * top * (tens > 0 ? 10n ** BigInt(tens) : 1n);
  const below = bottom * (tens < 0 ? 10n ** BigInt(-tens) : 1n);
  const sign = negative && digits !== 0n ? '-' : '';
  return new RegoNumber(sign + (above % below === 0n ? String(above / below) : decimal(above, below)));
};
