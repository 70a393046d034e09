import { afterAll, beforeAll, expect, test } from 'vitest';
import { cases } from '../../bench/engine/cases.ts';
import { inputOf, REPEATED } from '../../bench/scenario.ts';
import { checkJson } from '../../src/engine/index.ts';
import type { Workbench } from '../engine/workbench.ts';
import { dataOf, openWorkbench } from '../engine/workbench.ts';

let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench();
});
afterAll(() => bench.close());

const small = cases.filter(({ name }) => ['rules-10', 'grouped-10', 'orders', 'fractions'].includes(name));

test.each(small)('$name: the policy means what the scenario says, and permits some questions', async ({ scenario }) => {
  const { name, rego } = scenario;
  const modules = [...rego].filter(([file]) => file.endsWith('.rego')).map(([path, text]) => ({ path, text }));
  const { wasm } = await bench.toolchain.compile({ modules }, [`${name}/allow`]);
  const module = await bench.engine().load({ name: `${name}@1`, wasm, data: dataOf('{}') });
  let permitted = 0;
  for (let n = REPEATED; n < REPEATED + 500; n++) {
    const question = scenario.question(n, n);
    const input = checkJson(Buffer.from(JSON.stringify(inputOf(scenario, question)))).json;
    const evaluation = await module.evaluate({ entrypoint: `${name}/allow`, below: [], strictErrors: false, input });
    expect(evaluation).toMatchObject({ kind: 'defined', json: String(question.isPermitted) });
    if (question.isPermitted) permitted++;
  }
  expect(permitted).toBeGreaterThan(50);
  expect(permitted).toBeLessThan(450);
});
