// What an evaluation costs in our engine and in OPA's Go evaluator, without HTTP, cache and log: the same policies, data and
// inputs, each input parsed anew, the same core in turns. Needs Go.
//
//   node bench/engine.ts [--quick] [--only rules,bindings-100000] [--write]
import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { openToolchain, type Toolchain } from '../src/rego/index.ts';
import { root, temporaryFolder } from '../test/support/server-process.ts';
import { type Case, cases } from './engine/cases.ts';
import { buildOpa, type Evaluator, openOpa, openVerdict } from './engine/evaluator.ts';
import { prepare } from './engine/prepare.ts';
import { type Measured, type Row, report } from './engine/report.ts';
import { Mismatch, spread } from './measure.ts';
import { pinSelf } from './processes.ts';
import { REPEATED } from './scenario.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    only: { type: 'string', default: '' },
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds ?? (values.quick ? 2 : 5));
const milliseconds = 1_000 * Number(values.seconds ?? (values.quick ? 0.3 : 1));
const only = values.only.split(',').filter((name) => name !== '');
const chosen = cases.filter(
  ({ name }) => only.length === 0 || only.some((start) => `${name}-`.startsWith(`${start}-`)),
);
if (chosen.length === 0) throw new Error(`--only: there are ${cases.map(({ name }) => name).join(', ')}`);

const checked = 1_000;

const say = (text: string): void => void process.stderr.write(`${text}\n`);

/** The share of permits. Throws where an evaluator answers otherwise than the scenario says. */
const check = async (evaluator: Evaluator, { name, scenario }: Case): Promise<number> => {
  const { answers = '' } = await evaluator.run({ from: 0, count: checked, milliseconds: 0 });
  const right = Array.from({ length: checked }, (_, n) => scenario.question(REPEATED + n, n).isPermitted);
  const wrong = right.findIndex((isPermitted, n) => (answers[n] === '1') !== isPermitted);
  if (wrong >= 0) throw new Mismatch(`${evaluator.name}, ${name}: input ${wrong} is answered wrongly`);
  return right.filter(Boolean).length / checked;
};

const measure = async (evaluators: readonly Evaluator[], one: Case): Promise<Omit<Measured, 'compileMs'>> => {
  const ready = evaluators.map((evaluator) => evaluator.residentBytes());
  const permitted = await Promise.all(evaluators.map((evaluator) => check(evaluator, one)));
  const samples = evaluators.map((): number[] => []);
  let from = checked;
  // The first two rounds warm: V8 takes seconds to compile the functions of a large module well.
  const warming = Math.max(milliseconds, 3_000);
  for (let round = -1; round <= rounds; round++) {
    for (const [at, evaluator] of evaluators.entries()) {
      const { cpuUs, evaluations } = await evaluator.run({
        from,
        count: 0,
        milliseconds: round < 1 ? warming : milliseconds,
      });
      from += evaluations;
      if (round < 1) continue;
      samples[at]!.push(cpuUs / evaluations);
      say(`round ${round} of ${rounds}: ${one.name}: ${evaluator.name}: ${(cpuUs / evaluations).toFixed(2)} us`);
    }
  }
  const rows = evaluators.map(
    ({ name, loaded, residentBytes }, at): Row => ({
      name,
      loadMs: loaded.ms,
      readyBytes: ready[at]!,
      lastBytes: residentBytes(),
      cpuUs: spread(samples[at]!),
    }),
  );
  return { name: one.name, about: one.about, permitted: permitted[0]!, rows };
};

const run = async (one: Case, program: string, toolchain: Toolchain, folder: string): Promise<Measured> => {
  const { compileMs, ...prepared } = await prepare(one, toolchain, folder);
  const evaluators: Evaluator[] = [];
  try {
    evaluators.push(await openOpa(program, prepared));
    evaluators.push(await openVerdict(prepared));
    return { ...(await measure(evaluators, one)), compileMs };
  } finally {
    await Promise.all(evaluators.map((evaluator) => evaluator.stop()));
  }
};

const load = os.loadavg()[0]!;
const temporary = temporaryFolder('bench');
// OPA's compiler takes some 2 GiB for 10,000 rules.
const toolchain = await openToolchain({ memoryBytes: 3.5 * 2 ** 30 });
const measured: Measured[] = [];
try {
  const program = buildOpa(temporary.folder);
  pinSelf();
  for (const one of chosen) {
    measured.push(await run(one, program, toolchain, path.join(temporary.folder, one.name)));
  }
} finally {
  await toolchain.close();
  temporary.remove();
}
const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
const command = ['node bench/engine.ts', ...process.argv.slice(2)].join(' ');
const text = report({ command, version, rounds, seconds: milliseconds / 1_000, load }, measured);
process.stdout.write(text);
if (values.write) writeFileSync(path.join(root, 'bench', 'engine.md'), text);
