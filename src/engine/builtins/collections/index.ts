import type { BuiltinEntry, CallCost } from '../model.ts';
import { carrying } from '../model.ts';
import { casts } from './casts.ts';
import { jsonPatch } from './json-patch.ts';
import { rangeStep } from './range-step.ts';
import { reachablePaths } from './reachable-paths.ts';
import { objectSubset } from './subset.ts';

/** What is looked up and compared. */
const compared: CallCost = { call: 3_000, byte: 50 };

/** What is asked of objects, arrays and sets. */
export const collectionBuiltins: readonly (readonly [string, BuiltinEntry])[] = [
  ...casts,
  [
    'graph.reachable_paths',
    { run: reachablePaths, cost: { ...carrying, more: 'edges followed, nodes of paths found' } },
  ],
  ['json.patch', { run: jsonPatch, cost: { ...compared, more: 'places moved, values copied' } }],
  ['numbers.range_step', { run: rangeStep, cost: { ...carrying, more: 'numbers and their digits' } }],
  ['object.subset', { run: objectSubset, cost: { ...compared, more: 'items of arrays' } }],
];
