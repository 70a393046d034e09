import { distance } from 'fastest-levenshtein';

// Names come from outside, and a comparison costs the product of two lengths.
const LONGEST = 100;
const MOST = 5000;

/** The name that was probably meant: at most a third of its letters differ. */
export const nearestName = (name: string, names: Iterable<string>): string | undefined => {
  if (name.length > LONGEST) return undefined;
  const most = Math.max(1, Math.floor(name.length / 3));
  let best: { readonly name: string; readonly far: number } | undefined;
  for (const other of [...names].slice(0, MOST)) {
    if (Math.abs(other.length - name.length) > most) continue;
    const far = distance(name.toLowerCase(), other.toLowerCase());
    if (far <= most && far < (best?.far ?? Number.POSITIVE_INFINITY)) best = { name: other, far };
  }
  return best?.name;
};

/** `; did you mean x?`, or nothing. */
export const hint = (name: string | undefined): string => (name === undefined ? '' : `; did you mean ${name}?`);
