import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { Version } from './cases.ts';

export interface Outcome {
  readonly version: Version;
  readonly topic: string;
  readonly note: string;
  /** Where it failed and what was wrong; both absent for a case that passed. */
  readonly stage?: 'compile' | 'load' | 'evaluate';
  readonly problem?: string;
}

/** A case that is known not to pass, and why. `in` absent: in every version that has it. */
export interface Known {
  readonly note: string;
  readonly in?: Version;
  readonly reason: string;
}

export interface Tally {
  readonly passed: number;
  /** Failed, and known to. */
  readonly known: readonly Outcome[];
  /** Failed, and not known to: these fail the run. */
  readonly failed: readonly Outcome[];
  /** Known to fail, and passed or not there: the list must not outlive its reasons. */
  readonly stale: readonly Known[];
}

export const readKnown = (): readonly Known[] => {
  const file = new URL('./known.yaml', import.meta.url);
  return (parse(readFileSync(file, 'utf8')) as readonly Known[] | null) ?? [];
};

const isOf = (known: Known, { note, version }: Outcome): boolean =>
  known.note === note && (known.in === undefined || known.in === version);

export const tallyOf = (outcomes: readonly Outcome[], list: readonly Known[]): Tally => {
  const failing = outcomes.filter(({ problem }) => problem !== undefined);
  const isKnown = (outcome: Outcome): boolean => list.some((known) => isOf(known, outcome));
  return {
    passed: outcomes.length - failing.length,
    known: failing.filter(isKnown),
    failed: failing.filter((outcome) => !isKnown(outcome)),
    stale: list.filter((known) => {
      const meant = outcomes.filter((outcome) => isOf(known, outcome));
      return meant.length === 0 || meant.some(({ problem }) => problem === undefined);
    }),
  };
};

const byTopic = (outcomes: readonly Outcome[]): ReadonlyMap<string, readonly Outcome[]> =>
  new Map([...Map.groupBy(outcomes, ({ topic }) => topic)].sort(([a], [b]) => (a < b ? -1 : 1)));

/** The page for readers: how many of OPA's cases pass, by topic, and why the others do not. */
export const pageOf = (outcomes: readonly Outcome[], list: readonly Known[], opa: string): string => {
  const tally = tallyOf(outcomes, list);
  const rows = [...byTopic(outcomes)].map(([topic, of]) => {
    const count = (version: Version) => of.filter((outcome) => outcome.version === version);
    const cell = (some: readonly Outcome[]) =>
      some.length === 0 ? '' : `${some.filter(({ problem }) => problem === undefined).length} of ${some.length}`;
    return `| ${topic} | ${cell(count('v0'))} | ${cell(count('v1'))} |`;
  });
  const reasons = [...Map.groupBy(list, ({ reason }) => reason)].map(
    ([reason, of]) =>
      `- ${reason}\n${of.map(({ note, in: version }) => `  - \`${note}\`${version ? ` (${version})` : ''}`).join('\n')}`,
  );
  return `# Conformance with OPA

OPA ${opa} brings ${outcomes.length} cases of its own, each a query with modules, data, input and what it must give.
\`npm run conformance\` compiles every one with the toolchain, evaluates it in Verdict's engine, and judges the answer as
the tests of OPA's own Wasm host do: solutions as a set, errors of builtins as undefined, conflicts as errors. Each is
evaluated twice in one instance whose module has the instruction counter and whose data was loaded whole, and twice in
one without the counter whose data was changed in place: another answer is a failure.

**${tally.passed} of ${outcomes.length} pass.** The run fails when any case but the ones below fails, and when one of them passes.

## Known differences

${reasons.join('\n')}

## By topic

Cases in Rego v0 and v1 that pass.

| topic | v0 | v1 |
|---|---|---|
${rows.join('\n')}
`;
};
