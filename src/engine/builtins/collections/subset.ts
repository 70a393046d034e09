import type { RegoValue } from '../../../rego/index.ts';
import { equalValues, firstNotBelow, RegoObject, RegoSet, regoSet } from '../../../rego/index.ts';
import type { Builtin, CallScope } from '../model.ts';
import { BuiltinError } from '../model.ts';
import { occurrences } from '../occurrences.ts';

const isArray = (value: RegoValue | undefined): value is readonly RegoValue[] => Array.isArray(value);

/** What comparing two items while they are sorted takes. */
const comparisonPoints = 100;

/** Whether `sub` stands in `all` as one piece. Items become numbers first: looking for those takes no longer than both. */
const isStretch = (scope: CallScope, all: readonly RegoValue[], sub: readonly RegoValue[]): boolean => {
  if (sub.length === 0) return true;
  const count = all.length + sub.length;
  scope.spend(comparisonPoints * count * Math.log2(count));
  const { items } = regoSet([...all, ...sub]);
  const numberOf = (value: RegoValue): number => firstNotBelow(items.length, (at) => items[at] as RegoValue, value);
  return occurrences(all.map(numberOf), sub.map(numberOf)).length > 0;
};

// An item that stands twice in the array counts twice, and an empty set is no part of an empty array: so does OPA.
const holdsSet = (all: readonly RegoValue[], sub: RegoSet): boolean =>
  all.length > 0 && all.filter((item) => sub.has(item)).length >= sub.items.length;

/** Undefined for kinds that cannot be parts of one another. */
const isPart = (scope: CallScope, all: RegoValue | undefined, sub: RegoValue | undefined): boolean | undefined => {
  if (all instanceof RegoObject && sub instanceof RegoObject) {
    return sub.entries.every(([key, value]) => {
      const found = all.get(key);
      return found !== undefined && isMember(scope, found, value);
    });
  }
  if (all instanceof RegoSet && sub instanceof RegoSet) return sub.items.every((item) => all.has(item));
  return isArray(all) && isArray(sub) ? isStretch(scope, all, sub) : undefined;
};

/** Below an object's key, where all other values have to be equal. */
const isMember = (scope: CallScope, all: RegoValue, sub: RegoValue): boolean =>
  isPart(scope, all, sub) ?? equalValues(all, sub);

/** `object.subset`: objects as deep as they go, sets, arrays as one piece, and a set's items in an array. */
export const objectSubset: Builtin = (scope, all, sub) => {
  const found = isArray(all) && sub instanceof RegoSet ? holdsSet(all, sub) : isPart(scope, all, sub);
  if (found !== undefined) return found;
  throw new BuiltinError('both arguments object.subset must be of the same type or array and set');
};
