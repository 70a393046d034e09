import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalText, checkJson } from '../../../src/engine/index.ts';
import { generator, type Tree, tree, write } from './json-tree.ts';

const canonical = (text: string): string => canonicalText(checkJson(Buffer.from(text)).json);

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
