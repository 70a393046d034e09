import type { RegoEntry, RegoValue } from '../../../rego/index.ts';
import { compareValues, RegoObject, RegoSet, regoObject, regoSet } from '../../../rego/index.ts';
import { pathSteps } from '../collections/path.ts';
import type { Builtin } from '../model.ts';
import { BuiltinError } from '../model.ts';
import { arrayOperand, int64Operand, listOperand, objectOperand } from '../operands.ts';

/** `array.slice`: both ends are brought into the array. */
export const arraySlice: Builtin = (_scope, array, start, stop) => {
  const items = arrayOperand(array, 1);
  const [from, to] = [Number(int64Operand(start, 2)), Number(int64Operand(stop, 3))];
  return items.slice(Math.max(from, 0), Math.max(to, 0));
};

const merged = (a: RegoObject, b: RegoObject): RegoObject => {
  const overwritten = b.entries.map(([key, value]): RegoEntry => {
    const before = a.get(key);
    return [key, before instanceof RegoObject && value instanceof RegoObject ? merged(before, value) : value];
  });
  return regoObject([...a.entries, ...overwritten]);
};

/** `object.union_n`: later objects win; objects in both are merged. */
export const objectUnionN: Builtin = (_scope, objects) =>
  arrayOperand(objects, 1)
    .map((object) => {
      if (object instanceof RegoObject) return object;
      throw new BuiltinError('operand 1 must be an array of objects');
    })
    .reduce(merged, new RegoObject([]));

const notPaths = (): BuiltinError =>
  new BuiltinError('operand 2 must be one of {set, array} containing string paths or array of path segments');

/** Paths as one tree; null is where a path ends. Steps below the end of another path count for nothing. */
type Tree = { steps: [RegoValue, Tree | null][] };

const treeOf = (paths: readonly (readonly RegoValue[])[]): RegoObject => {
  const root: Tree = { steps: [] };
  const set = (tree: Tree, step: RegoValue, below: Tree | null): void => {
    const known = tree.steps.find(([name]) => compareValues(name, step) === 0);
    if (known === undefined) tree.steps.push([step, below]);
    else known[1] = below;
  };
  for (const path of paths) {
    let here: Tree | null = root;
    for (const step of path.slice(0, -1)) {
      const found: [RegoValue, Tree | null] | undefined = here.steps.find(([name]) => compareValues(name, step) === 0);
      const next: Tree | null = found === undefined ? { steps: [] } : found[1];
      if (found === undefined) here.steps.push([step, next]);
      here = next;
      if (here === null) break;
    }
    if (here !== null && path.length > 0) set(here, path.at(-1) as RegoValue, null);
  }
  const objectOf = (tree: Tree): RegoObject =>
    regoObject(tree.steps.map(([step, below]): RegoEntry => [step, below === null ? null : objectOf(below)]));
  return objectOf(root);
};

const pathsOperand = (value: RegoValue | undefined): RegoObject =>
  treeOf(listOperand(value, 2).map((path) => pathSteps(path, notPaths)));

const filtered = (value: RegoValue, by: RegoValue): RegoValue => {
  if (!(by instanceof RegoObject)) return value;
  const below = (item: RegoValue, step: RegoValue): RegoValue[] => {
    const filter = by.get(step);
    return filter === undefined ? [] : [filtered(item, filter)];
  };
  if (value instanceof RegoObject) {
    return regoObject(value.entries.flatMap(([key, item]) => below(item, key).map((kept): RegoEntry => [key, kept])));
  }
  if (value instanceof RegoSet) return regoSet(value.items.flatMap((item) => below(item, item)));
  if (!Array.isArray(value)) return value;
  return (value as readonly RegoValue[]).flatMap((item, at) => below(item, String(at)));
};

/** `json.filter`: what the paths lead to. Items of arrays are named by their index as text, those of sets by themselves. */
export const jsonFilter: Builtin = (_scope, object, paths) => {
  const from = objectOperand(object, 1);
  return filtered(from, pathsOperand(paths));
};

/** What is left of a value, in a list: an empty one where a path ends. */
const left = (value: RegoValue, by: RegoValue | undefined): RegoValue[] => {
  if (by === null) return [];
  if (!(by instanceof RegoObject)) return [value];
  if (value instanceof RegoObject) {
    const kept = value.entries.flatMap(([key, item]) => left(item, by.get(key)).map((rest): RegoEntry => [key, rest]));
    return [regoObject(kept)];
  }
  if (value instanceof RegoSet) return [regoSet(value.items.flatMap((item) => left(item, by.get(item))))];
  if (!Array.isArray(value)) return [value];
  return [(value as readonly RegoValue[]).flatMap((item, at) => left(item, by.get(String(at))))];
};

/** `json.remove`: all but what the paths lead to. */
export const jsonRemove: Builtin = (_scope, object, paths) => {
  const from = objectOperand(object, 1);
  return left(from, pathsOperand(paths))[0];
};
