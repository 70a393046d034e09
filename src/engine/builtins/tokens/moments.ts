import { compareValues, RegoNumber } from '../../../rego/index.ts';
import { remembered } from '../remembered.ts';

/** Nanoseconds as the seconds that OPA compares with a token's times: both steps round to a double. */
const secondsOf = (ns: number): number => ns / 1e9;

/**
 * Whether a clock in nanoseconds has reached a time in seconds, as OPA sees it: the clock becomes a double, is divided,
 * is written with the fewest digits that identify it, and those are compared as a decimal.
 */
export const hasReached = (ns: number, seconds: RegoNumber): boolean => {
  const plain = Number(seconds.text);
  // Between whole numbers that doubles hold exactly, comparing doubles gives the same answer.
  if (Number.isSafeInteger(plain) && /^-?\d{1,15}$/.test(seconds.text)) return secondsOf(ns) >= plain;
  return compareValues(new RegoNumber(String(secondsOf(ns))), seconds) >= 0;
};

// A clock's double is at most 512 ns beside it and the quotient's at most 1 microsecond, up to the year 2262.
const slackNs = 4096n;
const endOfClock = 2n ** 63n;

const partsOf = (text: string) => {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  return { whole, fraction, exponent: Number(exponent) };
};

/** A number that compares with every double as this one does, in few digits: one more stands for all that are cut. */
const brief = (seconds: RegoNumber): RegoNumber => {
  const { text } = seconds;
  if (text.length <= 64 || text.startsWith('-')) return seconds;
  const { whole, fraction, exponent } = partsOf(text);
  const digits = (whole + fraction).replace(/^0+/, '');
  const point = whole.length - (whole.length + fraction.length - digits.length) + exponent;
  return new RegoNumber(`0.${digits.slice(0, 40)}${/[1-9]/.test(digits.slice(40)) ? '1' : ''}e${point}`);
};

/** The first nanosecond at which the clock has reached a time in seconds; undefined when no clock ever does. */
export const firstMomentAtOrAfter = (seconds: RegoNumber): bigint | undefined => {
  const estimate = Number(seconds.text) * 1e9;
  if (!(estimate < Number(endOfClock))) return undefined;
  if (!(estimate > 0)) return 0n;
  const middle = BigInt(Math.floor(estimate));
  let early = middle > slackNs ? middle - slackNs : -1n;
  let late = middle + slackNs;
  // hasReached(early) is false, hasReached(late) is true: the double of the estimate itself is within the slack.
  while (late - early > 1n) {
    const between = (early + late) / 2n;
    if (hasReached(Number(between), seconds)) late = between;
    else early = between;
  }
  return late;
};

/** The last nanosecond at or before a time in seconds that is not negative, exactly. */
const wholeNanoseconds = (text: string): bigint => {
  const { whole, fraction, exponent } = partsOf(text);
  const count = whole.length + exponent + 9;
  return count <= 0 ? 0n : BigInt((whole + fraction).slice(0, count).padEnd(count, '0'));
};

/**
 * The moments at which what is made of a time in a token may change: where OPA's own comparison does, and where an
 * exact one does, which is what a policy that decodes a token may make of its claims. None when no clock reaches it.
 */
export const momentsOf = (seconds: RegoNumber): readonly bigint[] => momentsOfText(seconds.text);

const momentsOfText = remembered((text): readonly bigint[] => {
  const compared = firstMomentAtOrAfter(brief(new RegoNumber(text)));
  if (compared === undefined || compared === 0n) return [];
  const exact = wholeNanoseconds(text);
  return [compared, exact, exact + 1n];
});
