import fc from 'fast-check';
import { expect, test } from 'vitest';
import { valueFromJson } from '../../src/canonical/index.ts';

const unicodeEscape = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Part of a key: what it is, and a text for it. */
const part = fc.oneof(
  fc.constantFrom(['\\', '\\\\'], ['"', '\\"'], ['/', '\\/'], ['\n', '\\n'], ['a', 'a'], ['é', 'é']),
  fc.constantFrom('\\', '"', 'a', 'u', 'Ж', ':').map((unit) => [unit, unicodeEscape(unit)]),
);

const key = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => ({
  name: parts.map(([name]) => name).join(''),
  text: `"${parts.map(([, text]) => text).join('')}"`,
}));

const keys = fc.uniqueArray(key, { selector: ({ name }) => name, minLength: 1, maxLength: 3 });

const space = fc.constantFrom('', ' ', '\n\t');

test('objects of a like shape, one after the other, have the keys that their texts have', () => {
  fc.assert(
    fc.property(fc.array(keys, { minLength: 2, maxLength: 8 }), space, (objects, between) => {
      for (const members of objects) {
        const text = `{"x":1${members.map((one, at) => `,${between}${one.text}${between}:${at}`).join('')}}`;
        const wanted = ['x', ...members.map(({ name }) => name)];
        expect(Object.keys(valueFromJson(text) as object)).toEqual(wanted);
        const named = valueFromJson(`[${text}]`, (value) => (Array.isArray(value) ? value[0] : value));
        expect(Object.keys(named as object)).toEqual(wanted);
      }
    }),
  );
});

test('a key is not taken for one with a backslash that stood there in another text', () => {
  valueFromJson('{"id":1,"\\\\":1,"a":2}');
  expect(valueFromJson('{"id":1,"\\"":1,"a":2}')).toEqual({ id: 1, '"': 1, a: 2 });
  valueFromJson('{"ab":1,"a\\\\":1}');
  expect(valueFromJson('{"ab":1,"a\\u0062":1}')).toEqual({ ab: 1 });
});

test('any other text is read as JSON.parse reads it, with and without a key that is escaped', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), space, (text, between) => {
      const spaced = `${between}${JSON.stringify(JSON.parse(text), null, between)}${between}`;
      for (const own of [spaced, `{"\\u006bey":${between}${spaced}${between}}`, `[{"\\u006bey":[]},${spaced}]`])
        expect(JSON.stringify(valueFromJson(own))).toBe(JSON.stringify(JSON.parse(own)));
    }),
  );
});

test('a member __proto__ is a member, and of a name that stands twice the last counts', () => {
  const value = valueFromJson('{"__proto__":{"a":1},"\\u0062":1,"b":2}') as object;
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  expect(Object.entries(value)).toEqual([
    ['__proto__', { a: 1 }],
    ['b', 2],
  ]);
});

test.each(['{"x":1}', '{"\\u0078":1}'])('numbers are told as they are written: %s', (text) => {
  const told: unknown[] = [];
  const number = (value: unknown, source: string | undefined): unknown => {
    told.push(source);
    return value;
  };
  valueFromJson(text.replace('1', '[1.0,-0,1e400,"\\n",{},null]'), number);
  expect(told).toEqual(['1.0', '-0', '1e400', '"\\n"', undefined, 'null', undefined, undefined]);
});

test.each(['', '\\', '{"\\u0061":1', '{"\\x":1}', '"\\', '{"\\u0061":1}}'])('what is no JSON throws: %j', (text) => {
  expect(() => valueFromJson(text)).toThrow(SyntaxError);
});

test('a text that is nested deeply and has an escaped key is read', () => {
  const depth = 100_000;
  let value = valueFromJson(`${'['.repeat(depth)}{"\\"":1}${']'.repeat(depth)}`);
  while (Array.isArray(value)) value = value[0];
  expect(value).toEqual({ '"': 1 });
});
