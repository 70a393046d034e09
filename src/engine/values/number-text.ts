import type { BigFloat } from './big-float.ts';
import { bitLength, floatOf, usualBits } from './big-float.ts';

/**
 * How Go writes the result of an arithmetic operation: OPA computes with binary floats of 64 bits and prints the
 * shortest decimal that means the same float; the policy's module computes in decimals and prints `1E+30` or `15.00`.
 */

interface Decimal {
  readonly negative: boolean;
  /** The value is digits x 10^exponent. */
  readonly digits: bigint;
  readonly exponent: number;
}

const PRECISION = BigInt(usualBits);

// Up to 18 digits every decimal is the shortest one for its float, so that no float has to be made.
const EXACT_DIGITS = 18;

// Exponents with which a mantissa of 64 bits is a double, neither zero nor infinite.
const mostShift = 900;

const decimalOf = (text: string): Decimal => {
  const match = /^(-?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text);
  const fraction = match?.[3] ?? '';
  const digits = BigInt(`0${match?.[2] ?? ''}${fraction}`);
  return { negative: match?.[1] === '-', digits, exponent: Number(match?.[4] ?? 0) - fraction.length };
};

/** The quotient as an integer, ties to the even one. */
const roundEven = (top: bigint, bottom: bigint): bigint => {
  const floor = top / bottom;
  const twice = 2n * (top - floor * bottom);
  return twice > bottom || (twice === bottom && (floor & 1n) === 1n) ? floor + 1n : floor;
};

/** The float nearest to numerator/denominator (ties to even) as mantissa x 2^shift. */
const nearestFloat = (numerator: bigint, denominator: bigint): { mantissa: bigint; shift: bigint } => {
  let shift = BigInt(bitLength(numerator) - bitLength(denominator)) - PRECISION;
  for (;;) {
    const top = shift < 0n ? numerator << -shift : numerator;
    const bottom = shift > 0n ? denominator << shift : denominator;
    const floor = top / bottom;
    if (bitLength(floor) > usualBits) {
      shift++;
      continue;
    }
    const mantissa = roundEven(top, bottom);
    const excess = mantissa >> PRECISION;
    return { mantissa: mantissa >> excess, shift: shift + excess };
  }
};

const fives: bigint[] = [];

/** Floats of a policy have few different exponents. */
const powerOf5 = (power: number): bigint => {
  if (power > mostShift) return 5n ** BigInt(power);
  fives[power] ??= 5n ** BigInt(power);
  return fives[power];
};

const withoutZeros = (digits: string): string => {
  let end = digits.length;
  while (digits.charCodeAt(end - 1) === 0x30) end--;
  return digits.slice(0, end);
};

/** All digits of n x 2^shift, without trailing zeros, and the power of ten of the first one plus one. */
const exactDigits = (n: bigint, shift: bigint): { digits: string; point: number } => {
  const scaled = shift >= 0n ? n << shift : n * powerOf5(Number(-shift));
  const all = String(scaled);
  return { digits: withoutZeros(all), point: all.length - (shift < 0n ? Number(-shift) : 0) };
};

/** The decimal cut after `count` digits, rounded to nearest, ties to even. */
const rounded = (digits: string, count: number): bigint =>
  roundEven(BigInt(digits), 10n ** BigInt(Math.max(0, digits.length - count)));

/**
 * The shortest decimal that means the same float, as Go finds it: digit by digit, up to the first at which rounding
 * down or up stays between the middles to the float's neighbours. Digits beyond a bound's own count as zeros even
 * where an earlier digit differed; Go does so, and that decides some last digits.
 */
const shortestOf = ({ mantissa, shift }: { mantissa: bigint; shift: bigint }): { digits: string; exponent: number } => {
  const float = exactDigits(2n * mantissa, shift - 1n);
  const low = exactDigits(2n * mantissa - 1n, shift - 1n).digits;
  const high = exactDigits(2n * mantissa + 1n, shift - 1n).digits;
  const even = (mantissa & 1n) === 0n;
  for (let at = 0; at < float.digits.length; at++) {
    const own = Number(float.digits[at]);
    const below = Number(low[at] ?? 0);
    const above = Number(high[at] ?? 0);
    const down = below !== own || (even && at + 1 === low.length);
    const up = own !== above && (even || own + 1 < above || at + 1 < high.length);
    if (!down && !up) continue;
    const cut = BigInt(float.digits.slice(0, at + 1));
    const chosen = down && up ? rounded(float.digits, at + 1) : down ? cut : cut + 1n;
    return { digits: String(chosen), exponent: float.point - at - 1 };
  }
  return { digits: float.digits, exponent: float.point - float.digits.length };
};

