import { expect, test } from 'vitest';
import { check, faultOf, isChosen, Mismatch, source, spread } from '../../bench/measure.ts';
import { todo } from '../../bench/policies/todo.ts';
import { report } from '../../bench/report.ts';
import type { Lane, Told } from '../../bench/wire/lane.ts';

test('a case is chosen by any of its parts, or by several', () => {
  const parts = ['rules', 'batch', 'grpc'] as const;
  expect(isChosen([], parts)).toBe(true);
  expect(isChosen(['todo', 'rules'], parts)).toBe(true);
  expect(isChosen(['rules/grpc'], parts)).toBe(true);
  expect(isChosen(['rules/hit', 'todo', 'http'], parts)).toBe(false);
});

test('the median of an even number of rounds lies between its two middle ones', () => {
  expect(spread([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4 });
  expect(spread([9, 1, 3])).toEqual({ median: 3, min: 1, max: 9 });
});

/** A server that answers all questions as `tell` has it. */
const laneThat = (tell: (right: readonly boolean[]) => Told): Lane => ({
  server: 'Nobody',
  wire: 'http',
  remembers: false,
  ask: async ({ next, onTold }) => {
    let n = 0;
    for (let asked = next(n); asked !== undefined; asked = next(++n)) {
      onTold?.(tell(asked.questions.map(({ isPermitted }) => isPermitted)), asked);
    }
    return { answered: n, latencies: new Float64Array(n), unanswered: 0 };
  },
});

const checking = (lane: Lane, kind: 'hit' | 'miss' | 'batch' = 'miss') =>
  check({ scenario: todo, kind, lane, next: source(todo, kind) });

test('a wrong answer, a missing answer and one from the wrong place each end the run', async () => {
  await expect(checking(laneThat((permits) => ({ permits })))).resolves.toMatchObject({ questions: 500 });
  await expect(checking(laneThat((right) => ({ permits: right.map((one) => !one) })))).rejects.toThrow(Mismatch);
  await expect(
    checking(
      laneThat((right) => ({ permits: right.slice(1) })),
      'batch',
    ),
  ).rejects.toThrow('49 answers');
  await expect(checking(laneThat((permits) => ({ permits, cache: 'hit' })))).rejects.toThrow('the answer is a hit');
  await expect(
    checking(
      laneThat((permits) => ({ permits, cache: 'miss' })),
      'hit',
    ),
  ).rejects.toThrow('is a miss');
});

test('a fault names what was asked', () => {
  const asked = source(todo, 'hit')(0);
  const [{ isPermitted, action }] = asked.questions as [(typeof asked.questions)[0]];
  expect(faultOf({ permits: [isPermitted] }, asked)).toBeUndefined();
  expect(faultOf({ permits: [!isPermitted] }, asked)).toContain(action);
});

test('the report has the cost of one decision of a batch, and the ratio to OPA where OPA was asked', () => {
  const sample = { rps: 100, cpuUs: 5_000, p50Ms: 1, p99Ms: 2 };
  const text = report(
    { command: 'node bench/service.ts', versions: ['OPA 1.22.2'], connections: 16, rounds: 2, seconds: 1 },
    [
      {
        scenario: todo,
        permitted: 0.5,
        resident: new Map([['OPA', { ready: 40 * 2 ** 20, last: 50 * 2 ** 20 }]]),
        rows: [
          { kind: 'batch', server: 'OPA', wire: 'http', samples: [sample, sample] },
          { kind: 'batch', server: 'Verdict', wire: 'http', samples: [{ ...sample, cpuUs: 2_500 }] },
          { kind: 'hit', server: 'Verdict', wire: 'grpc', samples: [sample] },
        ],
      },
    ],
  );
  expect(text).toContain('| batch | OPA, HTTP | 100 (100..100) | 5000 (5000..5000) | 100 | 1.00 | 1.00 / 2.00 |');
  expect(text).toContain('| batch | Verdict, HTTP | 100 (100..100) | 2500 (2500..2500) | 50.0 | 0.50 | 1.00 / 2.00 |');
  expect(text).toContain('| hit | Verdict, gRPC | 100 (100..100) | 5000 (5000..5000) | 5000 | - | 1.00 / 2.00 |');
  expect(text).toContain('Resident MiB when ready, and after the last round: OPA 40, 50.');
});
