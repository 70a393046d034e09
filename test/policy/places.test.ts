import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nodeAt, parseJson, writeJson } from '../../src/policy/content/json-text.ts';
import { placeIn } from '../../src/policy/content/places.ts';

type Value = null | boolean | number | string | Value[] | { [key: string]: Value };

const pathsOf = (value: Value, at: readonly string[] = []): string[][] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([key, item]) => [[...at, key], ...pathsOf(item, [...at, key])]);

const after = (text: string, { row, col }: { row: number; col: number }): string => {
  const [first = '', ...rest] = text.split('\n').slice(row - 1);
  return [[...first].slice(col - 1).join(''), ...rest].join('\n');
};

const documents = fc.jsonValue({ maxDepth: 4, noUnicodeString: false }) as fc.Arbitrary<Value>;

test('the place of every value in a JSON text is where its key, or the item, begins', () => {
  fc.assert(
    fc.property(documents, fc.constantFrom(0, 2, '\t'), (value, indent) => {
      const text = JSON.stringify(value, undefined, indent);
      for (const path of pathsOf(value)) {
        const rest = after(text, placeIn('data.json', text, path));
        const name = path.at(-1) ?? '';
        const above = nodeAt(parseJson(text), path.slice(0, -1));
        if (above?.kind === 'object') expect(rest.startsWith(`${JSON.stringify(name)}:`)).toBe(true);
        else expect(writeJson(parseJson(rest))).toBe(writeJson(nodeAt(parseJson(text), path)!));
      }
    }),
  );
});

test.each([
  ['data.json', '{"a": {"b": 1}}', ['a', 'c'], { row: 1, col: 2 }],
  ['data.json', '{}', ['a'], { row: 1, col: 1 }],
  ['data.json', '7', ['a'], { row: 1, col: 1 }],
  ['data.yaml', '# said\nroles:\n  - name: a\n  - name: b\n', ['roles', '1', 'name'], { row: 4, col: 5 }],
  ['data.yaml', 'a: {b: 1}\n', ['a', 'c'], { row: 1, col: 1 }],
])('%s %j: %j stands at %j', (file, text, path, place) => {
  expect(placeIn(file, text, path)).toEqual(place);
});
