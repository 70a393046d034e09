import { describe, expect, test } from 'vitest';
import { typescriptBuiltins } from '../../../src/engine/builtins/index.ts';
import { type RegoValue, regoInteger } from '../../../src/rego/index.ts';
import { callScope } from './scope.ts';

/** The result of a call, or the code of the failure that ended it, and the points that it took. */
const call = (
  name: string,
  ...operands: readonly RegoValue[]
): { readonly result: unknown; readonly points: number } => {
  const { scope, reported } = callScope();
  try {
    return { result: typescriptBuiltins.get(name)?.run(scope, ...operands), points: reported.points };
  } catch (thrown) {
    return { result: (thrown as { readonly code?: string }).code, points: reported.points };
  }
};

const all = regoInteger(-1);

describe('the budget of regular expressions', () => {
  test('grows with the text, and not beyond what pattern and text are together', () => {
    const pointsOf = (length: number) => call('regex.match', '(?:x+x+)+[yz]', 'x'.repeat(length)).points;
    const [short, long] = [pointsOf(4_000), pointsOf(8_000)];
    expect(long - short).toBeGreaterThan(0);
    expect(long).toBeLessThan(short * 3);
  });

  test('counts what is searched again: a match that looks far ahead each time is not free', () => {
    const ahead = call('regex.find_n', '(?:a*b)|a', 'a'.repeat(3_000), all);
    const straight = call('regex.find_n', 'a', 'a'.repeat(3_000), all);
    expect(ahead.result).toBe('budget_exceeded');
    expect(straight.result).toHaveLength(3_000);
  });

  test('is spent before a pattern that becomes very large is compiled', () => {
    for (const pattern of [`(?:${'[a-z]'.repeat(300)}){900}`, 'x*'.repeat(20_000), '((a{10}){10}){10}'.repeat(40)]) {
      expect(call('regex.is_valid', pattern).result).toBe('budget_exceeded');
    }
  });

  test('pays for a pattern once in an evaluation, and again in the next, whatever is in the cache', () => {
    const pattern = '^once [a-z]{1,20}$';
    const { scope, reported } = callScope();
    const match = () => typescriptBuiltins.get('regex.match')?.run(scope, pattern, 'once');
    match();
    const first = reported.points;
    match();
    expect(reported.points - first).toBeLessThan(first / 10);
    expect(call('regex.match', pattern, 'once').points).toBe(first);
  });

  test('a replacement larger than any result ends the evaluation', () => {
    expect(call('regex.replace', 'x'.repeat(2_000), 'x', 'y'.repeat(20_000)).result).toBe('too_large');
  });
});

test('where a pattern asks the tables of Unicode, characters newer than those of OPA have no answer', () => {
  const newer = '\u{1c89}';
  expect(call('regex.match', '^\\p{Lu}$', newer).result).toBe('builtin_error');
  expect(call('regex.match', '(?i)^a', newer).result).toBe('builtin_error');
  expect(call('regex.match', '^.$', newer).result).toBe(true);
  expect(call('regex.match', '^\\p{Lu}$', 'Ä').result).toBe(true);
});

test('groups of any name are found by it, and no name means something else', () => {
  const replaced = (template: string) => call('regex.replace', 'ab', '(?P<constructor>a)(b)', template).result;
  expect(replaced('[$constructor|$2|$toString|$__proto__|$3]')).toBe('[a|b|||]');
});
