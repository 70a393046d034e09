/**
 * A function of texts that keeps what it made of the last ones: some hundred, none of them long. What it gives is shared
 * and must not be changed; what throws or gives undefined is made anew.
 */
export const remembered = <Value>(
  make: (text: string) => Value,
  { most = 512, longest = 512 }: { readonly most?: number; readonly longest?: number } = {},
): ((text: string) => Value) => {
  const known = new Map<string, Value>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const made = make(text);
    if (text.length > longest) return made;
    // Whoever brings ever new texts pays for a new map now and then, and takes no more memory than that.
    if (known.size >= most) known.clear();
    known.set(text, made);
    return made;
  };
};
