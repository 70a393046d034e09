import type { BuiltinEntry, CallCost } from '../model.ts';
import { casts } from './casts.ts';
import { jsonPatch } from './json-patch.ts';
import { rangeStep } from './range-step.ts';
import { reachablePaths } from './reachable-paths.ts';
import { objectSubset } from './subset.ts';

/** Everything that is compared is sorted first. */
const sorted: CallCost = { call: 3_000, byte: 150 };

/** What is asked of objects, arrays and sets. */
export const collectionBuiltins: readonly (readonly [string, BuiltinEntry])[] = [
  ...casts,
  ['graph.reachable_paths', { run: reachablePaths }],
  ['json.patch', { run: jsonPatch, cost: sorted }],
  ['numbers.range_step', { run: rangeStep }],
  ['object.subset', { run: objectSubset, cost: sorted }],
];
