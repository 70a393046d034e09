import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { check, source } from '../../bench/measure.ts';
import { scenarios } from '../../bench/policies/index.ts';
import { writeFiles } from '../../bench/processes.ts';
import { BATCH, type Files, inputOf, type Kind, kinds, type Scenario } from '../../bench/scenario.ts';
import { opaFiles, opaLane } from '../../bench/servers/opa.ts';
import { verdictLane } from '../../bench/servers/verdict.ts';
import type { Lane } from '../../bench/wire/lane.ts';
import { startPdp } from '../support/pdp.ts';
import { temporaryFolder } from '../support/server-process.ts';

/** A server with these files as its bundle, asked all kinds of questions: how many answers were permits. */
const checked = async (
  asked: { readonly scenario: Scenario; readonly files: Files; readonly kinds: readonly Kind[] },
  laneAt: (port: number) => Lane,
) => {
  const { scenario, files, kinds } = asked;
  const { folder, remove } = temporaryFolder('bench');
  const bundle = path.join(folder, scenario.name);
  writeFiles(bundle, files);
  const pdp = await startPdp({ bundles: { [scenario.name]: bundle } });
  try {
    const lane = laneAt(Number(new URL(pdp.urls.http).port));
    const found = [];
    for (const kind of kinds) found.push(await check({ scenario, kind, lane, next: source(scenario, kind) }));
    return found;
  } finally {
    await pdp.stop();
    remove();
  }
};

interface CerbosRule {
  readonly actions: readonly string[];
}

interface CerbosPolicy {
  readonly resourcePolicy: { readonly resource: string; readonly rules: readonly CerbosRule[] };
}

describe.each(scenarios)('$name', (scenario) => {
  test('Verdict answers every question rightly, from where the case says', async () => {
    const found = await checked({ scenario, files: scenario.rego, kinds }, (port) => verdictLane(scenario, port));
    for (const { questions, permitted } of found) {
      expect(permitted).toBeGreaterThan(questions / 10);
      expect(permitted).toBeLessThan((questions * 9) / 10);
    }
  }, 120_000);

  test('the rule that answers a batch in OPA gives the answers of its items', async () => {
    // What OPA is asked goes to a server that speaks its API; the cache is no part of what the OPA lane reads.
    const found = await checked({ scenario, files: opaFiles(scenario), kinds: ['batch'] }, (port) =>
      opaLane(scenario, port),
    );
    expect(found[0]?.questions).toBe(20 * BATCH);
  }, 120_000);

  test('a new question differs from all others in a member that the policy reads', () => {
    const next = source(scenario, 'miss');
    const read = Array.from({ length: 5_000 }, (_, n) => {
      const input = inputOf(scenario, next(n).questions[0]!) as { resource: object };
      return JSON.stringify({ ...input, resource: { ...input.resource, id: '' }, context: '' });
    });
    expect(new Set(read).size).toBe(5_000);
  });

  test('the policy for Cerbos has a rule for everything that is asked about', () => {
    const policies = [...scenario.cerbos.values()].map((text) => (parse(text) as CerbosPolicy).resourcePolicy);
    const covered = new Set(
      policies.flatMap(({ resource, rules }) =>
        rules.flatMap(({ actions }) => actions.map((action) => `${resource} ${action}`)),
      ),
    );
    const next = source(scenario, 'hit');
    const asked = Array.from({ length: 1_000 }, (_, n) => next(n).questions[0]!);
    expect(asked.filter(({ resource, action }) => !covered.has(`${resource.type} ${action}`))).toEqual([]);
  });
});

test('the large policies are as large as they say', () => {
  const [, rules, bindings] = scenarios;
  expect(rules?.rego.get('rules.rego')?.match(/^allow if/gm)).toHaveLength(1_000);
  const policies = [...(rules?.cerbos.values() ?? [])].map((text) => (parse(text) as CerbosPolicy).resourcePolicy);
  expect(policies.flatMap((policy) => policy.rules)).toHaveLength(1_000);

  const data = JSON.parse(bindings?.rego.get('data.json') ?? '{}') as {
    bindings: { users: { [user: string]: readonly string[] } };
  };
  expect(Object.values(data.bindings.users).flatMap((roles) => [...new Set(roles)])).toHaveLength(100_000);
});
