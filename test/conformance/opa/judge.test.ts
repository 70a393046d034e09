import { describe, expect, test } from 'vitest';
import type { Evaluation } from '../../../src/engine/index.ts';
import { regoInteger, regoObject } from '../../../src/rego/index.ts';
import type { Want } from './cases.ts';
import { answerOf, judge } from './judge.ts';
import { type Outcome, tallyOf } from './report.ts';

const basis = { nowNs: 0n, volatile: false, tokens: [], nonDeterministic: [], instructions: 0 };
const judged = (want: Want, evaluation: Pick<Evaluation, 'kind'> & object): string | undefined =>
  judge(want, answerOf({ basis, ...evaluation } as unknown as Evaluation));

const x = (value: number) => regoObject([['x', regoInteger(value)]]);
const result = (sorted: boolean, ...solutions: readonly number[]): Want => ({
  kind: 'result',
  sorted,
  solutions: solutions.map(x),
});

describe('judging a case', () => {
  test('solutions are compared as a set, numbers by value', () => {
    expect(judged(result(false, 1, 2), { kind: 'defined', json: '[{"x":2.0},{"x":1}]' } as never)).toBeUndefined();
    expect(judged(result(false, 1, 2), { kind: 'defined', json: '[{"x":1}]' } as never)).toMatch(/wanted .* found/);
    expect(judged(result(false, 1), { kind: 'undefined' })).toMatch(/wanted/);
    expect(judged(result(false), { kind: 'undefined' })).toBeUndefined();
  });

  test('bindings are sorted only where the case asks for it', () => {
    const want = (sorted: boolean): Want => ({
      kind: 'result',
      sorted,
      solutions: [regoObject([['x', [regoInteger(1), regoInteger(2)]]])],
    });
    const evaluation = { kind: 'defined', json: '[{"x":[2,1]}]' } as never;
    expect(judged(want(true), evaluation)).toBeUndefined();
    expect(judged(want(false), evaluation)).toMatch(/wanted/);
  });

  test('an error under strict errors is undefined here, any other must be a conflict', () => {
    const want = (strict: boolean): Want => ({ kind: 'error', code: 'eval_conflict_error', strict });
    expect(judged(want(true), { kind: 'undefined' })).toBeUndefined();
    expect(judged(want(true), { kind: 'defined', json: '[{"x":1}]' } as never)).toMatch(/wanted no result/);
    expect(judged(want(false), { kind: 'undefined' })).toMatch(/wanted/);
    expect(judged(want(false), { kind: 'failed', code: 'conflict', message: '' } as never)).toBeUndefined();
    expect(judged(want(false), { kind: 'failed', code: 'engine_error', message: '' } as never)).toMatch(/wanted/);
  });

  test('a failed evaluation is never what a case with a result wants', () => {
    const failed = { kind: 'failed', code: 'engine_error', message: 'm' } as never;
    expect(judged(result(false), failed)).toMatch(/engine_error/);
    expect(judged({ kind: 'defined', value: false }, failed)).toMatch(/engine_error/);
  });
});

describe('the list of known failures', () => {
  const outcome = (note: string, problem?: string): Outcome => ({
    version: 'v1',
    topic: 't',
    note,
    ...(problem === undefined ? {} : { stage: 'evaluate', problem }),
  });

  test('a failure outside of it counts, and so does a line that has lost its reason', () => {
    const outcomes = [outcome('a', 'wrong'), outcome('b', 'wrong'), outcome('c')];
    const tally = tallyOf(outcomes, [
      { note: 'a', reason: '' },
      { note: 'c', reason: '' },
      { note: 'gone', reason: '' },
    ]);
    expect(tally.failed.map(({ note }) => note)).toEqual(['b']);
    expect(tally.known.map(({ note }) => note)).toEqual(['a']);
    expect(tally.stale.map(({ note }) => note)).toEqual(['c', 'gone']);
  });
});
