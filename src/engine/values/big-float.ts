/** Go's big.Float as OPA's arithmetic uses it: rounded to the nearest, ties to even, after every operation. */
export interface BigFloat {
  readonly negative: boolean;
  /** The value is mantissa x 2^exponent; a mantissa of zero is a zero with a sign. */
  readonly mantissa: bigint;
  readonly exponent: number;
}

/** Bits of the floats that OPA reads numbers into. */
export const usualBits = 64;

export const bitLength = (value: bigint): number => {
  if (value === 0n) return 0;
  const near = Number(value);
  if (near < Number.POSITIVE_INFINITY) {
    const bits = Math.floor(Math.log2(near)) + 1;
    // What is just below a power of two can have been rounded up to it.
    return value >> BigInt(bits - 1) === 0n ? bits - 1 : bits;
  }
  const digits = value.toString(16);
  return digits.length * 4 - Math.clz32(Number.parseInt(digits[0] as string, 16)) + 28;
};

/** A float of so many bits; `rest` says that something smaller than the last bit was cut off. */
const rounded = (negative: boolean, mantissa: bigint, exponent: number, bits: number, rest = false): BigFloat => {
  const spare = bitLength(mantissa) - bits;
  if (spare <= 0) return { negative, mantissa, exponent };
  const cut = BigInt(spare);
  const kept = mantissa >> cut;
  const half = 1n << (cut - 1n);
  const tail = mantissa - (kept << cut);
  const up = tail > half || (tail === half && (rest || (kept & 1n) === 1n));
  const near = up ? kept + 1n : kept;
  // Rounded up to a power of two, it has a bit more, which would show in its text.
  const excess = near >> BigInt(bits);
  return { negative, mantissa: near >> excess, exponent: exponent + spare + Number(excess) };
};

export const multiplied = (a: BigFloat, b: BigFloat, bits = usualBits): BigFloat =>
  rounded(a.negative !== b.negative, a.mantissa * b.mantissa, a.exponent + b.exponent, bits);

/** The divisor must not be zero. */
export const divided = (a: BigFloat, b: BigFloat, bits = usualBits): BigFloat => {
  const negative = a.negative !== b.negative;
  const shift = Math.max(0, bits + 2 + bitLength(b.mantissa) - bitLength(a.mantissa));
  const top = a.mantissa << BigInt(shift);
  const quotient = top / b.mantissa;
  return rounded(negative, quotient, a.exponent - b.exponent - shift, bits, quotient * b.mantissa !== top);
};

const signed = ({ negative, mantissa }: BigFloat): bigint => (negative ? -mantissa : mantissa);

export const added = (a: BigFloat, b: BigFloat, bits = usualBits): BigFloat => {
  if (a.mantissa === 0n && b.mantissa === 0n) return { ...a, negative: a.negative && b.negative };
  if (a.mantissa === 0n || b.mantissa === 0n) {
    const { negative, mantissa, exponent } = a.mantissa === 0n ? b : a;
    return rounded(negative, mantissa, exponent, bits);
  }
  const exponent = Math.min(a.exponent, b.exponent);
  const sum = (signed(a) << BigInt(a.exponent - exponent)) + (signed(b) << BigInt(b.exponent - exponent));
  return rounded(sum < 0n, sum < 0n ? -sum : sum, exponent, bits);
};

export const negated = (a: BigFloat): BigFloat => ({ ...a, negative: !a.negative });

/** Whole numbers keep all their bits, as in Go. */
export const ofInteger = (value: bigint): BigFloat => ({
  negative: value < 0n,
  mantissa: value < 0n ? -value : value,
  exponent: 0,
});

/** The whole part, cut towards zero. */
export const truncated = (value: BigFloat): bigint => {
  const whole =
    value.exponent >= 0 ? value.mantissa << BigInt(value.exponent) : value.mantissa >> BigInt(-value.exponent);
  return value.negative ? -whole : whole;
};

const powerBits = 128;

const shortPowers = Array.from({ length: 28 }, (_, power) => ofInteger(5n ** BigInt(power)));

/** Powers of five beyond 128 bits are rounded on the way, which Go's reading of long exponents shows. */
const powerOf5 = (power: number): BigFloat => {
  const short = shortPowers[power];
  if (short !== undefined) return short;
  let product = ofInteger(5n ** 27n);
  let square = ofInteger(5n);
  for (let left = power - 27; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) product = multiplied(product, square, powerBits);
    square = multiplied(square, square, powerBits + 64);
  }
  return product;
};

/** digits x 10^tens, as Go reads it. */
export const scaled = (negative: boolean, digits: bigint, tens: number): BigFloat => {
  if (digits === 0n || tens === 0) return rounded(negative, digits, 0, usualBits);
  const exact = { negative, mantissa: digits, exponent: tens };
  return tens < 0 ? divided(exact, powerOf5(-tens)) : multiplied(exact, powerOf5(tens));
};

/** The float that Go reads from a number's text; undefined beyond any exponent that OPA takes. */
export const floatOf = (text: string): BigFloat | undefined => {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', power = '0'] = match;
  const digits = BigInt(`0${whole}${fraction}`);
  const tens = Number(power) - fraction.length;
  return digits !== 0n && Math.abs(tens) > 100_000 ? undefined : scaled(sign === '-', digits, tens);
};
