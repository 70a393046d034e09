import type { BuiltinEntry, CallCost } from '../model.ts';
import { addDate, timeDiff } from './arithmetic.ts';
import { timeClock, timeDate, timeWeekday } from './calendar.ts';
import { parseDurationNs } from './duration.ts';
import { timeNowNs } from './now.ts';
import { parseNs } from './parse.ts';
import { parseRfc3339 } from './rfc3339.ts';

export { windowTwins } from './windows.ts';

/** Clocks of zones are read several times. */
const zoned: CallCost = { call: 20_000, byte: 10 };

/** The builtins of `time`. */
export const timeBuiltins: readonly (readonly [string, BuiltinEntry])[] = [
  ['time.now_ns', { run: timeNowNs, nonDeterministic: true }],
  ['time.clock', { run: timeClock }],
  ['time.date', { run: timeDate }],
  ['time.weekday', { run: timeWeekday }],
  ['time.add_date', { run: addDate, cost: zoned }],
  ['time.diff', { run: timeDiff, cost: zoned }],
  ['time.parse_duration_ns', { run: parseDurationNs }],
  ['time.parse_ns', { run: parseNs, cost: { call: 3_000, byte: 100 } }],
  ['time.parse_rfc3339_ns', { run: parseRfc3339 }],
];
