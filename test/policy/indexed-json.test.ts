import fc from 'fast-check';
import { expect, test } from 'vitest';
import { indexJson, membersOf, placeAt, textOf } from '../../src/policy/content/indexed-json.ts';
import { jsonBytes, nodeAt, parseJson, writeJson } from '../../src/policy/content/json-text.ts';

const key = fc.oneof(
  fc.constantFrom('a', 'b', '0', '1', '', '"', '\\', 'a"b\\', '\u{1f600}', '\ue000', '{', ',', '__proto__'),
  fc.string({ maxLength: 4 }),
);
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom('null', 'true', '12345678901234567890', '-1.50e3'),
    fc.string({ maxLength: 6, unit: 'grapheme' }).map((text) => JSON.stringify(text)),
    fc.array(tie('tree'), { maxLength: 6 }).map((items) => `[${items.join(', ')}]`),
    fc
      .uniqueArray(fc.tuple(key, tie('tree')), { maxLength: 8, selector: ([name]) => name })
      .map((members) => `{${members.map(([name, text]) => `${JSON.stringify(name)}: ${text}`).join(', ')}}`),
  ),
}));

/** Paths to everything in a value, and beside it. */
const pathsIn = (value: unknown): string[][] => {
  const inner = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return [[], ['nowhere'], ...inner.flatMap(([name, item]) => pathsIn(item).map((path) => [name, ...path]))];
};

test('an indexed text gives at each path what the whole tree has there, whatever is indexed', () => {
  fc.assert(
    fc.property(tree as fc.Arbitrary<string>, fc.constantFrom(0, 2, 8, 30, 1000), (text, largeBytes) => {
      const root = parseJson(text);
      const json = jsonBytes(root);
      const indexed = { json, index: indexJson(json, largeBytes) };
      for (const path of pathsIn(JSON.parse(text))) {
        const node = nodeAt(root, path);
        const place = placeAt(indexed, path);
        expect(place === undefined ? undefined : textOf(place)).toBe(node === undefined ? undefined : writeJson(node));
        if (place === undefined || node === undefined) continue;
        const members = [...(membersOf(place) ?? [])].map((member) => [member.key, textOf(member.place)]);
        const all = node.kind === 'object' ? [...node.members].map(([name, item]) => [name, writeJson(item)]) : [];
        expect(new Map(members as [string, string][])).toEqual(new Map(all as [string, string][]));
      }
    }),
    { numRuns: 500 },
  );
});

test('what is small is not indexed', () => {
  const json = jsonBytes(parseJson(JSON.stringify({ a: [1, 2, 3], b: 'x'.repeat(20_000) })));
  expect([...indexJson(json).keys()]).toEqual([0]);
});
