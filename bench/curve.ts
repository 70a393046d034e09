// Do the engine's memory and time stay where they are? Ten million evaluations in one process, without a cache, in ten
// parts: what each evaluation of a part costs, and what is resident after it.
//
//   node bench/curve.ts [--only rules-1000,bindings-100000] [--total 10000000] [--write]
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { openToolchain } from '../src/rego/index.ts';
import { root, temporaryFolder } from '../test/support/server-process.ts';
import { cases } from './engine/cases.ts';
import { type Evaluator, openVerdict } from './engine/evaluator.ts';
import { prepare } from './engine/prepare.ts';
import { pinSelf } from './processes.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'rules-1000,bindings-100000' },
    total: { type: 'string', default: '10000000' },
    write: { type: 'boolean', default: false },
  },
});
const names = values.only.split(',');
const chosen = cases.filter(({ name }) => names.includes(name));
if (chosen.length < names.length) throw new Error(`--only: there are ${cases.map(({ name }) => name).join(', ')}`);
const parts = 10;
const step = Math.ceil(Number(values.total) / parts);

interface Reading {
  readonly evaluations: number;
  /** CPU time of an evaluation, microseconds. */
  readonly cpuUs: number;
  readonly mebibytes: number;
}

/** From the second reading to the last: before the second V8 still compiles. */
const growth = (all: readonly number[]): string => `${(((all.at(-1) ?? 0) / (all[1] ?? 0) - 1) * 100).toFixed(1)} %`;

const read = async (evaluator: Evaluator, name: string): Promise<Reading[]> => {
  const readings: Reading[] = [];
  for (let part = 0; part < parts; part++) {
    const { cpuUs } = await evaluator.run({ from: part * step, count: step, milliseconds: 0 });
    const mebibytes = evaluator.residentBytes() / 2 ** 20;
    const reading = { evaluations: (part + 1) * step, cpuUs: cpuUs / step, mebibytes };
    readings.push(reading);
    process.stderr.write(
      `${name}: ${reading.evaluations}: ${reading.cpuUs.toFixed(2)} us, ${mebibytes.toFixed(1)} MiB\n`,
    );
  }
  return readings;
};

const temporary = temporaryFolder('bench');
const toolchain = openToolchain({ memoryBytes: 3.5 * 2 ** 30 });
const texts: string[] = [];
try {
  pinSelf();
  for (const one of chosen) {
    const evaluator = await openVerdict(await prepare(one, toolchain, path.join(temporary.folder, one.name)));
    const readings = await read(evaluator, one.name).finally(() => evaluator.stop());
    texts.push(
      `## ${one.about}`,
      '',
      '| evaluations | CPU us/evaluation | resident MiB |',
      '|---|---|---|',
      ...readings.map((reading) => {
        const { evaluations, cpuUs, mebibytes } = reading;
        return `| ${evaluations.toLocaleString('en')} | ${cpuUs.toFixed(2)} | ${mebibytes.toFixed(1)} |`;
      }),
      '',
      `From the second to the last: time ${growth(readings.map(({ cpuUs }) => cpuUs))}, memory ${growth(readings.map(({ mebibytes }) => mebibytes))}.`,
      '',
    );
  }
} finally {
  await toolchain.close();
  temporary.remove();
}
const text = [
  '# Ten million evaluations',
  '',
  `${new Date().toISOString().slice(0, 10)}, ${os.cpus()[0]?.model ?? 'unknown CPU'}, Node ${process.versions.node}; one process, no cache,`,
  'every input parsed anew. Written by `node bench/curve.ts`. Time varies with who else is at work on the machine; memory does not.',
  '',
  ...texts,
].join('\n');
process.stdout.write(text);
if (values.write) writeFileSync(path.join(root, 'bench', 'curve.md'), text);
