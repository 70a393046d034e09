import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Change } from '../../../src/engine/json/difference.ts';
import { changesBetween } from '../../../src/engine/json/difference.ts';
import { nodeAt, parseJson, writeJson } from '../../../src/policy/content/json-text.ts';
import { documents } from '../documents.ts';

const limits = { count: 1_000, bytes: 100_000 };
const textOf = (value: unknown): Buffer => Buffer.from(writeJson(parseJson(JSON.stringify(value))));
const between = (from: unknown, to: unknown, within = limits) => changesBetween(textOf(from), textOf(to), within);
const shown = (changes: readonly Change[] | undefined) =>
  changes?.map(({ path, value }) => [path.join('/'), Buffer.from(value).toString()]);

/** The text of a document with changes made in it. */
const changed = (document: unknown, changes: readonly Change[]): string => {
  const root = parseJson(textOf(document).toString());
  for (const { path, value } of changes) {
    const inner = nodeAt(root, path.slice(0, -1));
    if (inner?.kind !== 'object') throw new Error(`no object at ${path.join('/')}`);
    inner.members.set(path.at(-1) ?? '', parseJson(Buffer.from(value).toString()));
  }
  return writeJson(root);
};

test('a document with its changes made is the other one, whatever they are', () => {
  fc.assert(
    fc.property(documents, ({ before, after }) => {
      const changes = between({ d: before }, { d: after });
      expect(changes).toBeDefined();
      expect(changed({ d: before }, changes ?? [])).toBe(textOf({ d: after }).toString());
    }),
    { numRuns: 500 },
  );
});

test('equal documents differ in nothing', () => {
  fc.assert(fc.property(documents, ({ after }) => void expect(between(after, after)).toEqual([])));
});

test('only what differs is told: a value, a whole array, a number that goes on', () => {
  const before = { a: { b: 1, c: [1, 2], d: 'x' }, e: {} };
  expect(shown(between(before, { a: { b: 12, c: [1, 3], d: 'x' }, e: {} }))).toEqual([
    ['a/b', '12'],
    ['a/c', '[1,3]'],
  ]);
  expect(shown(between({ a: 12 }, { a: 1 }))).toEqual([['a', '1']]);
  expect(shown(between({ a: { b: 1 } }, { a: [] }))).toEqual([['a', '[]']]);
});

test('an object with a member more or less is told whole, and what differs in it is not told beside it', () => {
  const before = { a: { b: 1, c: { d: 1 } }, z: 1 };
  expect(shown(between(before, { a: { b: 2, c: { d: 1, e: 1 } }, z: 1 }))).toEqual([
    ['a/b', '2'],
    ['a/c', '{"d":1,"e":1}'],
  ]);
  expect(shown(between(before, { a: { b: 2 }, z: 3 }))).toEqual([
    ['a', '{"b":2}'],
    ['z', '3'],
  ]);
  const out = [Buffer.from('{"a":{"b":1,"c":2}}'), Buffer.from('{"a":{"c":2,"b":1}}')] as const;
  expect(shown(changesBetween(...out, limits))).toEqual([['a', '{"c":2,"b":1}']]);
});

test('documents that differ in too many places, or in too many bytes, are not told apart', () => {
  expect(between({ a: 1, b: 1 }, { a: 2, b: 2 }, { count: 1, bytes: 100 })).toBeUndefined();
  expect(between({ a: 1 }, { a: 'x'.repeat(100) }, { count: 1, bytes: 100 })).toBeUndefined();
  expect(between({ a: 1 }, { a: 'x'.repeat(90) }, { count: 1, bytes: 100 })).toHaveLength(1);
  expect(between({ a: '', b: '' }, { a: 'x'.repeat(60), b: 'x'.repeat(60) }, { count: 9, bytes: 100 })).toBeUndefined();
});

test.each([
  ['another member at the top', '{"a":1}', '{"a":1,"b":2}'],
  ['one member less at the top', '{"a":1,"b":2}', '{"a":1}'],
  ['white space', '{ "a":1}', '{"a":2}'],
  ['a text that ends early', '{"a":1', '{"a":2}'],
  ['a string that ends early', '{"a":"1', '{"a":"2"}'],
  ['no object', '[1]', '[2]'],
])('these have no changes: %s', (_what, from, to) => {
  expect(changesBetween(Buffer.from(from), Buffer.from(to), limits)).toBeUndefined();
});

test('keys with escapes are told as what they mean', () => {
  const before = { '\u0001': 1, '"': 1, '\\': 1, é: 1 };
  expect(shown(between(before, { ...before, '\\': 2 }))).toEqual([['\\', '2']]);
  expect(shown(between(before, { ...before, '\u0001': 2 }))).toEqual([['\u0001', '2']]);
});
