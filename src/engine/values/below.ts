import type { RegoValue } from '../../rego/index.ts';
import { equalValues, RegoNumber, RegoObject, RegoSet } from '../../rego/index.ts';

// As OPA reads path segments: plain integers also mean the number.
const integer = /^-?(?:0|[1-9]\d{0,17})$/;

const inArray = (items: readonly RegoValue[], segment: string): RegoValue | undefined =>
  integer.test(segment) && !segment.startsWith('-') ? items[Number(segment)] : undefined;

const inObject = (object: RegoObject, segment: string): RegoValue | undefined => {
  const named = object.get(segment);
  if (named !== undefined || !integer.test(segment)) return named;
  const number = new RegoNumber(segment);
  return object.entries.find(([key]) => key instanceof RegoNumber && equalValues(key, number))?.[1];
};

const inSet = (set: RegoSet, segment: string): RegoValue | undefined => {
  if (set.items.includes(segment)) return segment;
  if (!integer.test(segment)) return undefined;
  const number = new RegoNumber(segment);
  return set.items.find((item) => item instanceof RegoNumber && equalValues(item, number));
};

const step = (value: RegoValue, segment: string): RegoValue | undefined => {
  if (value instanceof RegoObject) return inObject(value, segment);
  if (value instanceof RegoSet) return inSet(value, segment);
  return Array.isArray(value) ? inArray(value, segment) : undefined;
};

/** The value below a path: members of objects, items of arrays, members of sets; undefined where there is none. */
export const below = (value: RegoValue, segments: readonly string[]): RegoValue | undefined => {
  let at: RegoValue | undefined = value;
  for (const segment of segments) {
    if (at === undefined) return undefined;
    at = step(at, segment);
  }
  return at;
};
