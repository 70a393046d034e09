import fc from 'fast-check';
import { expect, test } from 'vitest';
import { exactJson, isExactObject } from '../../src/cli/sources/exact-json.ts';
import { regoToExact } from '../../src/cli/sources/rego-json.ts';
import { regoFromJson } from '../../src/rego/index.ts';

const numberText = fc.oneof(
  fc.integer().map(String),
  fc.bigInt().map(String),
  fc.constantFrom('1.0', '-0', '1e400', '0.1e-7', '12345678901234567890.5'),
);

const jsonText: fc.Memo<string> = fc.memo((depth) =>
  depth <= 1
    ? fc.oneof(
        numberText,
        fc.constantFrom('null', 'true', 'false'),
        fc.string().map((s) => JSON.stringify(s)),
      )
    : fc.oneof(
        numberText,
        fc.array(jsonText(depth - 1), { maxLength: 4 }).map((items) => `[${items.join(',')}]`),
        fc
          .uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'Z', '__proto__', 'ä'), jsonText(depth - 1)), {
            selector: ([key]) => key,
            maxLength: 4,
          })
          .map((members) => `{${members.map(([key, item]) => `${JSON.stringify(key)}:${item}`).join(',')}}`),
      ),
);

test('JSON comes out as it went in, whatever its numbers', () => {
  fc.assert(
    fc.property(jsonText(4), (text) => {
      expect(JSON.stringify(exactJson(text))).toBe(text);
    }),
  );
});

test('as a Rego value it keeps its numbers, and its members in the order of their keys', () => {
  const sorted = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(sorted);
    if (!isExactObject(value)) return value;
    const order = Object.keys(value).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    return Object.fromEntries(order.map((key) => [key, sorted(value[key])]));
  };
  fc.assert(
    fc.property(jsonText(4), (text) => {
      expect(JSON.stringify(regoToExact(regoFromJson(text)))).toBe(JSON.stringify(sorted(exactJson(text))));
    }),
  );
});
