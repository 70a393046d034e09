import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkJson, footprintOf, projectedText } from '../../../src/engine/index.ts';
import type { InputRead } from '../../../src/rego/index.ts';
import { generator, type Tree, tree, write } from './json-tree.ts';

const project = (text: string, reads: readonly InputRead[], besides: readonly (readonly string[])[] = []): string =>
  projectedText(checkJson(Buffer.from(text)).json, footprintOf(reads, besides));

const path = fc.array(fc.constantFrom('a', 'b', '__proto__', '😀', ''), { maxLength: 3 });
const reads = fc.array(fc.record({ path, shape: fc.boolean() }), { maxLength: 4 });

const at = (value: Tree | undefined, [step, ...rest]: readonly string[]): Tree | undefined => {
  if (step === undefined || value === undefined) return value;
  if (typeof value === 'string' || Array.isArray(value)) return undefined;
  const member = (value as { members: readonly (readonly [string, Tree])[] }).members.find(([key]) => key === step);
  return at(member?.[1], rest);
};

const sorted = (value: Tree | undefined): unknown => {
  if (typeof value === 'string' || value === undefined) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const { members } = value as { members: readonly (readonly [string, Tree])[] };
  return [...members].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => ['member', key, sorted(item)]);
};

const kind = (value: Tree | undefined): string => {
  if (value === undefined) return 'nothing';
  if (typeof value !== 'string') return Array.isArray(value) ? 'array' : 'object';
  return value.startsWith('"') ? 'string' : /^[-0-9]/.test(value) ? 'number' : value;
};

/** What the reads show of a value, by an own reading of them. */
const seen = (value: Tree, all: readonly InputRead[]): string =>
  JSON.stringify([
    kind(value),
    ...all.map((read) => (read.shape ? kind(at(value, read.path)) : (sorted(at(value, read.path)) ?? null))),
  ]);

test('inputs that a policy can tell apart have different texts', () => {
  fc.assert(
    fc.property(tree, tree, reads, (a, b, all) => {
      const same = project(write(a, generator(1)), all) === project(write(b, generator(2)), all);
      if (same) expect(seen(a, all)).toBe(seen(b, all));
    }),
    { numRuns: 1_000 },
  );
});

test('a change at one place that counts gives another text, and one elsewhere the same', () => {
  fc.assert(
    fc.property(tree, path, tree, reads, (value, where, put, all) => {
      const changed = (old: Tree | undefined, [step, ...rest]: readonly string[]): Tree => {
        if (step === undefined) return put;
        const members =
          old === undefined || typeof old === 'string' || Array.isArray(old)
            ? []
            : (old as { members: [string, Tree][] }).members;
        const own = members.find(([key]) => key === step)?.[1];
        return { members: [...members.filter(([key]) => key !== step), [step, changed(own, rest)]] };
      };
      const other = changed(value, where);
      const same = project(write(value, generator(3)), all) === project(write(other, generator(4)), all);
      if (seen(value, all) !== seen(other, all)) expect(same).toBe(false);
      // Below a place of which only the kind counts, or beside all places, nothing is seen.
      else if (kind(value) === 'object' && all.every((read) => kind(at(value, read.path.slice(0, -1))) === 'object'))
        expect(same).toBe(true);
    }),
    { numRuns: 1_000 },
  );
});

test('one value has one text, however it is written', () => {
  fc.assert(
    fc.property(tree, reads, fc.nat(), fc.nat(), (value, all, one, two) => {
      expect(project(write(value, generator(one)), all)).toBe(project(write(value, generator(two)), all));
    }),
  );
});

test('places that nobody reads leave no trace, places named besides do', () => {
  const read: InputRead[] = [{ path: ['user', 'role'] }, { path: ['debug'], shape: true }];
  const one = project('{"user":{"role":"a","name":"x"},"debug":false,"id":1}', read);
  expect(project('{ "id": [2, {"user": {}}], "debug": false, "user": {"name": null, "role": "a"} }', read)).toBe(one);
  expect(project('{"user":{"role":"a"},"debug":true}', read)).not.toBe(one);
  expect(project('{"user":{"role":["a"]},"debug":false}', read)).not.toBe(one);
  expect(project('{"user":{"role":"a"},"debug":false,"exp":1}', read, [['exp']])).not.toBe(
    project('{"user":{"role":"a"},"debug":false,"exp":2}', read, [['exp']]),
  );
});

test('the kind of the input itself always counts', () => {
  const texts = ['null', 'true', 'false', '1', '"a"', '[]', '{}'].map((text) => project(text, []));
  expect(new Set(texts).size).toBe(texts.length);
  expect(project('1', [])).toBe(project('2', []));
});
