// Do builtins take points in proportion to their time? Each is called with large operands; what it adds to the time and to the
// points of an evaluation that has the same input is compared with points of ordinary instructions. Ends with 1 where a
// point of one takes more than ten times as long.
//
//   node bench/prices.ts [--only concat,regex.match]
import { parseArgs } from 'node:util';
import { typescriptBuiltins } from '../src/engine/builtins/index.ts';
import { publicName } from '../src/engine/builtins/natives/index.ts';
import { checkJson, type Evaluation } from '../src/engine/index.ts';
import { compileTime, deprecated } from '../test/engine/builtins/calls.ts';
import { openWorkbench } from '../test/engine/workbench.ts';
import { calls, type Operands, unmeasured } from './prices/cases.ts';

const { values } = parseArgs({ options: { only: { type: 'string' } } });
const only = values.only?.split(',');
const mostTimes = 10;
const rounds = 7;
const most = 2_000_000_000;
const budget = {
  instructions: most,
  decidingInstructions: most,
  mostInstructions: most,
  memoryBytes: 1 << 30,
  resultBytes: 1 << 26,
  argumentBytes: 1 << 24,
};

const asked = calls.filter(([name]) => only === undefined || only.includes(name));
const operandsOf = (operands: Operands): string => operands.map((_, at) => `input[${at}]`).join(', ');
// What takes less than this is called often: one call would be lost in what else an evaluation does.
const shortNs = 200_000;
const often = 100;
const rules = asked.flatMap(([name, operands], at) => {
  const call = `${name}(${operandsOf(operands)}) != "no such value"`;
  return [`once${at} if ${call}`, `often${at} if count([1 | some _ in numbers.range(1, ${often}); ${call}]) > 0`];
});
const loop = 'ordinary if count([1 | some a in input[0]; some b in input[0]; a + b < 0]) == 0';

interface Cost {
  readonly ns: number;
  readonly points: number;
}

const perCall = ({ ns, points }: Cost): Cost => ({ ns: ns / often, points: Math.round(points / often) });

const bench = await openWorkbench();
try {
  const policy = await bench.policy(['nothing if input != "no such value"', loop, ...rules].join('\n'), { budget });
  /** The least of several times: what it takes when nothing comes between. */
  const costOf = async (rule: string, operands: Operands): Promise<Cost> => {
    const input = checkJson(Buffer.from(JSON.stringify(operands))).json;
    let ns = Number.POSITIVE_INFINITY;
    let points = 0;
    for (let round = 0; round < rounds; round++) {
      const from = process.hrtime.bigint();
      const found: Evaluation = await policy.module.evaluate({
        entrypoint: `p/${rule}`,
        below: [],
        strictErrors: true,
        input,
      });
      ns = Math.min(ns, Number(process.hrtime.bigint() - from));
      if (found.kind !== 'defined') throw new Error(`${rule}: ${found.kind === 'failed' ? found.message : found.kind}`);
      points = found.basis.instructions;
    }
    return { ns, points };
  };
  const added = async (rule: string, operands: Operands): Promise<Cost> => {
    const whole = await costOf(rule, operands);
    const without = await costOf('nothing', operands);
    return { ns: whole.ns - without.ns, points: whole.points - without.points };
  };
  const ordinary = await added('ordinary', [Array.from({ length: 1_000 }, (_, at) => at)]);
  const usual = ordinary.ns / ordinary.points;
  process.stdout.write(`ordinary instructions: ${usual.toFixed(2)} ns a point\n\n`);
  process.stdout.write('| builtin | ms | points | ns a point | times the ordinary |\n|---|---|---|---|---|\n');
  const missed: string[] = [];
  for (const [at, [name, operands]] of asked.entries()) {
    const once = await added(`once${at}`, operands);
    const { ns, points } = once.ns < shortNs ? perCall(await added(`often${at}`, operands)) : once;
    const times = ns / points / usual;
    const cells = [
      name,
      (ns / 1e6).toFixed(3),
      points.toLocaleString('en'),
      (ns / points).toFixed(2),
      times.toFixed(1),
    ];
    process.stdout.write(`| ${cells.join(' | ')} |\n`);
    if (times > mostTimes) missed.push(`${name}: a point takes ${times.toFixed(1)} times as long as an ordinary one`);
  }
  const known = new Set([...calls.map(([name]) => name), ...unmeasured, ...deprecated, ...compileTime]);
  for (const name of new Set([...typescriptBuiltins.keys()].map(publicName)))
    if (!known.has(name)) missed.push(`${name}: it has no call in bench/prices/cases.ts`);
  for (const each of missed) process.stderr.write(`${each}\n`);
  if (missed.length > 0) process.exitCode = 1;
} finally {
  await bench.close();
}
