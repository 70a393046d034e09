import os from 'node:os';
import type { Sample, Spread } from './measure.ts';
import { spread } from './measure.ts';
import { cores } from './processes.ts';
import { BATCH, type Kind, type Scenario } from './scenario.ts';
import type { Wire } from './wire/lane.ts';

export interface Row {
  readonly kind: Kind;
  readonly server: string;
  readonly wire: Wire;
  readonly samples: readonly Sample[];
}

/** Everything that one scenario gave. */
export interface Measured {
  readonly scenario: Scenario;
  readonly rows: readonly Row[];
  /** Share of the questions that were permitted. */
  readonly permitted: number;
  /** Resident bytes by server: once it was ready, and after the last round. */
  readonly resident: ReadonlyMap<string, { readonly ready: number; readonly last: number }>;
}

export interface Run {
  readonly command: string;
  readonly versions: readonly string[];
  readonly connections: number;
  readonly rounds: number;
  readonly seconds: number;
}

const wireNames: { readonly [wire in Wire]: string } = { http: 'HTTP', grpc: 'gRPC' };

export const figure = (n: number): string => (n >= 100 ? Math.round(n).toString() : n.toFixed(n >= 10 ? 1 : 2));

export const withSpread = ({ median, min, max }: Spread): string =>
  `${figure(median)} (${figure(min)}..${figure(max)})`;

const cpuOf = ({ samples }: Row): number => spread(samples.map(({ cpuUs }) => cpuUs)).median;

const line = (row: Row, rows: readonly Row[]): string => {
  const { kind, server, wire, samples } = row;
  const reference = rows.find((other) => other.kind === kind && other.server === 'OPA');
  const of = (name: keyof Sample): Spread => spread(samples.map((sample) => sample[name]));
  const cells = [
    ...[kind, `${server}, ${wireNames[wire]}`, withSpread(of('rps')), withSpread(of('cpuUs'))],
    figure(kind === 'batch' ? cpuOf(row) / BATCH : cpuOf(row)),
    reference === undefined ? '-' : (cpuOf(row) / cpuOf(reference)).toFixed(2),
    `${figure(of('p50Ms').median)} / ${figure(of('p99Ms').median)}`,
  ];
  return `| ${cells.join(' | ')} |`;
};

const section = ({ scenario, rows, permitted, resident }: Measured): string => {
  const mebibytes = (bytes: number): number => Math.round(bytes / 2 ** 20);
  const memory = [...resident].map(([server, { ready, last }]) => `${server} ${mebibytes(ready)}, ${mebibytes(last)}`);
  return [
    `## ${scenario.name}`,
    '',
    `${scenario.about}. ${Math.round(permitted * 100)} % of the questions are permitted.`,
    '',
    '| case | server | requests/s | CPU us/request | CPU us/decision | CPU, OPA = 1 | p50 / p99 ms |',
    '|---|---|---|---|---|---|---|',
    ...rows.map((row) => line(row, rows)),
    '',
    `Resident MiB when ready, and after the last round: ${memory.join('; ')}.`,
    '',
  ].join('\n');
};

const reading = `## How to read this

- Every number is a median over the rounds, with the lowest and highest round behind it. The machine is shared: where the
  spread is wide, somebody else was at work, and a difference smaller than the spread is none. CPU time is steadier than
  requests/s, which also depend on what the client left over; its ratio to OPA is the figure to read.
- All servers have the same core, one after the other in every round; the client has the other one. Before anything is
  measured, each of them is asked the same questions over each wire, and one wrong answer ends the run.
- \`hit\`: 1,000 questions again and again. OPA and Cerbos remember no answers: for them these are questions like any other.
  \`miss\`: every question is new in a member that the policy reads, so Verdict has to evaluate it; its answer says so.
  \`batch\`: ${BATCH} new questions about one subject in a request (${BATCH} is the most that Cerbos takes by default).
- Batches are asked in what each server has: Cerbos' CheckResources; Verdict's AuthZEN evaluations and, over gRPC,
  DecideBatch. In \`todo\` AuthZEN asks the rule that its METADATA names, which gathers reasons too and so costs more than
  the \`allow\` of all others. OPA has no batch: a rule of ours asks the policy for each item of a list
  (\`bench/servers/opa.ts\`); ${BATCH} requests to OPA instead cost ${BATCH} times its \`miss\`. OPA and Cerbos then write one
  decision-log entry for a request, Verdict a record for each decision.
- OPA has no gRPC API for decisions, so it has no such line; the ratio of gRPC lines is to OPA over HTTP.
- All write a decision log as they would in operation: OPA to its console, which goes to /dev/null (the cheapest there is);
  Cerbos to a file; Verdict to its segments on disk, before the answer leaves, with the default durability.
- Cerbos' model is another one. It holds no data about subjects: in \`todo\` and \`bindings\` their roles come with the
  question, and whoever asks has to find them first, which is not measured. So in \`bindings\` it does less than the others.
- What a new question costs as a policy grows from 10 to 10,000 rules, or its data to a million bindings, warm and beside OPA alone:
  [bench/sizes.md](../bench/sizes.md).
- Nothing here has TLS or authenticates callers, and no server runs on more than one core.
- Verdict starts from a bundle that \`verdict build\` wrote, OPA and Cerbos from sources. A Verdict that compiles what is pushed
  to it keeps OPA's toolchain from then on, some 280 MiB. Its cache (64 MiB by default) fills up in \`miss\` and \`batch\`.
`;

/** The whole report as Markdown. */
export const report = (run: Run, measured: readonly Measured[]): string =>
  [
    '# Performance',
    '',
    'What a decision costs in Verdict, beside OPA and Cerbos on the same machine in the same minutes.',
    '',
    `${new Date().toISOString().slice(0, 10)}; ${os.cpus()[0]?.model ?? 'unknown CPU'}, ${cores} cores, ${os.type()} ` +
      `${os.release()}; Node ${process.versions.node}; ${run.versions.join(', ')}. ${run.connections} connections with one ` +
      `request at a time each, ${run.rounds} interleaved rounds of ${run.seconds} s.`,
    '',
    'Written by:',
    '',
    '```sh',
    run.command,
    '```',
    '',
    ...measured.map(section),
    reading,
  ].join('\n');
