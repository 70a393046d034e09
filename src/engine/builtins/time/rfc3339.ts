import { regoInteger } from '../../../rego/index.ts';
import type { Builtin } from '../model.ts';
import { BuiltinError } from '../model.ts';
import { byteStringOperand } from '../operands.ts';
import { isInstant } from './instant.ts';

// As Go's parser takes it, which is laxer than RFC 3339: hours of one digit, a comma before the fraction, offsets of 24
// hours and 60 minutes.
const form = /^(\d{4})-(\d\d)-(\d\d)T(\d\d?):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d))$/;

export const daysIn = (year: number, month: number): number => {
  const date = new Date(0);
  date.setUTCFullYear(year, month, 0);
  return date.getUTCDate();
};

export const secondsSince1970 = (year: number, month: number, day: number): bigint => {
  const date = new Date(0);
  // Date.UTC takes years below 100 for those of the 20th century.
  date.setUTCFullYear(year, month - 1, day);
  return BigInt(date.getTime() / 1000);
};

/** `time.parse_rfc3339_ns`. */
export const parseRfc3339: Builtin = (_scope, text) => {
  const match = form.exec(byteStringOperand(text, 1));
  if (match === null) throw new BuiltinError('cannot parse the time as RFC 3339');
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  const [fraction = '', sign, offsetHours = '0', offsetMinutes = '0'] = match.slice(7);
  const inRange =
    month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month) && hour < 24 && minute < 60 && second < 60;
  if (!inRange || Number(offsetHours) > 24 || Number(offsetMinutes) > 60) throw new BuiltinError('time out of range');
  const offset = (Number(offsetHours) * 60 + Number(offsetMinutes)) * 60 * (sign === '-' ? -1 : 1);
  const seconds = secondsSince1970(year, month, day) + BigInt(hour * 3600 + minute * 60 + second - offset);
  const ns = seconds * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
  if (!isInstant(ns)) throw new BuiltinError('time outside of valid range');
  return regoInteger(ns);
};
