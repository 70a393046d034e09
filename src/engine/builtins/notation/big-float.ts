// Floats of a chosen precision, as Go's math/big computes them: rounded to the nearest, ties to even.

/** mantissa x 2^exponent, not negative. */
export interface BigFloat {
  readonly mantissa: bigint;
  readonly exponent: number;
}

const bitLength = (value: bigint): number => {
  const digits = value.toString(16);
  return digits.length * 4 - Math.clz32(Number.parseInt(digits[0] ?? '0', 16)) + 28;
};

/** `sticky`: something smaller than the mantissa's last bit was cut off before. */
const round = ({ mantissa, exponent }: BigFloat, precision: number, sticky = false): BigFloat => {
  const extra = bitLength(mantissa) - precision;
  if (extra <= 0) return { mantissa, exponent };
  const kept = mantissa >> BigInt(extra);
  const rest = mantissa - (kept << BigInt(extra));
  const half = 1n << BigInt(extra - 1);
  const up = rest > half || (rest === half && (sticky || (kept & 1n) === 1n));
  return { mantissa: up ? kept + 1n : kept, exponent: exponent + extra };
};

export const multiply = (a: BigFloat, b: BigFloat, precision: number): BigFloat =>
  round({ mantissa: a.mantissa * b.mantissa, exponent: a.exponent + b.exponent }, precision);

const divide = (a: BigFloat, b: BigFloat, precision: number): BigFloat => {
  const shift = Math.max(precision + 2 + bitLength(b.mantissa) - bitLength(a.mantissa), 0);
  const top = a.mantissa << BigInt(shift);
  const mantissa = top / b.mantissa;
  return round({ mantissa, exponent: a.exponent - b.exponent - shift }, precision, mantissa * b.mantissa !== top);
};

const five: BigFloat = { mantissa: 5n, exponent: 0 };

/** Go's way to 5^power, roundings included: they decide the last bit of some large powers. */
const powerOfFive = (power: number, precision: number): BigFloat => {
  let product: BigFloat = { mantissa: 5n ** BigInt(Math.min(power, 27)), exponent: 0 };
  let factor = five;
  for (let rest = power - 27; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) product = multiply(product, factor, precision);
    factor = multiply(factor, factor, precision + 64);
  }
  return product;
};

/** digits x 10^power. */
export const bigFloat = (digits: bigint, power: number, precision: number): BigFloat => {
  if (digits === 0n) return { mantissa: 0n, exponent: 0 };
  const whole: BigFloat = { mantissa: digits, exponent: power };
  if (power === 0) return round(whole, precision);
  const factor = powerOfFive(Math.abs(power), precision + 64);
  return power < 0 ? divide(whole, factor, precision) : multiply(whole, factor, precision);
};

/** Without the part behind the point. */
export const truncated = ({ mantissa, exponent }: BigFloat): bigint =>
  exponent >= 0 ? mantissa << BigInt(exponent) : mantissa >> BigInt(-exponent);
