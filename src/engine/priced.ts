import type { RegoValue } from '../rego/index.ts';
import { EvaluationFailure } from './failure.ts';
import { parseValue } from './values/value-text.ts';
import type { RawInstance } from './wasm/raw-instance.ts';

// What reading takes here, in points of a nanosecond: up to 0.7 us for a value in a set or an object, which are sorted.
const valuePoints = 400;
const bytePoints = 5;

/** What reading a value without others in it takes, by the length of its text. */
export const readingPoints = (length: number): number => valuePoints + bytePoints * length;

/** Reads a value of the module's, for as long as its budget lasts: two bytes can be a value that takes what 100 do. */
export const readPriced = (raw: RawInstance, text: Buffer, numberText: (text: string) => string): RegoValue => {
  if (!raw.spend(bytePoints * text.length)) {
    throw new EvaluationFailure('budget_exceeded', 'a value is longer than the budget allows');
  }
  const most = Math.floor(raw.points / valuePoints);
  const room = { values: most };
  try {
    return parseValue(text, numberText, room);
  } finally {
    // One more than there were points for, when there were too many: the budget is used up then.
    raw.spend((most - room.values) * valuePoints);
  }
};
