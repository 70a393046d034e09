import * as fc from 'fast-check';

/** Few keys, so that two documents have some of them in common; some that are written with escapes. */
const key = fc.constantFrom('a', 'b', 'ab', '', '__proto__', '"', '\\', '\u0001', 'é', '\ue000', '😀');
const scalar = fc.oneof(
  fc.integer({ min: -20, max: 200 }),
  fc.constantFrom(0.5, 1e30, -12.25),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom('', 'a', '"}', '\\', '{,', '😀'),
);

interface Nested {
  readonly value: unknown;
  readonly object: { [key: string]: unknown };
}

const { object } = fc.letrec<Nested>((tie) => ({
  value: fc.oneof({ depthSize: 'small' }, scalar, fc.array(tie('value'), { maxLength: 3 }), tie('object')),
  object: fc
    .array(fc.tuple(key, tie('value')), { maxLength: 6 })
    .map((entries) => Object.fromEntries(entries) as Nested['object']),
}));

/** A document and another that may have much of it in it. */
export const documents = fc
  .tuple(object, object, fc.boolean())
  .map(([before, other, isSimilar]) => ({ before, after: isSimilar ? { ...before, ...other } : other }));
