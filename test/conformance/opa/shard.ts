// One of several processes that share the files of cases: compiles each case, evaluates it with the instruction counter
// and without, judges the answer, and sends the outcome to run.ts.
import { systemClock } from '../../../src/canonical/index.ts';
import {
  type CheckedJson,
  defaultEngineSettings,
  type Engine,
  engineOptions,
  openEngine,
} from '../../../src/engine/index.ts';
import { dumpValue } from '../../../src/engine/values/value-text.ts';
import {
  compileRegoModule,
  instantiateRego,
  openToolchain,
  RegoError,
  type RegoValue,
  type Toolchain,
} from '../../../src/rego/index.ts';
import { type Case, caseFiles, readCases, testdataDir } from './cases.ts';
import { answerOf, judge } from './judge.ts';
import type { Outcome } from './report.ts';
import { differenceFrom, plainEvaluator } from './uncounted.ts';

const { budget: usual, workers, network: offline } = engineOptions(defaultEngineSettings);
const budget = { ...usual, deadlineMs: 10_000 };
// What the cases look up: two addresses, which are their own, and a name of this machine. Nothing leaves it.
const network = { ...offline, hosts: ['10.0.0.0', '::', 'localhost'] };
const [shard = 0, shards = 1, only = ''] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]];

/** The input as the module's own value text, which can say sets; only this harness puts any other than JSON there. */
const inputOf = async (toolchain: Toolchain, test: Case): Promise<RegoValue | undefined> => {
  if (test.inputTerm === undefined) return test.input;
  const { bindings } = await toolchain.evaluate({ modules: [] }, `x = ${test.inputTerm}`);
  return bindings[0]?.x;
};

const evaluate = async (toolchain: Toolchain, engine: Engine, test: Case): Promise<string | undefined> => {
  const modules = test.modules.map((text, at) => ({ path: `module-${at}.rego`, text }));
  const regoVersion = test.version === 'v0' ? 0 : 1;
  const { wasm, entrypoints } = await toolchain.compileQuery({ modules, regoVersion }, test.query);
  const data = Buffer.from(test.data === undefined ? '{}' : dumpValue(test.data)) as Uint8Array as CheckedJson;
  const input = await inputOf(toolchain, test);
  const loaded = await engine.load({ name: 'case', wasm, data });
  try {
    const entrypoint = loaded.entrypoints[0] ?? entrypoints[0]?.path ?? '';
    const checked = input === undefined ? {} : { input: Buffer.from(dumpValue(input)) as Uint8Array as CheckedJson };
    const question = { entrypoint, below: [], strictErrors: false, ...checked };
    const evaluation = await loaded.evaluate(question);
    const again = await loaded.evaluate(question);
    const plain = await evaluatePlain({ wasm, data, budget, nowNs: evaluation.basis.nowNs, ...checked });
    const others = { 'asked again': again, 'without the counter': plain.first, 'without it, asked again': plain.again };
    return judge(test.want, answerOf(evaluation)) ?? differenceFrom(evaluation, others);
  } finally {
    await loaded.close();
  }
};

const outcomeOf = async (toolchain: Toolchain, engine: Engine, test: Case): Promise<Outcome> => {
  const { version, topic, note } = test;
  try {
    const problem = await evaluate(toolchain, engine, test);
    return problem === undefined ? { version, topic, note } : { version, topic, note, stage: 'evaluate', problem };
  } catch (error) {
    const stage = error instanceof RegoError ? 'compile' : 'load';
    return { version, topic, note, stage, problem: error instanceof Error ? error.message : String(error) };
  }
};

const rego = await compileRegoModule();
const evaluatePlain = plainEvaluator(rego);
const opa = instantiateRego(rego);
opa.begin({ nowNs: 0n, seed: new Uint8Array(32) });
const mine = caseFiles(testdataDir()).filter((_file, at) => at % shards === shard);
const cases = mine.flatMap((file) => readCases(opa, file)).filter(({ note }) => note.includes(only));
opa.end();

const toolchain = openToolchain();
const engine = openEngine({ budget, clock: systemClock, workers, network });
const outcomes: Outcome[] = [];
for (const test of cases) outcomes.push(await outcomeOf(toolchain, engine, test));
await engine.close();
await toolchain.close();
process.send?.(outcomes, () => process.disconnect?.());
