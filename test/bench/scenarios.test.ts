import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Checked, check, source } from '../../bench/measure.ts';
import { scenarios } from '../../bench/policies/index.ts';
import { todo } from '../../bench/policies/todo.ts';
import { writeFiles } from '../../bench/processes.ts';
import { BATCH, type Files, inputOf, type Kind, kinds, type Scenario } from '../../bench/scenario.ts';
import { opaFiles, opaLane } from '../../bench/servers/opa.ts';
import { type Ports, verdictLanes } from '../../bench/servers/verdict.ts';
import type { Lane } from '../../bench/wire/lane.ts';
import { startPdp } from '../support/pdp.ts';
import { temporaryFolder } from '../support/server-process.ts';

/** Enough to meet every rule of thumb in a scenario; the benchmark itself asks more before it measures. */
const FEW = { hit: 100, miss: 100, batch: 3 };

/** A server with these files as its bundle, asked all kinds of questions: how many answers were permits. */
const checked = async (
  asked: { readonly scenario: Scenario; readonly files: Files; readonly kinds: readonly Kind[] },
  lanesAt: (ports: Ports) => readonly Lane[],
) => {
  const { scenario, files, kinds } = asked;
  const { folder, remove } = temporaryFolder('bench');
  const bundle = path.join(folder, scenario.name);
  writeFiles(bundle, files);
  const pdp = await startPdp({ bundles: { [scenario.name]: bundle } });
  try {
    const portOf = (address: string | undefined): number => Number(/:(\d+)\/?$/.exec(address ?? '')?.[1]);
    const lanes = lanesAt({ http: portOf(pdp.urls.http), grpc: portOf(pdp.urls.grpc) });
    const cases = lanes.flatMap((lane) =>
      kinds.map((kind) => ({ scenario, kind, lane, next: source(scenario, kind) })),
    );
    const found: Checked[] = [];
    for (const one of cases) found.push(await check(one, FEW));
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
  test('Verdict answers every question rightly over both wires, from where the case says', async () => {
    const found = await checked({ scenario, files: scenario.rego, kinds }, (ports) => verdictLanes(scenario, ports));
    for (const { questions, permitted } of found) {
      expect(permitted).toBeGreaterThan(questions / 10);
      expect(permitted).toBeLessThan((questions * 9) / 10);
    }
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

test('the rule that answers a batch in OPA gives the answers of its items', async () => {
  // OPA's questions go to a server that speaks its API.
  const files = opaFiles(todo);
  const found = await checked({ scenario: todo, files, kinds: ['batch'] }, ({ http }) => [opaLane(todo, http)]);
  expect(found[0]?.questions).toBe(FEW.batch * BATCH);
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
