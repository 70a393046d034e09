import type { AnswerObserver, CacheState, Outcome, RequestObserver } from '../../decision/model.ts';
import { createHistogram } from './histogram.ts';
import type { ListenerName, Sample } from './model.ts';

// Counted on the way of every answer: plain numbers in arrays, which become samples when somebody reads them.

const outcomes = ['permit', 'refuse', 'data', 'undefined', 'failed'] as const satisfies readonly Outcome[];
const states = ['hit', 'miss', 'bypass', 'uncacheable'] as const satisfies readonly CacheState[];
const outcomeAt: { readonly [Name in Outcome]: number } = {
  permit: 0,
  refuse: 1,
  data: 2,
  undefined: 3,
  failed: 4,
};
const stateAt: { readonly [Name in CacheState]: number } = { hit: 0, miss: 1, bypass: 2, uncacheable: 3 };
const PER_WIRE = outcomes.length * states.length;

/** Counts by one name out of a closed set of ours; what would go past the bound is counted together. */
const createNamedCounts = (most: number) => {
  const counts = new Map<string, number>();
  return {
    add: (name: string): void => {
      const known = counts.has(name) || counts.size < most ? name : 'other';
      counts.set(known, (counts.get(known) ?? 0) + 1);
    },
    entries: (): readonly (readonly [string, number])[] => [...counts],
  };
};

const STATUS_CLASSES = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const;

const MOST_WIRES = 32;
const MOST_REASONS = 100;

const createListenerCounts = () => ({
  statuses: new Float64Array(STATUS_CLASSES.length),
  refusals: createNamedCounts(MOST_REASONS),
});

/** What was asked and answered since the start. */
export const createTraffic = () => {
  const wires = new Map<string, number>();
  const decisions = new Float64Array(MOST_WIRES * PER_WIRE);
  const durations = states.map(createHistogram);
  const evaluation = createHistogram();
  const failures = createNamedCounts(MOST_REASONS);
  const listeners = { http: createListenerCounts(), grpc: createListenerCounts(), admin: createListenerCounts() };

  /** The wires are a closed set of the decision part: they are numbered as they come. */
  const numberOf = (wire: string): number => {
    const known = wires.get(wire);
    if (known !== undefined) return known;
    const number = Math.min(wires.size, MOST_WIRES - 1);
    wires.set(wire, number);
    return number;
  };

  const onAnswer: AnswerObserver = (answer, { wire }, durationMs) => {
    const state = stateAt[answer.cache];
    const at = numberOf(wire) * PER_WIRE + outcomeAt[answer.outcome] * states.length + state;
    decisions[at] = (decisions[at] as number) + 1;
    durations[state]?.observe(durationMs / 1000);
    const { evaluationNs, verdict } = answer;
    if (evaluationNs !== undefined && evaluationNs > 0) evaluation.observe(evaluationNs / 1e9);
    if (verdict.kind === 'failed') failures.add(verdict.error.code);
  };

  return {
    onAnswer,
    listener: (name: ListenerName): RequestObserver => {
      const { statuses, refusals } = listeners[name];
      return {
        responded: (status) => {
          const at = Math.floor(status / 100) - 1;
          if (statuses[at] !== undefined) statuses[at] += 1;
        },
        refused: refusals.add,
      };
    },

    decisions: (): readonly Sample[] =>
      [...wires].flatMap(([wire, number]) =>
        outcomes.flatMap((outcome, row) =>
          states.flatMap((cache, column): Sample[] => {
            const value = decisions[number * PER_WIRE + row * states.length + column] ?? 0;
            return value === 0 ? [] : [{ labels: { outcome, wire, cache }, value }];
          }),
        ),
      ),
    durations: (name: string): readonly Sample[] =>
      states.flatMap((cache, at) => durations[at]?.samples(name, { cache }) ?? []),
    evaluations: (name: string): readonly Sample[] => evaluation.samples(name),
    failures: (): readonly Sample[] => failures.entries().map(([reason, value]) => ({ labels: { reason }, value })),
    requests: (): readonly Sample[] =>
      Object.entries(listeners).flatMap(([listener, { statuses }]) =>
        STATUS_CLASSES.flatMap((status, at): Sample[] => {
          const value = statuses[at] ?? 0;
          return value === 0 ? [] : [{ labels: { listener, status }, value }];
        }),
      ),
    refusals: (): readonly Sample[] =>
      Object.entries(listeners).flatMap(([listener, { refusals }]) =>
        refusals.entries().map(([reason, value]) => ({ labels: { listener, reason }, value })),
      ),
  };
};

export type Traffic = ReturnType<typeof createTraffic>;
