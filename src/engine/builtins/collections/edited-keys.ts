import type { RegoValue } from '../../../rego/index.ts';
import { equalValues, firstNotBelow, RegoObject, RegoSet, regoSet } from '../../../rego/index.ts';
import { BuiltinError } from '../model.ts';
import { EditTree } from './edit-tree.ts';
import { type Edited, type Editing, isCollection, placePoints } from './edited.ts';
import { weightOf } from './weight.ts';

interface Place {
  readonly key: RegoValue;
  content: RegoValue | EditTree;
}

const rendered = ({ content }: Place): RegoValue => (content instanceof EditTree ? content.render() : content);

const placesOf = (value: RegoObject | RegoSet): Place[] =>
  value instanceof RegoSet
    ? value.items.map((item) => ({ key: item, content: item }))
    : value.entries.map(([key, content]) => ({ key, content }));

/** An object under edit, or a set, whose items are their own keys. */
export class EditedKeys implements Edited {
  private places: Place[];
  private readonly isSet: boolean;
  private readonly editing: Editing;

  constructor(value: RegoObject | RegoSet, editing: Editing) {
    this.places = placesOf(value);
    this.isSet = value instanceof RegoSet;
    this.editing = editing;
    editing.spend(placePoints * this.places.length);
  }

  child(key: RegoValue): EditTree {
    const place = this.place(key);
    if (place.content instanceof EditTree) return place.content;
    const tree = this.editing.tree(place.content);
    if (isCollection(place.content)) place.content = tree;
    return tree;
  }

  insert(key: RegoValue, value: RegoValue): void {
    if (this.isSet && !equalValues(key, value)) throw new BuiltinError('an item of a set is its own path');
    const at = this.find(key);
    const isThere = this.isAt(at, key);
    this.places.splice(at, isThere ? 1 : 0, { key, content: value });
  }

  remove(key: RegoValue): void {
    const at = this.find(key);
    if (!this.isAt(at, key)) throw new BuiltinError('cannot delete what does not exist');
    this.places.splice(at, 1);
  }

  render(): RegoValue {
    this.editing.spend(placePoints * this.places.length);
    if (!this.isSet) return new RegoObject(this.places.map((place) => [place.key, rendered(place)]));
    if (!this.isEditedInside()) return new RegoSet(this.places.map(rendered));
    const items = this.places.map(rendered);
    this.editing.spend(weightOf(items));
    return regoSet(items);
  }

  private isEditedInside(): boolean {
    return this.places.some(({ content }) => content instanceof EditTree);
  }

  private place(key: RegoValue): Place {
    const at = this.find(key);
    const place = this.places[at];
    if (place === undefined || !this.isAt(at, key)) throw new BuiltinError('a path leads to what does not exist');
    return place;
  }

  private isAt(at: number, key: RegoValue): boolean {
    const place = this.places[at];
    return place !== undefined && equalValues(place.key, key);
  }

  private find(key: RegoValue): number {
    this.editing.spend(placePoints + this.places.length / 4);
    // An item that was edited inside stands under what it is now.
    if (this.isSet && isCollection(key) && this.isEditedInside()) this.places = placesOf(this.render() as RegoSet);
    return firstNotBelow(this.places.length, (at) => this.places[at]?.key ?? null, key);
  }
}
