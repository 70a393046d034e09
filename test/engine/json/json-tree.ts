import fc from 'fast-check';

/** A JSON value: the text of a scalar, items, or members. */
export type Tree = string | readonly Tree[] | { readonly members: readonly (readonly [string, Tree])[] };

const name = fc.oneof(
  fc.constantFrom('a', 'b', '__proto__', '\ufb01', '😀', 'é', '', '"', '\\', '\n'),
  fc.string({ unit: 'grapheme' }),
);
export const tree = fc.letrec<{ value: Tree }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom('0', '1', '1.0', '1e0', '-0', 'true', 'null', '"x"'),
    fc.string({ unit: 'grapheme' }).map((text) => JSON.stringify(text)),
    fc.array(tie('value'), { maxLength: 3 }),
    fc
      .uniqueArray(fc.tuple(name, tie('value')), { maxLength: 5, selector: ([key]) => key })
      .map((members) => ({ members })),
  ),
})).value;

/** Writes a tree in one of many ways: members in an order of choice, white space, escapes where they are allowed. */
export const write = (value: Tree, random: () => number): string => {
  const pad = (): string => ['', '', ' ', '\n', '\t '][Math.floor(random() * 5)]!;
  const string = (text: string): string =>
    random() < 0.5
      ? JSON.stringify(text)
      : `"${[...text].flatMap((c) => [...Array(c.length).keys()].map((at) => `\\u${c.charCodeAt(at).toString(16).padStart(4, '0')}`)).join('')}"`;
  if (typeof value === 'string')
    return pad() + (value.startsWith('"') ? string(JSON.parse(value) as string) : value) + pad();
  if (Array.isArray(value))
    return `${pad()}[${value.map((item: Tree) => write(item, random)).join(',') || pad()}]${pad()}`;
  const { members } = value as { members: readonly (readonly [string, Tree])[] };
  const shuffled = members.map((member) => ({ member, by: random() })).sort((a, b) => a.by - b.by);
  return `${pad()}{${shuffled.map(({ member: [key, item] }) => `${pad()}${string(key)}${pad()}:${write(item, random)}`).join(',') || pad()}}${pad()}`;
};

export const generator = (seed: number) => () => {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
  return seed / 0x80000000;
};
