import { cpuMicroseconds } from './processes.ts';
import { type Evaluated, type Kind, pick, questionsOf, REPEATED } from './scenario.ts';
import type { Asked, Lane, Told, Wire } from './wire/lane.ts';

/** One lane under one kind of question, for some seconds. */
export interface Sample {
  readonly rps: number;
  /** CPU time of the server for one request, microseconds. */
  readonly cpuUs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Answers that are wrong, or were not made in the way that is to be measured. */
export class Mismatch extends Error {}

/** What is measured in one line of the report. */
export interface Case {
  readonly scenario: Evaluated;
  readonly kind: Kind;
  readonly lane: Lane;
  /** The questions of its n-th request. */
  readonly next: (n: number) => Asked;
}

// No number of a new question comes twice in a run, whoever is asked.
let fresh = REPEATED;

/** Requests of a kind: those of `hit` come round again, all others are new. */
export const source = (scenario: Evaluated, kind: Kind): Case['next'] => {
  const asked = (n: number): Asked => ({ questions: questionsOf(scenario, kind, n), isBatch: kind === 'batch' });
  if (kind !== 'hit') return () => asked(fresh++);
  const repeated = Array.from({ length: REPEATED }, (_, n) => asked(n));
  return (n) => pick(repeated, n);
};

/** For one round of the questions of `hit`, or so many requests of another kind. */
export const CHECKED: { readonly [kind in Kind]: number } = { hit: REPEATED, miss: 500, batch: 20 };

/** What is wrong with an answer, as a sentence; undefined when nothing is. */
export const faultOf = (told: Told, { questions }: Asked): string | undefined => {
  if (told.permits.length !== questions.length)
    return `${told.permits.length} answers to ${questions.length} questions`;
  const wrong = questions.find(({ isPermitted }, at) => told.permits[at] !== isPermitted);
  return wrong && `answered ${!wrong.isPermitted}, ${wrong.isPermitted} is right: ${JSON.stringify(wrong)}`;
};

export interface Checked {
  readonly questions: number;
  readonly permitted: number;
}

/** Who remembers answers has seen these questions then: asked twice, as a repetition may be needed to be noticed. */
const prime = async ({ kind, lane, next }: Case): Promise<void> => {
  if (kind !== 'hit' || !lane.remembers) return;
  await lane.ask({ connections: 8, next: (n) => (n < 2 * REPEATED ? next(n) : undefined) });
};

/** Asks some of what will be measured, and throws a Mismatch unless every answer is right and made as it should be. */
export const check = async (one: Case, checked = CHECKED): Promise<Checked> => {
  const { scenario, kind, lane, next } = one;
  let fault: string | undefined;
  let questions = 0;
  let permitted = 0;
  const onTold = (told: Told, asked: Asked): void => {
    fault ??= faultOf(told, asked);
    if (kind !== 'batch' && told.cache !== undefined && told.cache !== kind) fault ??= `the answer is a ${told.cache}`;
    questions += asked.questions.length;
    permitted += told.permits.filter(Boolean).length;
  };
  await prime(one);
  const requests = checked[kind];
  await lane.ask({ connections: 8, next: (n) => (n < requests && fault === undefined ? next(n) : undefined), onTold });
  if (fault !== undefined) throw new Mismatch(`${lane.server}, ${scenario.name}/${kind}/${lane.wire}: ${fault}`);
  return { questions, permitted };
};

const quantile = (sorted: Float64Array, share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;

export interface MeasureOptions {
  /** The server's process. */
  readonly pid: number;
  readonly connections: number;
  readonly milliseconds: number;
}

/** Asks for so long, and reads the server's CPU time before and after. */
export const measure = async (one: Case, { pid, connections, milliseconds }: MeasureOptions): Promise<Sample> => {
  await prime(one);
  const startedAt = performance.now();
  const cpuBefore = cpuMicroseconds(pid);
  const { answered, latencies } = await one.lane.ask({
    connections,
    next: (n) => (performance.now() - startedAt < milliseconds ? one.next(n) : undefined),
  });
  const seconds = (performance.now() - startedAt) / 1_000;
  const sorted = latencies.sort();
  return {
    rps: answered / seconds,
    cpuUs: (cpuMicroseconds(pid) - cpuBefore) / answered,
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
  };
};

/** The middle of the rounds, and how far they lie apart. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export const spread = (numbers: readonly number[]): Spread => {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.slice(Math.floor((sorted.length - 1) / 2), Math.floor(sorted.length / 2) + 1);
  return {
    median: middle.reduce((sum, n) => sum + n, 0) / middle.length,
    min: sorted[0] ?? Number.NaN,
    max: sorted.at(-1) ?? Number.NaN,
  };
};

/** A case by its parts, as `--only` names it: `rules`, `batch/grpc`, `todo/hit`. */
export const isChosen = (
  only: readonly string[],
  parts: readonly [scenario: string, kind: Kind, wire: Wire],
): boolean =>
  only.length === 0 || only.some((name) => name.split('/').every((part) => parts.some((own) => own === part)));
