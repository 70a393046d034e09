import type { RegoValue } from '../../../rego/index.ts';
import { RegoObject, RegoSet } from '../../../rego/index.ts';
import { BuiltinError } from '../model.ts';
import { type Edited, type Editing, isCollection } from './edited.ts';
import { EditedArray } from './edited-array.ts';
import { EditedKeys } from './edited-keys.ts';

const removed = (): BuiltinError => new BuiltinError('the whole document was removed');

/**
 * A value under edit, as OPA's json.patch edits it: only the collections on the way to a change are taken apart. All
 * methods throw BuiltinError for a place that does not exist.
 */
export class EditTree {
  /** Undefined once the root was removed. */
  private value: RegoValue | undefined;
  private edited: Edited | undefined;
  private readonly editing: Editing;

  constructor(value: RegoValue, spend: (points: number) => void) {
    this.value = value;
    this.editing = { spend, tree: (child) => new EditTree(child, spend) };
  }

  at(path: readonly RegoValue[]): EditTree {
    let tree: EditTree = this;
    for (const key of path) tree = tree.collection().child(key);
    return tree;
  }

  insertAt(path: readonly RegoValue[], value: RegoValue): void {
    const last = path.at(-1);
    if (last === undefined) this.replaceRoot(value);
    else this.at(path.slice(0, -1)).collection().insert(last, value);
  }

  removeAt(path: readonly RegoValue[]): void {
    const last = path.at(-1);
    if (last !== undefined) this.at(path.slice(0, -1)).collection().remove(last);
    else if (this.value === undefined) throw removed();
    else this.replaceRoot(undefined);
  }

  render(): RegoValue {
    if (this.value === undefined) throw removed();
    return this.edited?.render() ?? this.value;
  }

  private replaceRoot(value: RegoValue | undefined): void {
    this.value = value;
    this.edited = undefined;
  }

  private collection(): Edited {
    if (this.value === undefined) throw removed();
    this.edited ??= this.takenApart(this.value);
    return this.edited;
  }

  private takenApart(value: RegoValue): Edited {
    if (!isCollection(value)) throw new BuiltinError('a path leads into a value that is no collection');
    if (value instanceof RegoObject || value instanceof RegoSet) return new EditedKeys(value, this.editing);
    return new EditedArray(value as readonly RegoValue[], this.editing);
  }
}
