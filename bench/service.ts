// What a decision costs in Verdict, OPA and Cerbos: the same policies and questions, the same machine, the same minutes.
//
//   node bench/service.ts [--quick] [--only rules,todo/hit,batch/grpc] [--servers opa,verdict] [--write]
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { root, temporaryFolder } from '../test/support/server-process.ts';
import { type Checked, check, isChosen, measure, type Sample, source } from './measure.ts';
import { scenarios } from './policies/index.ts';
import { pinSelf, residentBytes } from './processes.ts';
import { type Measured, report } from './report.ts';
import { kinds, type Scenario } from './scenario.ts';
import { startCerbos } from './servers/cerbos.ts';
import type { Contender, Start } from './servers/contender.ts';
import { startOpa } from './servers/opa.ts';
import { startVerdict } from './servers/verdict.ts';
import { wires } from './wire/lane.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    connections: { type: 'string', default: '16' },
    only: { type: 'string', default: '' },
    servers: { type: 'string', default: 'opa,cerbos,verdict' },
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds ?? (values.quick ? 2 : 5));
const seconds = Number(values.seconds ?? (values.quick ? 0.25 : 2));
const connections = Number(values.connections);
const only = values.only.split(',').filter((name) => name !== '');
const load = { connections, milliseconds: seconds * 1_000 };
// V8 and Go's allocator need some tens of thousands of requests before they are what they will be.
const warmUps = values.quick ? 1 : 2;

const programs: { readonly [server: string]: Start } = { opa: startOpa, cerbos: startCerbos, verdict: startVerdict };
const chosen = values.servers.split(',').map((server) => {
  const program = programs[server];
  if (program === undefined) throw new Error(`--servers: no ${server}, there are ${Object.keys(programs).join(', ')}`);
  return { server, program };
});

const isMeasured = (scenario: Scenario): boolean =>
  kinds.some((kind) => wires.some((wire) => isChosen(only, [scenario.name, kind, wire])));

const casesOf = (scenario: Scenario, contenders: readonly Contender[]) =>
  kinds.flatMap((kind) => {
    const next = source(scenario, kind);
    return contenders.flatMap(({ name, lanes, running }) =>
      lanes
        .filter(({ wire }) => isChosen(only, [scenario.name, kind, wire]))
        .map((lane) => ({ scenario, kind, lane, next, name, options: { ...load, pid: running.pid } })),
    );
  });

// What a server still does when its turn is over (collecting garbage, sealing) is not to fall into the next one's.
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 150));

const say = (text: string): void => void process.stderr.write(`${text}\n`);

const run = async (scenario: Scenario, contenders: readonly Contender[]): Promise<Measured> => {
  const ready = contenders.map(({ running }) => residentBytes(running.pid));
  const cases = casesOf(scenario, contenders);
  const checks: Checked[] = [];
  for (const one of cases) checks.push(await check(one));
  const total = (of: 'questions' | 'permitted'): number => checks.reduce((sum, checked) => sum + checked[of], 0);
  say(`${scenario.name}: ${total('questions')} answers are right`);

  for (let warmUp = 0; warmUp < warmUps; warmUp++) for (const one of cases) await measure(one, one.options);
  const rows = cases.map(({ kind, lane }) => ({ kind, ...lane, samples: [] as Sample[] }));
  for (let round = 1; round <= rounds; round++) {
    for (const [at, one] of cases.entries()) {
      await pause();
      const sample = await measure(one, one.options);
      rows[at]?.samples.push(sample);
      const name = `${scenario.name}/${one.kind}/${one.lane.wire}`;
      say(`round ${round} of ${rounds}: ${name}: ${one.name}: ${sample.cpuUs.toFixed(1)} us`);
    }
  }
  return {
    scenario,
    rows,
    permitted: total('permitted') / total('questions'),
    resident: new Map(
      contenders.map(({ name, running }, at) => [name, { ready: ready[at] ?? 0, last: residentBytes(running.pid) }]),
    ),
  };
};

pinSelf();
const measured: Measured[] = [];
const versions = new Set<string>();
for (const scenario of scenarios.filter(isMeasured)) {
  const temporary = temporaryFolder('bench');
  const contenders: Contender[] = [];
  try {
    for (const { server, program } of chosen) {
      const folder = path.join(temporary.folder, server);
      mkdirSync(folder);
      contenders.push(await program(scenario, folder));
    }
    for (const { name, version } of contenders) versions.add(`${name} ${version}`);
    measured.push(await run(scenario, contenders));
  } finally {
    await Promise.all(contenders.map(({ running }) => running.stop()));
    temporary.remove();
  }
}
if (measured.length === 0) throw new Error(`--only: no case is called ${values.only}`);

const command = ['node bench/service.ts', ...process.argv.slice(2)].join(' ');
const text = report({ command, versions: [...versions], connections, rounds, seconds }, measured);
process.stdout.write(text);
if (values.write) writeFileSync(path.join(root, 'docs', 'performance.md'), text);
