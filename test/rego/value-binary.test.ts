import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import {
  compileRegoModule,
  decodeTerms,
  encodeTerms,
  instantiateRego,
  RegoBytes,
  type RegoModule,
  RegoNumber,
  RegoObject,
  RegoSet,
  type RegoValue,
  regoInteger,
  regoSet,
} from '../../src/rego/index.ts';
import { regoValues } from './values.ts';

let rego: RegoModule;
beforeAll(async () => {
  rego = instantiateRego(await compileRegoModule());
  rego.begin({ nowNs: 0n, seed: new Uint8Array(32) });
});

/** What OPA makes of a value that passes through it: the default of object.get is answered as it came. */
const throughOpa = (value: RegoValue): RegoValue => {
  const result = rego.call('object.get', [new RegoObject([]), 'absent', value]);
  if (result.kind !== 'value') throw new Error(`a value was expected, OPA answered ${JSON.stringify(result)}`);
  return result.value;
};

test('what is encoded is decoded, every kind of value', () => {
  fc.assert(
    fc.property(fc.array(regoValues, { maxLength: 4 }), (values) => {
      expect(decodeTerms(encodeTerms(values))).toEqual(values);
    }),
    { numRuns: 300 },
  );
});

test('a value passes through OPA unchanged, and in the same order', () => {
  fc.assert(
    fc.property(regoValues, (value) => {
      expect(throughOpa(value)).toEqual(value);
    }),
    { numRuns: 300 },
  );
});

test('OPA orders and deduplicates sets as our own sets do', () => {
  const items = fc.array(regoValues, { maxLength: 8 });
  fc.assert(
    fc.property(items, (values) => {
      expect(throughOpa(new RegoSet(values))).toEqual(regoSet(values));
    }),
    { numRuns: 300 },
  );
});

test.each([
  ['NUL', 'a\0b'],
  ['a byte order mark', '\uFEFFa'],
  ['astral characters', '\u{10FFFF}\u{1F600}'],
  ['bytes that are no UTF-8', new RegoBytes(Uint8Array.of(0x61, 0xff, 0xc0, 0x80))],
  ['a number beyond doubles', new RegoNumber('-1234567890123456789012345678901234567890.5e-7')],
  ['a string longer than one length byte tells', 'x'.repeat(100_000)],
  ['two hundred levels', Array.from({ length: 200 }).reduce<RegoValue>((inner) => [inner], null)],
])('%s passes both ways', (_, value) => {
  expect(decodeTerms(encodeTerms([value]))).toEqual([value]);
  expect(throughOpa(value)).toEqual(value);
});

test('a lone surrogate becomes U+FFFD: Rego strings have none', () => {
  expect(decodeTerms(encodeTerms(['a\ud800b']))).toEqual(['a\ufffdb']);
});

test('bytes that are no list of values are refused, whatever they are', () => {
  const whole = encodeTerms([['a', regoInteger(1), regoSet(['b'])]]);
  for (let cut = 0; cut < whole.length; cut++) expect(() => decodeTerms(whole.subarray(0, cut))).toThrow();
  expect(() => decodeTerms(Uint8Array.of(...whole, 0))).toThrow('bytes follow');
  expect(() => decodeTerms(Uint8Array.of(1, 99))).toThrow('unknown tag');
  expect(() => decodeTerms(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0x7f))).toThrow('too early');
});

test('a value nested too deeply is refused on the way in, and OPA goes on', () => {
  const deep = Array.from({ length: 3_000 }).reduce<RegoValue>((inner) => [inner], null);
  expect(() => encodeTerms([deep])).toThrow('deep');
  expect(rego.call('count', [deep])).toMatchObject({ kind: 'error', halt: true });
  const unpacked = rego.call('json.unmarshal', ['['.repeat(3_000) + ']'.repeat(3_000)]);
  expect(unpacked).toMatchObject({ kind: 'error', message: expect.stringContaining('deep') });
  expect(rego.call('count', [['a']])).toEqual({ kind: 'value', value: regoInteger(1) });
});

test('a text that is no number is refused by OPA', () => {
  for (const text of ['', '-', '1.', '.5', '1e', '0x1', 'NaN', '1 ', '٣']) {
    expect(rego.call('abs', [new RegoNumber(text)])).toMatchObject({ kind: 'error', halt: true });
  }
});
