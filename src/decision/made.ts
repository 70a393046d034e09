import type { Basis, NonDeterministicCall, SeenToken } from '../engine/index.ts';
import type { Hold, Moment } from './freshness.ts';
import type { ActiveVersion, Allowance, DecisionError, Outcome, PolicyRef, Resolution, Verdict } from './model.ts';

/** An answer as evaluation made it, before it is anyone's: what the cache keeps. */
export interface Made {
  readonly kind: 'made';
  /** What it rests on, see `groundOf`; empty when it is never kept. */
  readonly ground: string;
  readonly verdict: Verdict;
  readonly outcome: Outcome;
  readonly context?: string | undefined;
  readonly policies: readonly PolicyRef[];
  readonly unknownPath: boolean;
  readonly ruleAtPath: boolean;
  readonly entrypoint?: string | undefined;
  readonly nowNs?: bigint | undefined;
  readonly tokens: readonly SeenToken[];
  readonly nonDeterministic: readonly NonDeterministicCall[];
  readonly instructions: number;
  readonly start: Moment;
  /** Absent: not to be used again. */
  readonly hold?: Hold | undefined;
  readonly evaluationNs: number;
}

/** An answer that no evaluation gave. */
export const unevaluated = (start: Moment, verdict: Verdict, outcome: Outcome): Made => ({
  kind: 'made',
  ground: '',
  verdict,
  outcome,
  policies: [],
  unknownPath: false,
  ruleAtPath: false,
  tokens: [],
  nonDeterministic: [],
  instructions: 0,
  start,
  evaluationNs: 0,
});

/** A failure before the evaluation, which names who would have answered. */
export const refusedAt = (resolution: Resolution, start: Moment, error: DecisionError): Made => ({
  ...unevaluated(start, { kind: 'failed', error }, 'failed'),
  policies: policiesOf(resolution),
  ruleAtPath: resolution.kind === 'rule',
  entrypoint: resolution.kind === 'rule' ? resolution.target.entrypoint : undefined,
});

/** What the questions of a batch are told that come after it used up what it has. */
export const overspent = ({ most }: Allowance): DecisionError => ({
  code: 'budget_exceeded',
  message: `the batch used up the ${most} points that its evaluations have together (limits.batchInstructions)`,
});

const refs = new WeakMap<ActiveVersion, PolicyRef>();

/** The name of a version without the version: what is kept must not hold a retired module in memory. */
export const refOf = (active: ActiveVersion): PolicyRef => {
  const known = refs.get(active);
  if (known !== undefined) return known;
  const { name, version, digest, revision, dataRevision } = active;
  const ref = Object.freeze({ name, version, digest, revision, dataRevision });
  refs.set(active, ref);
  return ref;
};

/** What was asked first: it comes before a link to the same version. */
const refsIn = (resolution: Resolution): readonly PolicyRef[] => {
  switch (resolution.kind) {
    case 'rule':
      return [refOf(resolution.target.version), ...resolution.target.version.links];
    case 'data':
      return [refOf(resolution.version)];
    case 'composite': {
      const refs = resolution.parts.flatMap(({ part }) => refsIn(part));
      return [...refs.filter(({ linked }) => linked !== true), ...refs.filter(({ linked }) => linked === true)];
    }
    case 'unknown':
      return [];
  }
};

const policyLists = new WeakMap<Resolution, readonly PolicyRef[]>();

/**
 * The versions that a path rests on, each once, in order of name. The same list for the same resolution: what wires
 * and records make of a list is kept by the list, and one a request would cost more there than the evaluation.
 */
export const policiesOf = (resolution: Resolution): readonly PolicyRef[] => {
  const known = policyLists.get(resolution);
  if (known !== undefined) return known;
  const all = new Map<string, PolicyRef>();
  for (const ref of refsIn(resolution)) if (!all.has(ref.name)) all.set(ref.name, ref);
  const list = Object.freeze([...all.values()].sort((a, b) => (a.name < b.name ? -1 : 1)));
  policyLists.set(resolution, list);
  return list;
};

/** What the evaluations that one answer took have in common. */
export const mergeBases = (
  bases: readonly Basis[],
): Pick<Made, 'nowNs' | 'tokens' | 'nonDeterministic' | 'instructions'> => {
  const [first] = bases;
  if (bases.length === 1 && first !== undefined) return first;
  return {
    nowNs: first?.nowNs,
    tokens: bases.flatMap((basis) => basis.tokens),
    nonDeterministic: bases.flatMap((basis) => basis.nonDeterministic),
    instructions: bases.reduce((sum, basis) => sum + basis.instructions, 0),
  };
};
