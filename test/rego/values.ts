import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { RegoBytes, RegoNumber, type RegoValue, regoObject, regoSet } from '../../src/rego/index.ts';

const digits = (maxLength: number) =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength }).map((list) => list.join(''));

/** Numbers as JSON writes them, far beyond what a double holds. */
const numbers = fc
  .record({
    sign: fc.constantFrom('', '-'),
    whole: digits(40).map((text) => text.replace(/^0+(?=\d)/, '')),
    fraction: fc.option(digits(20), { nil: undefined }),
    exponent: fc.option(fc.integer({ min: -300, max: 300 }), { nil: undefined }),
  })
  .map(({ sign, whole, fraction, exponent }) => {
    const tail = `${fraction === undefined ? '' : `.${fraction}`}${exponent === undefined ? '' : `e${exponent}`}`;
    return new RegoNumber(sign + whole + tail);
  });

const bytes = fc
  .uint8Array({ minLength: 1, maxLength: 12 })
  .filter((list) => !isUtf8(list))
  .map((list) => new RegoBytes(list));

const strings = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.string({ maxLength: 200 }),
  fc.constantFrom('', '\0', '\uFEFF', 'a\0b', '__proto__', '\u{1F600}', '\uFFFD', '\u007F\u0080'),
);

/** Every kind of Rego value, nested: the kinds that only Rego has (sets, keys that are no strings, raw bytes) too. */
export const regoValues: fc.Arbitrary<RegoValue> = fc.letrec<{ value: RegoValue; leaf: RegoValue }>((tie) => ({
  leaf: fc.oneof(fc.constant(null), fc.boolean(), numbers, strings, bytes),
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    tie('leaf'),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.array(tie('value'), { maxLength: 5 }).map(regoSet),
    fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 5 }).map(regoObject),
  ),
})).value;
