import type { RegoValue } from '../../../rego/index.ts';
import { regoInteger } from '../../../rego/index.ts';
import type { Builtin } from '../model.ts';
import { wallOperand } from './instant.ts';

const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const;

/** `time.date`: year, month, day. */
export const timeDate: Builtin = (_scope, when): RegoValue => {
  const { year, month, day } = wallOperand(when);
  return [regoInteger(year), regoInteger(month), regoInteger(day)];
};

/** `time.clock`: hour, minute, second. */
export const timeClock: Builtin = (_scope, when): RegoValue => {
  const { hour, minute, second } = wallOperand(when);
  return [regoInteger(hour), regoInteger(minute), regoInteger(second)];
};

/** `time.weekday`: the day's English name. */
export const timeWeekday: Builtin = (_scope, when): RegoValue => weekdays[wallOperand(when).weekday] as string;
