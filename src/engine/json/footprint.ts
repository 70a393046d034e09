import type { InputRead } from '../../rego/index.ts';

/** One place of an input that a policy can read, and the places below it. */
export interface Place {
  /** Its number among the places of the footprint, which are numbered from 0 on. */
  readonly id: number;
  /** Its whole value counts. */
  readonly whole: boolean;
  /** Only what kind of value stands there, if any: null, true, false, a number, a string, an array, an object. */
  readonly shape: boolean;
  /** In a fixed order. Empty where the whole counts. */
  readonly members: readonly { readonly key: Buffer; readonly place: Place }[];
}

/** All that a policy can read of an input. */
export interface Footprint {
  readonly root: Place;
  readonly places: number;
}

interface Growing {
  whole: boolean;
  shape: boolean;
  readonly members: Map<string, Growing>;
}

/** The footprint of what an entrypoint reads, and of places (as paths) that count besides. */
export const footprintOf = (reads: readonly InputRead[], besides: readonly (readonly string[])[] = []): Footprint => {
  // Whether there is an input, and of which kind, always counts.
  const grown: Growing = { whole: false, shape: true, members: new Map() };
  for (const { path, shape } of [...reads, ...besides.map((path) => ({ path, shape: false }))]) {
    let place = grown;
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
  let places = 0;
  const frozen = ({ whole, shape, members }: Growing): Place => {
    const below = whole ? [] : [...members].sort(([a], [b]) => (a < b ? -1 : 1));
    return {
      id: places++,
      whole,
      shape: shape && !whole,
      members: below.map(([key, growing]) => ({ key: Buffer.from(key), place: frozen(growing) })),
    };
  };
  return { root: frozen(grown), places };
};
