import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { root } from '../../test/support/server-process.ts';
import { residentBytes, serving } from '../processes.ts';

/** Evaluations that a process is asked for: so many, whose answers it tells, or for so long when `count` is 0. */
export interface Order {
  /** The number of the first input; after the last comes the first again. */
  readonly from: number;
  readonly count: number;
  readonly milliseconds: number;
}

export interface Told {
  readonly evaluations: number;
  /** CPU time of the whole process, microseconds. */
  readonly cpuUs: number;
  readonly ms: number;
  /** `1` for each that was permitted, `0` for each that was not. */
  readonly answers?: string;
}

/** A process that evaluates one rule and does nothing else. */
export interface Evaluator {
  readonly name: string;
  /** What loading the policy and its data took. */
  readonly loaded: Told;
  readonly residentBytes: () => number;
  run(order: Order): Promise<Told>;
  stop(): Promise<void>;
}

const opened = async (name: string, command: readonly string[]): Promise<Evaluator> => {
  const [program, ...args] = [...serving, ...command];
  const child: ChildProcess = spawn(program as string, args, { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const told = async (): Promise<Told> => {
    const line = await lines.next();
    if (line.done === true) throw new Error(`${name}: the evaluator ended, with ${child.exitCode}`);
    return JSON.parse(line.value) as Told;
  };
  return {
    name,
    loaded: await told(),
    residentBytes: () => residentBytes(child.pid as number),
    run: (order) => {
      child.stdin!.write(`${JSON.stringify(order)}\n`);
      return told();
    },
    stop: () => {
      child.kill('SIGKILL');
      return gone;
    },
  };
};

export interface Prepared {
  /** Has the policy's `sources`, with `data.json`, and `policy.wasm` made of them. */
  readonly folder: string;
  /** One JSON text a line. */
  readonly inputs: string;
  /** Slash-separated. */
  readonly entrypoint: string;
}

// As `npm start` has them.
const nodeFlags = ['--heap-growing-percent=30', '--min-semi-space-size=16', '--max-semi-space-size=16'];

export const openVerdict = ({ folder, inputs, entrypoint }: Prepared): Promise<Evaluator> =>
  opened('Verdict', [
    process.execPath,
    ...nodeFlags,
    path.join(import.meta.dirname, 'verdict.ts'),
    ...[folder, inputs, entrypoint],
  ]);

/** Builds the program around OPA's evaluator; Go and the modules of toolchain/go.mod must be at hand. */
export const buildOpa = (folder: string): string => {
  const program = path.join(folder, 'opa-evaluator');
  const source = path.join(import.meta.dirname, 'opa.go');
  execFileSync('go', ['build', '-o', program, source], { cwd: path.join(root, 'toolchain'), stdio: 'inherit' });
  return program;
};

export const openOpa = (program: string, { folder, inputs, entrypoint }: Prepared): Promise<Evaluator> =>
  opened('OPA', [program, path.join(folder, 'sources'), inputs, `data.${entrypoint.replaceAll('/', '.')}`]);
