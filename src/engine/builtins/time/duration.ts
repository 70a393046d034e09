import { regoInteger } from '../../../rego/index.ts';
import { goFloat } from '../format/go-float.ts';
import type { Builtin } from '../model.ts';
import { BuiltinError } from '../model.ts';
import { byteStringOperand } from '../operands.ts';

const MOST = 2n ** 63n;

const nanoseconds: ReadonlyMap<string, bigint> = new Map([
  ['ns', 1n],
  ['us', 1_000n],
  ['\u00b5s', 1_000n],
  ['\u03bcs', 1_000n],
  ['ms', 1_000_000n],
  ['s', 1_000_000_000n],
  ['m', 60_000_000_000n],
  ['h', 3_600_000_000_000n],
]);

const invalid = (): BuiltinError => new BuiltinError('time: invalid duration');

/** Digits behind the point as Go reads them: as many as 64 bits hold. */
const fractionOf = (digits: string): { readonly value: bigint; readonly scale: number } => {
  let value = 0n;
  let scale = 1;
  for (const digit of digits) {
    const next = value * 10n + BigInt(digit);
    if (value > (MOST - 1n) / 10n || next > MOST) break;
    value = next;
    scale *= 10;
  }
  return { value, scale };
};

const segment = /(\d*)(?:(\.)(\d*))?([^\d.]+)/y;

/** One number with its unit. */
const segmentNs = ([, whole = '', , fraction = '', unit = '']: readonly (string | undefined)[]): bigint => {
  if (whole === '' && fraction === '') throw invalid();
  const factor = nanoseconds.get(unit);
  const amount = BigInt(whole === '' ? 0 : whole);
  if (factor === undefined || amount > MOST / factor) throw invalid();
  const { value, scale } = fractionOf(fraction);
  return amount * factor + (value > 0n ? BigInt(Math.trunc(Number(value) * (Number(factor) / scale))) : 0n);
};

/** Go's time.ParseDuration. */
export const parseDuration = (text: string): bigint => {
  const body = text.replace(/^[+-]/, '');
  if (body === '0') return 0n;
  if (body === '') throw invalid();
  let total = 0n;
  for (let at = 0; at < body.length; at = segment.lastIndex) {
    segment.lastIndex = at;
    const match = segment.exec(body);
    if (match === null) throw invalid();
    total += segmentNs(match);
    if (total > MOST) throw invalid();
  }
  if (text.startsWith('-')) return -total;
  if (total === MOST) throw invalid();
  return total;
};

const hours: { readonly [unit: string]: number } = { d: 24, w: 7 * 24, y: 365 * 24 };

const extended = /^[+-]?(?:[\d.]+(?:ms|us|\u00b5s|ns|[a-z]))+$/;
const extendedSegment = /([\d.]+)([dwy])(?!s)/g;

/** Days, weeks and years as hours, each rounded as a float. */
const inHours = (text: string): string => {
  if (!extended.test(text)) throw invalid();
  return text.replace(extendedSegment, (_found, digits: string, unit: string) => {
    const value = /^(?:\d+\.?\d*|\.\d+)$/.test(digits) ? Number(digits) : Number.NaN;
    if (!Number.isFinite(value)) throw invalid();
    return `${goFloat(value * (hours[unit] as number), 'f', -1)}h`;
  });
};

/** `time.parse_duration_ns`: Go's durations, and days, weeks and years of 365 days. */
export const parseDurationNs: Builtin = (_scope, operand) => {
  const text = Buffer.from(byteStringOperand(operand, 1), 'latin1').toString('utf8');
  return regoInteger(parseDuration(/[dwy]/.test(text) ? inHours(text) : text));
};
