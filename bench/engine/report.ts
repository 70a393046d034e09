import os from 'node:os';
import type { Spread } from '../measure.ts';
import { cores } from '../processes.ts';
import { figure, withSpread } from '../report.ts';

export interface Row {
  /** The evaluator's name. */
  readonly name: string;
  readonly loadMs: number;
  /** Resident bytes once the policy was loaded, and after the last round. */
  readonly readyBytes: number;
  readonly lastBytes: number;
  readonly cpuUs: Spread;
}

/** Everything that one case gave. */
export interface Measured {
  readonly name: string;
  readonly about: string;
  /** Share of the inputs that were permitted. */
  readonly permitted: number;
  /** What compiling the policy to Wasm took. */
  readonly compileMs: number;
  readonly rows: readonly Row[];
}

export interface Run {
  readonly command: string;
  readonly version: string;
  readonly rounds: number;
  readonly seconds: number;
  /** The machine's load average before the run. */
  readonly load: number;
}

const mebibytes = (bytes: number): number => Math.round(bytes / 2 ** 20);

const line = ({ about, permitted }: Measured, row: Row, reference: Row | undefined): string => {
  const share = reference === undefined ? '-' : (row.cpuUs.median / reference.cpuUs.median).toFixed(2);
  const cells = [
    ...[about, `${Math.round(permitted * 100)} %`, row.name, withSpread(row.cpuUs), share],
    ...[figure(row.loadMs), `${mebibytes(row.readyBytes)}, ${mebibytes(row.lastBytes)}`],
  ];
  return `| ${cells.join(' | ')} |`;
};

const reading = `- CPU time of the whole process, with its garbage collection, by evaluation: the median of the rounds, with the lowest and the
  highest behind it. Both evaluators have the same core in turns. The machine is shared: a difference smaller than the spread
  is none.
- No HTTP, no cache, no log. Every input differs from the one before it and is parsed from its text; 1,000 answers of each evaluator are
  held against what the policy means, and one wrong answer ends the run.
- OPA is its Go library at the version of \`toolchain/go.mod\`, with a prepared query. Verdict is its engine in Node with the flags of
  \`npm start\`, every evaluation with its budgets.
- Loading: OPA reads and compiles sources; Verdict takes a module that was compiled when the bundle was built, which took what is said
  below, and makes the image of the data. Resident MiB once loaded, and after the last round.
`;

/** The whole report as Markdown. */
export const report = (run: Run, measured: readonly Measured[]): string =>
  [
    '# Evaluation',
    '',
    'What an evaluation costs in the engine, beside OPA’s Go evaluator on the same machine in the same minutes.',
    '',
    `${new Date().toISOString().slice(0, 10)}; ${os.cpus()[0]?.model ?? 'unknown CPU'}, ${cores} cores, load average ` +
      `${run.load.toFixed(1)} before the run; Node ${process.versions.node}, Verdict ${run.version}; ${run.rounds} interleaved ` +
      `rounds of ${run.seconds} s. Written by \`${run.command}\`.`,
    '',
    '| policy | permits | evaluator | CPU us/evaluation | OPA = 1 | load ms | resident MiB |',
    '|---|---|---|---|---|---|---|',
    ...measured.flatMap((one) =>
      one.rows.map((row) =>
        line(
          one,
          row,
          one.rows.find(({ name }) => name === 'OPA'),
        ),
      ),
    ),
    '',
    reading.trimEnd(),
    `- Compiled to Wasm in seconds: ${measured.map(({ about, compileMs }) => `${about} ${figure(compileMs / 1_000)}`).join('; ')}.`,
    '',
  ].join('\n');
