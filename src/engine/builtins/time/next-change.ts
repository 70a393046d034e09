import { offsetAt } from './arithmetic.ts';
import { nanosecondsPast, wallAt, type Zoned } from './instant.ts';

/** What of a clock or a calendar is looked at, to the finest. */
export type Unit = 'hour' | 'minute' | 'second' | 'day';

const second = 1_000_000_000n;

/** Seconds that are left of a unit, counted from the second that runs. */
const secondsLeft = (when: Zoned, unit: Unit): number => {
  const wall = wallAt(when);
  const ofHour = wall.minute * 60 + wall.second;
  return { day: 86_400 - wall.hour * 3_600 - ofHour, hour: 3_600 - ofHour, minute: 60 - wall.second, second: 1 }[unit];
};

/**
 * The first moment (nanoseconds) at which the clocks of a zone can show another such unit: its end, or an earlier change
 * of the zone's offset, after which they may show anything.
 */
export const nextChange = (when: Zoned, unit: Unit): bigint => {
  const begun = Number((when.ns - nanosecondsPast(when.ns)) / second);
  const end = begun + secondsLeft(when, unit);
  const offset = offsetAt(begun, when.zone);
  if (offsetAt(end, when.zone) === offset) return BigInt(end) * second;
  let [before, after] = [begun, end];
  while (after - before > 1) {
    const between = Math.floor((before + after) / 2);
    if (offsetAt(between, when.zone) === offset) before = between;
    else after = between;
  }
  return BigInt(after) * second;
};
