import type { RegoValue } from '../../../rego/index.ts';
import { regoInteger } from '../../../rego/index.ts';
import type { Builtin } from '../model.ts';
import { BuiltinError } from '../model.ts';
import { int64Operand } from '../operands.ts';
import { isInstant, nanosecondsPast, type Wall, wallAt, type Zoned, zonedOperand } from './instant.ts';

const second = 1_000_000_000n;

/** A wall's fields as seconds since 1970, as if it hung in UTC; fields beyond their range carry over. */
const asUtcSeconds = ({ year, month, day, hour, minute, second: seconds }: Omit<Wall, 'weekday'>): number => {
  const date = new Date(0);
  // Date.UTC takes years below 100 for those of the 20th century.
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, seconds);
  return date.getTime() / 1000;
};

/** Seconds that the zone is ahead of UTC at a moment. */
export const offsetAt = (seconds: number, zone: string): number =>
  zone === 'UTC' ? 0 : asUtcSeconds(wallAt({ ns: BigInt(seconds) * second, zone })) - seconds;

const outside = (): BuiltinError => new BuiltinError('time outside of valid range');

/** When the zone's clocks show so many seconds, found as Go finds it where they show them twice or never. */
const instantShown = (shown: number, zone: string): number => {
  const first = offsetAt(shown, zone);
  return first === 0 ? shown : shown - offsetAt(shown - first, zone);
};

// Beyond, no sum of fields is a time of OPA's.
const mostUnits = 10n ** 7n;

const unitsOperand = (value: RegoValue | undefined, position: number): number => {
  const units = int64Operand(value, position);
  return units > mostUnits || units < -mostUnits ? Number.NaN : Number(units);
};

/** `time.add_date`: years, months and days on the wall of the time's zone. */
export const addDate: Builtin = (_scope, when, years, months, days) => {
  const from = zonedOperand(when);
  const [year, month, day] = [unitsOperand(years, 2), unitsOperand(months, 3), unitsOperand(days, 4)];
  const wall = wallAt(from);
  const shown = asUtcSeconds({ ...wall, year: wall.year + year, month: wall.month + month, day: wall.day + day });
  // Two days more than any time of OPA's, for the zone is still to come.
  if (!(Math.abs(shown) < 9_223_372_036 + 2 * 86_400)) throw outside();
  const ns = BigInt(instantShown(shown, from.zone)) * second + nanosecondsPast(from.ns);
  if (!isInstant(ns)) throw outside();
  return regoInteger(ns);
};

const limits = [
  ['second', 60],
  ['minute', 60],
  ['hour', 24],
] as const;

/** Years, months, days, hours, minutes and seconds from one wall to a later one. */
const difference = (from: Wall, to: Wall): readonly number[] => {
  let borrowed = 0;
  const clock = limits.map(([field, limit]) => {
    const value = to[field] - from[field] - borrowed;
    borrowed = value < 0 ? 1 : 0;
    return value < 0 ? value + limit : value;
  });
  let day = to.day - from.day - borrowed;
  let month = to.month - from.month;
  let year = to.year - from.year;
  if (day < 0) {
    day += new Date(Date.UTC(from.year, from.month, 0)).getUTCDate();
    month--;
  }
  if (month < 0) {
    month += 12;
    year--;
  }
  return [year, month, day, ...clock.reverse()];
};

/** `time.diff`: on the walls of the first time's zone, whichever is earlier. */
export const timeDiff: Builtin = (_scope, a, b) => {
  const [one, other] = [zonedOperand(a), zonedOperand(b)];
  const there: Zoned = { ns: other.ns, zone: one.zone };
  const [from, to] = one.ns > other.ns ? [there, one] : [one, there];
  return difference(wallAt(from), wallAt(to)).map(regoInteger);
};
