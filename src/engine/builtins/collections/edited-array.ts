import type { RegoValue } from '../../../rego/index.ts';
import { RegoNumber } from '../../../rego/index.ts';
import { BuiltinError } from '../model.ts';
import { int64Of } from '../operands.ts';
import { EditTree } from './edit-tree.ts';
import { type Edited, type Editing, isCollection, placePoints } from './edited.ts';

/** A value that OPA has lost: its patch fails when the place is moved or the array written. */
const lost = Symbol('lost');

/** Where the array still is what it was: the place in it. Where it was edited: a collection or another value. */
type Place = number | EditTree | RegoValue | typeof lost;

const isPlain = (place: Place | undefined): boolean =>
  place !== undefined && place !== lost && typeof place !== 'number' && !(place instanceof EditTree);

const outOfBounds = (): BuiltinError => new BuiltinError('index of an array out of bounds');

const withoutAnswer = (): BuiltinError => new BuiltinError('OPA has no answer to this patch of an array');

/**
 * An array under edit, as OPA edits it, with what is wrong there: an unedited item is read from the array as it was at
 * first, at the index of now; and when places move, a plain value beside a collection is lost.
 */
export class EditedArray implements Edited {
  private readonly original: readonly RegoValue[];
  private readonly places: Place[];
  private readonly editing: Editing;

  constructor(original: readonly RegoValue[], editing: Editing) {
    this.original = original;
    this.places = original.map((_, at) => at);
    this.editing = editing;
    editing.spend(placePoints * original.length);
  }

  child(key: RegoValue): EditTree {
    const at = this.indexOf(key);
    const place = this.places[at];
    if (place instanceof EditTree) return place;
    if (place !== undefined && place !== lost && typeof place !== 'number') return this.editing.tree(place);
    const value = this.original[at];
    if (value === undefined) throw new BuiltinError('a path leads to what does not exist');
    this.removeIndex(at);
    return this.insertIndex(at, value);
  }

  insert(key: RegoValue, value: RegoValue): void {
    const at = this.indexOf(key);
    if (at < 0 || at > this.places.length) throw outOfBounds();
    this.insertIndex(at, value);
  }

  remove(key: RegoValue): void {
    this.removeIndex(this.indexOf(key));
  }

  render(): RegoValue {
    this.editing.spend(placePoints * this.places.length);
    return this.places.map((place) => {
      if (place === lost) throw withoutAnswer();
      if (place instanceof EditTree) return place.render();
      return typeof place === 'number' ? (this.original[place] as RegoValue) : place;
    });
  }

  private insertIndex(index: number, value: RegoValue): EditTree {
    this.checkMoved(index);
    // Values move first and collections then, from the end on; each takes away what has come to stand beside it.
    for (let at = this.places.length - 1; at > index; at--) {
      if (this.places[at] instanceof EditTree && isPlain(this.places[at - 1])) this.places[at - 1] = lost;
    }
    const tree = this.editing.tree(value);
    this.places.splice(index, 0, isCollection(value) ? tree : value);
    return tree;
  }

  private removeIndex(index: number): void {
    if (index < 0 || index >= this.places.length) throw outOfBounds();
    this.checkMoved(index + 1);
    for (let at = this.places.length - 1; at > index + 1; at--) {
      if (isPlain(this.places[at]) && this.places[at - 1] instanceof EditTree) this.places[at] = lost;
    }
    this.places.splice(index, 1);
  }

  private checkMoved(from: number): void {
    this.editing.spend(placePoints + 4 * (this.places.length - from));
    if (this.places.indexOf(lost, from) >= 0) throw withoutAnswer();
  }

  private indexOf(key: RegoValue): number {
    if (key === '-') return this.places.length;
    if (typeof key === 'string' && key !== '0' && key.startsWith('0')) throw new BuiltinError('leading zeros');
    const text = key instanceof RegoNumber ? key.text : key;
    const index = typeof text === 'string' ? int64Of(text) : undefined;
    if (index === undefined) throw new BuiltinError('invalid index of an array');
    return Number(index);
  }
}
