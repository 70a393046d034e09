// Evaluates one rule of a compiled policy with our engine, for bench/engine.ts: as bench/engine/opa.go does.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { systemClock } from '../../src/canonical/index.ts';
import { checkJson, defaultEngineSettings, engineOptions, openEngine } from '../../src/engine/index.ts';
import type { Order, Told } from './evaluator.ts';

const [folder = '', inputsFile = '', entrypoint = ''] = process.argv.slice(2);
const inputs = readFileSync(inputsFile, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => Buffer.from(line));

const cpuUs = (): number => {
  const { user, system } = process.cpuUsage();
  return user + system;
};
const tell = (told: Told): void => void process.stdout.write(`${JSON.stringify(told)}\n`);

// As a bundle's data is checked.
const limits = { bytes: 1 << 30, depth: 64, keys: Number.POSITIVE_INFINITY };

const startedAt = performance.now();
const cpuAtStart = cpuUs();
const engine = openEngine({ ...engineOptions(defaultEngineSettings), clock: systemClock });
const module = await engine.load({
  name: 'bench@1',
  wasm: readFileSync(path.join(folder, 'policy.wasm')),
  data: checkJson(readFileSync(path.join(folder, 'sources', 'data.json')), limits).json,
});
const loaded = { evaluations: 0, cpuUs: cpuUs() - cpuAtStart, ms: performance.now() - startedAt };
tell(loaded);

const evaluate = (n: number): boolean => {
  // Checked and parsed each time, as the server does.
  const { json } = checkJson(inputs[n % inputs.length]!);
  const evaluation = module.evaluate({ entrypoint, below: [], strictErrors: false, input: json });
  if (!('kind' in evaluation) || evaluation.kind === 'failed')
    throw new Error(`no answer: ${JSON.stringify(evaluation)}`);
  return evaluation.kind === 'defined' && evaluation.json === 'true';
};

const run = ({ from, count, milliseconds }: Order): Told => {
  const start = performance.now();
  const cpu = cpuUs();
  let answers = '';
  let n = 0;
  for (; n < count || (count === 0 && performance.now() - start < milliseconds); n++) {
    const permitted = evaluate(from + n);
    if (count > 0) answers += permitted ? '1' : '0';
  }
  return { evaluations: n, cpuUs: cpuUs() - cpu, ms: performance.now() - start, answers };
};

for await (const line of createInterface({ input: process.stdin })) tell(run(JSON.parse(line) as Order));
