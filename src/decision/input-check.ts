import { valueFromJson } from '../canonical/index.ts';
import type { CheckedJson } from '../engine/index.ts';
import type { DecisionError, InputCheck, Resolution } from './model.ts';

const byPath = (a: { readonly at: readonly string[] }, b: { readonly at: readonly string[] }): number =>
  a.at.join('/') < b.at.join('/') ? -1 : 1;

const checksIn = (resolution: Resolution): readonly InputCheck[] => {
  switch (resolution.kind) {
    case 'rule':
      return resolution.target.inputCheck === undefined ? [] : [resolution.target.inputCheck];
    case 'composite':
      return [...resolution.parts].sort(byPath).flatMap(({ part }) => checksIn(part));
    case 'data':
    case 'unknown':
      return [];
  }
};

const checkLists = new WeakMap<Resolution, readonly InputCheck[]>();

const checksOf = (resolution: Resolution): readonly InputCheck[] => {
  const known = checkLists.get(resolution);
  if (known !== undefined) return known;
  const list = checksIn(resolution);
  checkLists.set(resolution, list);
  return list;
};

/**
 * What the schemas of all that a path asks say to an input, in order of path; undefined when they take it, and when
 * there are none. Numbers are compared as JavaScript's: beyond 2^53 integers lose digits here, and here alone.
 */
export const refusedInput = (resolution: Resolution, input: CheckedJson | undefined): DecisionError | undefined => {
  const checks = checksOf(resolution);
  if (checks.length === 0) return undefined;
  let value: unknown;
  let isParsed = false;
  const parsed = (): unknown => {
    if (!isParsed && input !== undefined) {
      value = valueFromJson(Buffer.from(input.buffer, input.byteOffset, input.byteLength).toString('utf8'));
    }
    isParsed = true;
    return value;
  };
  for (const check of checks) {
    const error = check(parsed);
    if (error !== undefined) return error;
  }
  return undefined;
};
