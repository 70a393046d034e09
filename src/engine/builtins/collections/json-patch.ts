import type { RegoValue } from '../../../rego/index.ts';
import { equalValues, RegoObject } from '../../../rego/index.ts';
import type { Builtin } from '../model.ts';
import { BuiltinError } from '../model.ts';
import { arrayOperand, wrongType } from '../operands.ts';
import { EditTree } from './edit-tree.ts';
import { pathSteps } from './path.ts';
import { weightOf } from './weight.ts';

const pathOf = (value: RegoValue): readonly RegoValue[] => pathSteps(value, () => wrongType(value, 2, 'a path'));

class Patch {
  private readonly tree: EditTree;
  private readonly spend: (points: number) => void;

  constructor(target: RegoValue, spend: (points: number) => void) {
    this.tree = new EditTree(target, spend);
    this.spend = spend;
  }

  apply(operation: RegoValue): void {
    if (!(operation instanceof RegoObject))
      throw new BuiltinError('must be an array of JSON-Patch objects, but at least one element is not an object');
    const member = (name: string): RegoValue => {
      const found = operation.get(name);
      if (found === undefined) throw new BuiltinError(`missing required attribute '${name}'`);
      return found;
    };
    const path = pathOf(member('path'));
    const op = member('op');
    if (op === 'add') this.tree.insertAt(path, member('value'));
    else if (op === 'remove') this.tree.removeAt(path);
    else if (op === 'replace') this.replace(path, member('value'));
    else if (op === 'move') this.move(pathOf(member('from')), path);
    else if (op === 'copy') this.copy(pathOf(member('from')), path);
    else if (op === 'test') this.test(path, member('value'));
    else throw new BuiltinError('unrecognized op');
  }

  result(): RegoValue {
    return this.tree.render();
  }

  private replace(path: readonly RegoValue[], value: RegoValue): void {
    this.tree.removeAt(path);
    this.tree.insertAt(path, value);
  }

  private move(from: readonly RegoValue[], to: readonly RegoValue[]): void {
    const moved = this.tree.at(from).render();
    this.tree.removeAt(from);
    this.tree.insertAt(to, moved);
  }

  private copy(from: readonly RegoValue[], to: readonly RegoValue[]): void {
    const copied = this.tree.at(from).render();
    // A few copies of copies make a document of any size.
    this.spend(weightOf(copied));
    this.tree.insertAt(to, copied);
  }

  private test(path: readonly RegoValue[], value: RegoValue): void {
    if (!equalValues(this.tree.at(path).render(), value)) throw new BuiltinError('the patch tests for another value');
  }
}

/** `json.patch` (RFC 6902) on any value: items of sets are their own paths, and one failing operation fails all. */
export const jsonPatch: Builtin = (scope, target, operations) => {
  const patch = new Patch(target as RegoValue, (points) => scope.spend(points));
  for (const operation of arrayOperand(operations, 2)) patch.apply(operation);
  return patch.result();
};
