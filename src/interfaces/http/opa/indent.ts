/** Puts a compact JSON text on lines of its own, two spaces a level, as Go's MarshalIndent does: numbers stay as they are. */
export const indentJson = (compact: string): string => {
  let out = '';
  let depth = 0;
  let copied = 0;
  const line = (): string => `\n${'  '.repeat(depth)}`;
  for (let at = 0; at < compact.length; at++) {
    const character = compact[at] as string;
    if (character === '"') {
      at = stringEnd(compact, at);
      continue;
    }
    if (!'{}[],:'.includes(character)) continue;
    out += compact.slice(copied, at);
    copied = at + 1;
    if (character === '{' || character === '[') {
      const next = compact[at + 1];
      if (next === '}' || next === ']') {
        out += character + next;
        copied = ++at + 1;
        continue;
      }
      depth++;
      out += character + line();
    } else if (character === ',') out += `,${line()}`;
    else if (character === ':') out += ': ';
    else {
      depth--;
      out += line() + character;
    }
  }
  return out + compact.slice(copied);
};

/** The offset of a string's closing quote. */
const stringEnd = (text: string, start: number): number => {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
};
