import type { RegoValue } from '../../../rego/index.ts';
import { RegoObject, RegoSet } from '../../../rego/index.ts';
import type { EditTree } from './edit-tree.ts';

/** A collection of which single places change. All methods throw BuiltinError for a place that does not exist. */
export interface Edited {
  /** The value at a place, to be edited there. */
  child(key: RegoValue): EditTree;
  insert(key: RegoValue, value: RegoValue): void;
  remove(key: RegoValue): void;
  render(): RegoValue;
}

/** What the parts of one tree share. */
export interface Editing {
  tree(value: RegoValue): EditTree;
  /** Takes points of the budget. */
  spend(points: number): void;
}

export const isCollection = (value: RegoValue): boolean =>
  Array.isArray(value) || value instanceof RegoObject || value instanceof RegoSet;

/** Points for each place that is copied or moved. */
export const placePoints = 10;
