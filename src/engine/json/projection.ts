import type { InputRead } from '../../rego/index.ts';
import type { CheckedJson } from '../model.ts';
import type { CanonicalReader } from './canonical.ts';
import { canonicalReader } from './canonical.ts';

/** One place of an input that a policy can read, and the places below it. */
interface Place {
  /** Its whole value counts. */
  readonly whole: boolean;
  /** Only what kind of value stands there, if any: null, true, false, a number, a string, an array, an object. */
  readonly shape: boolean;
  /** In a fixed order. Empty where the whole counts. */
  readonly members: ReadonlyMap<string, { readonly index: number; readonly place: Place }>;
}

/** All that a policy can read of an input. */
export interface Footprint {
  readonly root: Place;
}

interface Growing {
  whole: boolean;
  shape: boolean;
  readonly members: Map<string, Growing>;
}

const frozen = ({ whole, shape, members }: Growing): Place => {
  const below = whole ? [] : [...members].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    whole,
    shape: shape && !whole,
    members: new Map(below.map(([key, growing], index) => [key, { index, place: frozen(growing) }])),
  };
};

/** The footprint of what an entrypoint reads, and of places (as paths) that count besides. */
export const footprintOf = (reads: readonly InputRead[], besides: readonly (readonly string[])[] = []): Footprint => {
  // Whether there is an input, and of which kind, always counts.
  const root: Growing = { whole: false, shape: true, members: new Map() };
  for (const { path, shape } of [...reads, ...besides.map((path) => ({ path, shape: false }))]) {
    let place = root;
    for (const step of path) {
      let next = place.members.get(step);
      if (next === undefined) {
        next = { whole: false, shape: false, members: new Map() };
        place.members.set(step, next);
      }
      place = next;
    }
    if (shape === true) place.shape = true;
    else place.whole = true;
  }
  return { root: frozen(root) };
};

const isDigit = (first: string): boolean => first === '-' || (first >= '0' && first <= '9');

/** Passes the value here; what of it counts, as text: empty when nothing does. */
const project = (reader: CanonicalReader, { whole, shape, members }: Place): string => {
  if (whole) return reader.take();
  const first = reader.first();
  const kind = !shape ? '' : isDigit(first) ? '0' : first;
  if (members.size === 0 || first !== '{') {
    reader.skip();
    return kind;
  }
  const parts: string[] = new Array(members.size).fill('');
  reader.members((key) => {
    const member = members.get(key);
    if (member === undefined) reader.skip();
    else parts[member.index] = project(reader, member.place);
  });
  const text = parts.join(',');
  // Commas alone: an object that holds nothing that counts is like none.
  return text.length < parts.length ? kind : `${kind}<${text}>`;
};

/**
 * One text for all inputs that a policy cannot tell apart: what stands at the footprint's places, canonical, and where
 * nothing stands. Every part says where it ends: JSON values do, kinds are single characters, and `<` begins no value.
 */
export const projectedText = (checked: CheckedJson, { root }: Footprint): string => {
  const reader = canonicalReader(checked);
  reader.space();
  return project(reader, root);
};
