import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dumpValue, parseValue, ValueTextError } from '../../../src/engine/values/value-text.ts';
import type { RegoValue } from '../../../src/rego/index.ts';
import { equalValues, RegoBytes, RegoNumber, regoInteger, regoObject, regoSet } from '../../../src/rego/index.ts';

const parse = (text: string | Uint8Array): RegoValue => parseValue(Buffer.from(text as string));

const value = fc.letrec<{ value: RegoValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom<RegoValue>(null, true, false, '', '\u0000', 'a"\\\n', 'set()', '{1}'),
    fc.string({ unit: 'binary' }).map((text) => text.toWellFormed()),
    fc
      .constantFrom('0', '-1', '1e400', '15.00', '1E+30', '9007199254740993', '0.1')
      .map((text) => new RegoNumber(text)),
    fc.bigInt().map(regoInteger),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(tie('value'), { maxLength: 4 }).map(regoSet),
    fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 4 }).map(regoObject),
  ),
})).value;

describe('the text form of Rego values', () => {
  test('reading what was written gives the value again', () => {
    fc.assert(
      fc.property(value, (each) => equalValues(parse(dumpValue(each)), each)),
      { numRuns: 500 },
    );
  });

  test('keeps the text of numbers', () => {
    for (const text of ['1.0', '1E+30', '-0', '15.00', '1e400']) expect(dumpValue(parse(text))).toBe(text);
  });

  test('tells sets from objects, also empty ones', () => {
    expect(parse('{2,1,1}')).toEqual(regoSet([regoInteger(1), regoInteger(2)]));
    expect(parse('set()')).toEqual(regoSet([]));
    expect(parse('{}')).toEqual(regoObject([]));
    expect(parse('{{1}:{}}')).toEqual(regoObject([[regoSet([regoInteger(1)]), regoObject([])]]));
    expect(dumpValue([regoSet([]), regoObject([]), regoSet(['a'])])).toBe('[set(),{},{"a"}]');
  });

  test('strings may hold any bytes', () => {
    const bytes = Buffer.concat([Buffer.from('"a\\u0001'), Buffer.from([0xff]), Buffer.from('"')]);
    const read = parse(bytes);
    expect(read).toBeInstanceOf(RegoBytes);
    expect([...(read as RegoBytes).bytes]).toEqual([0x61, 1, 0xff]);
    expect(dumpValue(read)).toBe('"a\\u0001\ufffd"');
    expect(dumpValue('\ud800x')).toBe('"\ufffdx"');
  });

  test('escapes are those of JSON', () => {
    expect(parse('"\\b\\f\\n\\r\\t\\/\\\\\\"\\u00e9\\ud83d\\ude00é"')).toBe('\b\f\n\r\t/\\"é😀é');
  });

  test.each(['', '{', '[1', '{1', '{1:', '"a', 'tru', 'set(', '1 2', '[1,]', '-', '1.e', '"\\x"', '{1:2,3}', '\u0000'])(
    '%j is no value',
    (text) => {
      expect(() => parse(text)).toThrow(ValueTextError);
    },
  );

  test('nesting beyond any bound is refused, not a stack overflow', () => {
    expect(() => parse('['.repeat(100_000))).toThrow(ValueTextError);
    let deep: RegoValue = [];
    for (let depth = 0; depth < 20_000; depth++) deep = [deep];
    expect(() => dumpValue(deep)).toThrow(ValueTextError);
  });
});