const shortest = ({ digits, exponent }: Decimal): { digits: string; exponent: number } => {
  const numerator = exponent > 0 ? digits * 10n ** BigInt(exponent) : digits;
  const denominator = exponent < 0 ? 10n ** BigInt(-exponent) : 1n;
  return shortestOf(nearestFloat(numerator, denominator));
};

/** The integer that a number is when it is read as a float of 64 bits, as OPA reads it; undefined when it is none. */
export const exactInteger = (text: string): bigint | undefined => {
  if (/^-?\d{1,18}$/.test(text)) return BigInt(text);
  const { negative, digits, exponent } = decimalOf(text);
  if (digits === 0n) return 0n;
  if (Math.abs(exponent) > 5_000) return undefined;
  const numerator = exponent > 0 ? digits * 10n ** BigInt(exponent) : digits;
  const { mantissa, shift } = nearestFloat(numerator, exponent < 0 ? 10n ** BigInt(-exponent) : 1n);
  if (shift < 0n && mantissa % (1n << -shift) !== 0n) return undefined;
  const whole = shift < 0n ? mantissa >> -shift : mantissa << shift;
  return negative ? -whole : whole;
};

/** Go's text for a number that the module computed. */
export const goNumberText = (text: string): string => {
  const decimal = decimalOf(text);
  // An exponent of this size is no number that a policy computed on purpose: leave its text, and spare the work.
  if (decimal.digits === 0n || Math.abs(decimal.exponent) > 5_000) return decimal.digits === 0n ? '0' : text;
  let digits = withoutZeros(String(decimal.digits));
  let exponent = decimal.exponent + String(decimal.digits).length - digits.length;
  const sign = decimal.negative ? '-' : '';
  if (digits.length > EXACT_DIGITS) ({ digits, exponent } = shortest(decimal));
  return written(sign, digits, exponent);
};

/** Whether two floats without their signs are equal. */
const isSame = (a: BigFloat, b: BigFloat): boolean => {
  const exponent = Math.min(a.exponent, b.exponent);
  return a.mantissa << BigInt(a.exponent - exponent) === b.mantissa << BigInt(b.exponent - exponent);
};

/**
 * Go's text for a float of so many bits. Up to 18 digits no two decimals mean the same float of 64 bits: where the
 * shortest text of the nearest double means this float, it is the shortest one, and the digits need not be searched.
 */
export const floatText = (value: BigFloat, bits = usualBits): string => {
  const sign = value.negative ? '-' : '';
  if (value.mantissa === 0n) return `${sign}0`;
  if (bits === usualBits && Math.abs(value.exponent) < mostShift) {
    const text = String(Number(value.mantissa) * 2 ** value.exponent);
    const read = floatOf(text);
    const { digits, exponent } = decimalOf(text);
    if (read !== undefined && isSame(read, value)) return written(sign, String(digits), exponent);
  }
  const spare = bits - bitLength(value.mantissa);
  const { digits, exponent } = shortestOf({
    mantissa: value.mantissa << BigInt(Math.max(0, spare)),
    shift: BigInt(value.exponent - Math.max(0, spare)),
  });
  return written(sign, digits, exponent);
};

const written = (sign: string, allDigits: string, allExponent: number): string => {
  const digits = withoutZeros(allDigits);
  const exponent = allExponent + allDigits.length - digits.length;
  if (exponent >= 0) return sign + digits + '0'.repeat(exponent);
  const point = digits.length + exponent;
  if (point - 1 < -4 || point - 1 >= 6) {
    return sign + scientific(digits, point - 1);
  }
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
};

const scientific = (digits: string, exponent: number): string => {
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
  const size = String(Math.abs(exponent)).padStart(2, '0');
  return `${digits[0]}${fraction}e${exponent < 0 ? '-' : '+'}${size}`;
};

// Rego has `.5` too.
const numberForm = /-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/g;
const fractional = /[.eE]/;
const mayBeFractional = /\d[.eE]|\.\d/;
// V8 compiles an expression the second time: the first may be a text of megabytes.
mayBeFractional.test('');

/** The numbers with a fraction or an exponent that stand in a text, each as it is written. */
export const fractionalNumbers = (bytes: Uint8Array): ReadonlySet<string> => {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  const found = new Set<string>();
  // Of large data most has none, and looking at every number of it takes ten times as long.
  if (!mayBeFractional.test(text)) return found;
  for (const [number] of text.matchAll(numberForm)) if (fractional.test(number)) found.add(number);
  return found;
};

/** True for texts that Go and the module might write differently: all but plain integers. */
export const isFractional = (text: string): boolean => fractional.test(text);
