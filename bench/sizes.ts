// What a question that was never asked costs end to end as the policy grows: OPA and Verdict over HTTP, decision logs on,
// the same policies and questions, the same core in turns.
//
//   node bench/sizes.ts [--quick] [--only rules,bindings-100000] [--rounds N] [--write]
import { mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { root, temporaryFolder } from '../test/support/server-process.ts';
import { type Case, cases } from './engine/cases.ts';
import { check, measure, type Sample, type Case as Served, source, spread } from './measure.ts';
import { cores, pinSelf, residentBytes } from './processes.ts';
import { figure, withSpread } from './report.ts';
import type { Contender } from './servers/contender.ts';
import { startOpa } from './servers/opa.ts';
import { startVerdict } from './servers/verdict.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string' },
    only: { type: 'string', default: '' },
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds ?? (values.quick ? 2 : 5));
const seconds = values.quick ? 0.3 : 2;
// V8 compiles well what ran some fifty thousand times.
const warmSeconds = values.quick ? 0.3 : 12;
const connections = 16;
const only = values.only.split(',').filter((name) => name !== '');
const chosen = cases.filter(
  ({ name }) => only.length === 0 || only.some((start) => `${name}-`.startsWith(`${start}-`)),
);
if (chosen.length === 0) throw new Error(`--only: there are ${cases.map(({ name }) => name).join(', ')}`);

interface Measured {
  readonly about: string;
  readonly rows: readonly {
    readonly name: string;
    readonly samples: readonly Sample[];
    readonly residentBytes: number;
  }[];
}

const say = (text: string): void => void process.stderr.write(`${text}\n`);

const served = (scenario: Served['scenario'], { lanes }: Contender): Served => {
  const lane = lanes.find(({ wire }) => wire === 'http');
  if (lane === undefined) throw new Error('a server without HTTP');
  return { scenario, kind: 'miss', lane, next: source(scenario, 'miss') };
};

const measured = async ({ name, about, scenario }: Case, contenders: readonly Contender[]): Promise<Measured> => {
  const runs = contenders.map((contender) => ({
    name: contender.name,
    pid: contender.running.pid,
    one: served(scenario, contender),
    samples: [] as Sample[],
  }));
  for (const { one, pid } of runs) {
    await check(one);
    await measure(one, { pid, connections, milliseconds: 1_000 * warmSeconds });
  }
  for (let round = 1; round <= rounds; round++) {
    for (const { name: server, one, pid, samples } of runs) {
      const sample = await measure(one, { pid, connections, milliseconds: 1_000 * seconds });
      samples.push(sample);
      say(`round ${round} of ${rounds}: ${name}: ${server}: ${sample.cpuUs.toFixed(1)} us`);
    }
  }
  return { about, rows: runs.map(({ pid, ...run }) => ({ ...run, residentBytes: residentBytes(pid) })) };
};

const run = async (one: Case, folder: string): Promise<Measured> => {
  const contenders: Contender[] = [];
  try {
    for (const start of [startOpa, startVerdict]) {
      const own = path.join(folder, start.name);
      mkdirSync(own, { recursive: true });
      contenders.push(await start(one.scenario, own));
    }
    return await measured(one, contenders);
  } finally {
    await Promise.all(contenders.map(({ running }) => running.stop()));
  }
};

const lines = ({ about, rows }: Measured): readonly string[] =>
  rows.map(({ name, samples, residentBytes: resident }) => {
    const of = (key: keyof Sample, samplesOf = samples) => spread(samplesOf.map((sample) => sample[key]));
    const share = of('cpuUs').median / of('cpuUs', rows[0]?.samples).median;
    const cells = [about, name, withSpread(of('cpuUs')), share.toFixed(2), figure(of('rps').median)];
    const times = `${figure(of('p50Ms').median)} / ${figure(of('p99Ms').median)}`;
    return `| ${[...cells, times, Math.round(resident / 2 ** 20)].join(' | ')} |`;
  });

pinSelf();
const load = os.loadavg()[0] as number;
const all: Measured[] = [];
for (const one of chosen) {
  const temporary = temporaryFolder('bench');
  try {
    all.push(await run(one, temporary.folder));
  } finally {
    temporary.remove();
  }
}
const text = [
  '# bench/sizes.ts',
  '',
  'What a question that was never asked costs end to end as the policy grows: over HTTP, decision log on, no TLS.',
  '',
  `${new Date().toISOString().slice(0, 10)}; ${os.cpus()[0]?.model ?? 'unknown CPU'}, ${cores} cores, load ${load.toFixed(1)} before the run; ` +
    `Node ${process.versions.node}. ${connections} connections with one request at a time each; ${warmSeconds} s to warm, then ` +
    `${rounds} interleaved rounds of ${seconds} s; medians (lowest to highest round).`,
  '',
  'Written by:',
  '',
  '```sh',
  ['node bench/sizes.ts', ...process.argv.slice(2)].join(' '),
  '```',
  '',
  '| policy | server | CPU us/request | CPU, OPA = 1 | requests/s | p50 / p99 ms | resident MiB at the end |',
  '|---|---|---|---|---|---|---|',
  ...all.flatMap(lines),
  '',
].join('\n');
process.stdout.write(text);
if (values.write) writeFileSync(path.join(root, 'bench', 'sizes.md'), text);
