/** For each length of a matched beginning of the pattern: the longest shorter beginning that also ends there. */
const fallbacks = (pattern: ArrayLike<number>): Uint32Array => {
  const table = new Uint32Array(pattern.length + 1);
  for (let at = 1, matched = 0; at < pattern.length; at++) {
    while (matched > 0 && pattern[at] !== pattern[matched]) matched = table[matched] as number;
    if (pattern[at] === pattern[matched]) matched++;
    table[at + 1] = matched;
  }
  return table;
};

/**
 * Where a pattern begins in a text, overlapping places too, in order. Knuth, Morris and Pratt's way: whatever the two
 * are, it takes time in proportion to their lengths. The pattern must not be empty.
 */
export const occurrences = (text: ArrayLike<number>, pattern: ArrayLike<number>): number[] => {
  const table = fallbacks(pattern);
  const found: number[] = [];
  for (let at = 0, matched = 0; at < text.length; at++) {
    while (matched > 0 && text[at] !== pattern[matched]) matched = table[matched] as number;
    if (text[at] === pattern[matched]) matched++;
    if (matched < pattern.length) continue;
    found.push(at + 1 - matched);
    matched = table[matched] as number;
  }
  return found;
};

/** Those of the places at which the pattern begins that no earlier one reaches into. */
export const apart = (places: readonly number[], length: number): number[] => {
  let end = 0;
  return places.filter((place) => {
    if (place < end) return false;
    end = place + length;
    return true;
  });
};
