import { isCredentialName } from './secrets.ts';

/** Member names that lead to a field; `field` and `rank` stand where a pointer ends. */
export interface FieldTree {
  readonly names: { readonly key: Buffer; readonly below: FieldTree }[];
  ends: { readonly field: number; readonly rank: number }[];
}

export const fieldTree = (fields: readonly (readonly (readonly string[])[])[]): FieldTree => {
  const root: FieldTree = { names: [], ends: [] };
  fields.forEach((pointers, field) => {
    pointers.forEach((steps, rank) => {
      let tree = root;
      for (const step of steps) {
        const key = Buffer.from(step);
        let next = tree.names.find((name) => name.key.equals(key));
        if (next === undefined) {
          next = { key, below: { names: [], ends: [] } };
          tree.names.push(next);
        }
        tree = next.below;
      }
      tree.ends.push({ field, rank });
    });
  });
  return root;
};

/** What one pass over an input's bytes found. */
export interface Survey {
  /** Some string may hold a token or credential, or hide one behind escapes: look closer. */
  suspect: boolean;
  /** For each field, where the text of its preferred value begins and ends; -1 for none. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly ranks: Int32Array;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** The letters that the credential names begin with, by length: a, p, c, s. */
const mayNameCredential = (length: number, first: number): boolean => {
  const letter = first | 0x20;
  return (
    (length === 13 && letter === 0x61) ||
    (length === 19 && letter === 0x70) ||
    (length === 6 && letter === 0x63) ||
    (length === 10 && letter === 0x73)
  );
};

const nameBelow = (json: Uint8Array, names: FieldTree['names'], start: number, end: number): FieldTree | undefined => {
  outer: for (const { key, below } of names) {
    if (key.length !== end - start) continue;
    for (let at = 0; at < key.length; at++) if (key[at] !== json[start + at]) continue outer;
    return below;
  }
  return undefined;
};

const take = (into: Survey, { ends }: FieldTree, start: number, end: number): void => {
  for (const { field, rank } of ends) {
    const best = into.ranks[field] as number;
    if (best >= 0 && best <= rank) continue;
    into.ranks[field] = rank;
    into.starts[field] = start;
    into.ends[field] = end;
  }
};

// What stands at each depth: a field tree for an object, or for an array, with where the array begins.
const trees: (FieldTree | undefined)[] = [];
const arrays: number[] = [];

const IN_OBJECT = -1;

/**
 * Reads checked JSON once, byte by byte, in one loop: no object is built and nothing is called for most bytes, since
 * this runs for every input that was not seen before. `into` is filled anew and returned.
 */
export const survey = (json: Uint8Array, tree: FieldTree, into: Survey): Survey => {
  const { length } = json;
  let suspect = false;
  let depth = 0;
  let isKey = false;
  let pending: FieldTree | undefined = tree;
  into.ranks.fill(-1);
  for (let at = 0; at < length; ) {
    const byte = json[at] as number;
    if (byte === QUOTE) {
      const start = ++at;
      let inner = json[at] as number;
      // A string that begins with "bea": maybe a bearer credential.
      if ((inner | 0x20) === 0x62 && ((json[at + 1] as number) | 0x20) === 0x65) {
        if (((json[at + 2] as number) | 0x20) === 0x61) suspect = true;
      }
      while (inner !== QUOTE && at < length) {
        if (inner === 0x65) {
          // Base64url of `{"` begins with eyJ or eyI, of `{ ` with eyA or eyB, of `{` and a line break with ew.
          const next = json[at + 1] as number;
          const third = json[at + 2] as number;
          if (next === 0x77) suspect = true;
          else if (next === 0x79 && (third === 0x4a || third === 0x49 || third === 0x41 || third === 0x42))
            suspect = true;
        } else if (inner === BACKSLASH) {
          at += 1;
          // An escape where none is needed may hide something: \u0020 to \u007f.
          const digit = json[at + 3] as number;
          if (json[at] === 0x75 && json[at + 1] === 0x30 && json[at + 2] === 0x30 && digit >= 0x32 && digit <= 0x37) {
            suspect = true;
          }
        }
        inner = json[++at] as number;
      }
      const end = at++;
      if (isKey) {
        isKey = false;
        if (mayNameCredential(end - start, json[start] as number)) {
          suspect ||= isCredentialName(Buffer.from(json.subarray(start, end)).toString('latin1'));
        }
        const here = trees[depth];
        pending = here === undefined ? undefined : nameBelow(json, here.names, start, end);
      } else if (pending !== undefined) {
        take(into, pending, start - 1, at);
        pending = undefined;
      }
    } else if (byte === 0x2c) {
      at += 1;
      isKey = arrays[depth] === IN_OBJECT;
    } else if (byte <= 0x20 || byte === 0x3a) {
      at += 1;
    } else if (byte === 0x7b || byte === 0x5b) {
      isKey = byte === 0x7b;
      depth += 1;
      trees[depth] = pending;
      arrays[depth] = isKey ? IN_OBJECT : at;
      pending = undefined;
      at += 1;
    } else if (byte === 0x7d || byte === 0x5d) {
      at += 1;
      const start = arrays[depth] as number;
      const here = trees[depth];
      if (start !== IN_OBJECT && here !== undefined) take(into, here, start, at);
      depth -= 1;
      pending = undefined;
      isKey = false;
    } else {
      const start = at;
      for (let inner = byte; inner > 0x20 && inner !== 0x2c && inner !== 0x5d && inner !== 0x7d && at < length; ) {
        inner = json[++at] as number;
      }
      // null (the only text that begins with n) is no value of a field.
      if (pending !== undefined && byte !== 0x6e) take(into, pending, start, at);
      pending = undefined;
    }
  }
  into.suspect = suspect;
  return into;
};

export const newSurvey = (fields: number): Survey => ({
  suspect: false,
  starts: new Int32Array(fields),
  ends: new Int32Array(fields),
  ranks: new Int32Array(fields),
});
