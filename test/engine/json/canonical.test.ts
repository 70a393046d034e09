import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalText, checkJson } from '../../../src/engine/index.ts';

const canonical = (text: string): string => canonicalText(checkJson(Buffer.from(text)).json);

type Tree = string | readonly Tree[] | { readonly members: readonly (readonly [string, Tree])[] };

const name = fc.oneof(
  fc.constantFrom('a', 'b', '__proto__', '\ufb01', '😀', 'é', '', '"', '\\', '\n'),
  fc.string({ unit: 'grapheme' }),
);
const tree = fc.letrec<{ value: Tree }>((tie) => ({
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
const write = (value: Tree, random: () => number): string => {
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

const generator = (seed: number) => () => {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
  return seed / 0x80000000;
};

const sortedTree = (value: Tree): unknown =>
  typeof value === 'string'
    ? value
    : Array.isArray(value)
      ? value.map(sortedTree)
      : new Map((value as { members: [string, Tree][] }).members.map(([key, item]) => [key, sortedTree(item)]));

test('one value has one text, however its text was written', () => {
  fc.assert(
    fc.property(tree, fc.nat(), fc.nat(), (value, one, two) => {
      const first = canonical(write(value, generator(one)));
      expect(canonical(write(value, generator(two)))).toBe(first);
      expect(canonical(first)).toBe(first);
    }),
  );
});

test('different values have different texts', () => {
  fc.assert(
    fc.property(tree, tree, (a, b) => {
      let equal = true;
      try {
        expect(sortedTree(a)).toStrictEqual(sortedTree(b));
      } catch {
        equal = false;
      }
      expect(canonical(write(a, generator(1))) === canonical(write(b, generator(2)))).toBe(equal);
    }),
  );
});

test('numbers keep their text, keys are sorted by bytes', () => {
  expect(canonical('[1, 1.0, 1e2, -0]')).toBe('[1,1.0,1e2,-0]');
  expect(canonical('{"😀":1,"\\ufb01":2,"b":3, "a" : {"z":1,"y":[ ]}}')).toBe(
    '{"a":{"y":[],"z":1},"b":3,"\ufb01":2,"😀":1}',
  );
});
