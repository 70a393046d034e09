import fc from 'fast-check';
import { RegoBytes, RegoNumber, type RegoValue, regoInteger, regoObject, regoSet } from '../../../../src/rego/index.ts';

/** Lists of operands for each builtin of a family. */
export type OperandTable = ReadonlyMap<string, fc.Arbitrary<readonly RegoValue[]>>;

export const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }).map((value) => value.toWellFormed()),
);
export const bytes = fc.uint8Array({ maxLength: 80 }).map((value) => {
  const decoded = Buffer.from(value).toString('utf8');
  return Buffer.from(decoded).equals(Buffer.from(value)) ? decoded : new RegoBytes(value);
});
export const number = fc.oneof(
  fc.integer().map(regoInteger),
  fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }).map(regoInteger),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => new RegoNumber(String(value))),
);
export const { value: anyValue } = fc.letrec<{ value: RegoValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom<RegoValue>(null, true, false),
    number,
    text,
    bytes,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.array(tie('value'), { maxLength: 3 }).map(regoSet),
    fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 3 }).map(regoObject),
  ),
}));

/** Mostly operands that fit, and any value at times. */
export const operand = (fitting: fc.Arbitrary<RegoValue>) => fc.oneof({ weight: 6, arbitrary: fitting }, anyValue);

export const message = operand(fc.oneof(text, bytes));
