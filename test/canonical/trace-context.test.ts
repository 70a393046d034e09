import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseTraceparent } from '../../src/canonical/index.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

const hex = (digits: number) =>
  fc
    .array(fc.constantFrom(...'0123456789abcdef'), { minLength: digits, maxLength: digits })
    .map((found) => found.join(''))
    .filter((text) => /[^0]/.test(text));

test('what the standard calls valid is read back, for every id and flag', () => {
  fc.assert(
    fc.property(hex(32), hex(16), fc.nat(255), (traceId, spanId, flags) => {
      const text = `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, '0')}`;
      expect(parseTraceparent(text)).toEqual({ traceId, spanId, sampled: flags % 2 === 1 });
    }),
  );
});

test('a later version is read as far as it is known', () => {
  const known = { traceId: TRACE, spanId: SPAN, sampled: true };
  expect(parseTraceparent(`01-${TRACE}-${SPAN}-01`)).toEqual(known);
  expect(parseTraceparent(`cc-${TRACE}-${SPAN}-01-what-the-future-will-be-like`)).toEqual(known);
  expect(parseTraceparent(`cc-${TRACE}-${SPAN}-01.what-the-future-will-be-like`)).toBeUndefined();
});

test.each([
  '',
  '00',
  `00-${TRACE}-${SPAN}`,
  `00-${TRACE}-${SPAN}-01-more`,
  `00-${TRACE}-${SPAN}-01-`,
  `ff-${TRACE}-${SPAN}-01`,
  `00-${'0'.repeat(32)}-${SPAN}-01`,
  `00-${TRACE}-${'0'.repeat(16)}-01`,
  `00-${TRACE.toUpperCase()}-${SPAN}-01`,
  `00-${TRACE}-${SPAN}-0g`,
  `00-${TRACE.slice(1)}-${SPAN}0-01`,
  ` 00-${TRACE}-${SPAN}-01`,
  `00-${TRACE}-${SPAN}-01\n`,
  `00-${TRACE}-${SPAN}-0100-${TRACE}-${SPAN}-01`,
  `cc-${TRACE}-${SPAN}-01-${'x'.repeat(10_000)}`,
])('%j stands in no trace', (text) => {
  expect(parseTraceparent(text)).toBeUndefined();
});

test('no text makes it throw, and what is read is made of the digits that came', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 80 }), (text) => {
      const found = parseTraceparent(text);
      if (found !== undefined) expect(text).toContain(`${found.traceId}-${found.spanId}`);
    }),
  );
});
