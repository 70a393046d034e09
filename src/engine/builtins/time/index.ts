import type { BuiltinEntry } from '../model.ts';
import { timeClock, timeDate, timeWeekday } from './calendar.ts';
import { timeNowNs } from './now.ts';
import { parseRfc3339 } from './rfc3339.ts';

/** The builtins of `time`. */
export const timeBuiltins: readonly (readonly [string, BuiltinEntry])[] = [
  ['time.now_ns', { run: timeNowNs, nonDeterministic: true }],
  ['time.clock', { run: timeClock }],
  ['time.date', { run: timeDate }],
  ['time.weekday', { run: timeWeekday }],
  ['time.parse_rfc3339_ns', { run: parseRfc3339 }],
];
