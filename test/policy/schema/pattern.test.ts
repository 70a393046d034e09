import fc from 'fast-check';
import { expect, test } from 'vitest';
import { linearPattern } from '../../../src/policy/schema/pattern.ts';

const free = (): void => {};

const atoms = [
  'a',
  'b',
  '.',
  '[ab]',
  '[^a]',
  '\\d',
  '\\w',
  '\\p{L}',
  'é',
  '\\u{1F600}',
  '\\x61',
  '\\b',
  '^',
  '$',
  '\\B',
];
const quantifiers = ['*', '+', '?', '{2}', '{0,2}', '{1,}', '*?', '{0}'];

const pattern = fc.letrec<{ whole: string }>((tie) => ({
  whole: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(...atoms),
    fc.tuple(tie('whole'), tie('whole')).map((parts) => parts.join('')),
    fc.tuple(tie('whole'), tie('whole')).map(([one, other]) => `(?:${one}|${other})`),
    fc.tuple(tie('whole'), fc.constantFrom(...quantifiers)).map(([part, count]) => `(?:${part})${count}`),
    tie('whole').map((part) => `(${part})`),
  ),
})).whole;

const text = fc.array(fc.constantFrom('a', 'b', '1', ' ', 'é', '😀', '\n', 'Ab')).map((parts) => parts.join(''));

test('a pattern matches what it matches in JavaScript', () => {
  fc.assert(
    fc.property(pattern, text, (source, subject) => {
      // Between the halves of a character there is no boundary, whatever V8 says of \B there.
      fc.pre(!(source.includes('\\B') && subject.includes('😀')));
      expect(linearPattern(source, free)(subject)).toBe(new RegExp(source, 'u').test(subject));
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ['(a+)+$', 'a'],
  ['^(a|aa)*$', 'a'],
  ['a*a*a*a*a*a*b', 'a'],
])('the steps of %s grow with the text, not with the ways through it', (source, letter) => {
  let steps = 0;
  const matches = linearPattern(source, (more) => {
    steps += more;
  });
  expect(matches(`${letter.repeat(10_000)}!`)).toBe(false);
  expect(steps).toBeLessThan(200_000);
});

test.each([
  ['(a)\\1', 'refers back'],
  ['(?=a)b', 'looks ahead or behind'],
  ['(?<!a)b', 'looks ahead or behind'],
  ['(?:a{1000}){1000}', 'repeats too much'],
  ['a{5000}', 'repeats too much'],
  ['(', 'Unterminated group'],
])('%s is refused', (source, why) => {
  expect(() => linearPattern(source, free)).toThrow(why);
});

test('many repetitions of nothing are nothing', () => {
  expect(linearPattern('^(?:(?:(?:){1000}){1000}){1000}$', free)('')).toBe(true);
});
