import { expect, test } from 'vitest';
import { nearestName } from '../../src/canonical/index.ts';

test('the name with the fewest other letters is meant, a third of them at most', () => {
  expect(nearestName('shop/alow', ['shop/deny', 'shop/allow', 'shop/allowed'])).toBe('shop/allow');
  expect(nearestName('Allow', ['allow'])).toBe('allow');
  expect(nearestName('shop/allow', ['bank/grant'])).toBeUndefined();
  expect(nearestName('x'.repeat(200), ['x'.repeat(199)])).toBeUndefined();
});

test.each([
  ['a letter that is missing', 'shop/r9876/alow'],
  ['a letter too many', 'shop/r9876/alllow'],
  ['a wrong letter', 'shop/r9876/ellow'],
  ['two in the wrong order', 'shop/r9876/lalow'],
  ['a part of the path', 'shop/r9876/allows'],
])('it is found among ten thousand like it: %s', (_, slip) => {
  const names = Array.from({ length: 10_000 }, (_item, at) => `shop/r${String(at).padStart(4, '0')}/allow`);
  expect(nearestName(slip, names)).toBe('shop/r9876/allow');
  expect(nearestName(slip, names.toReversed())).toBe('shop/r9876/allow');
});
