import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { freePort, root } from '../test/support/server-process.ts';

export { root };

export interface Server {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Core 0 serves, core 1 asks: so that neither takes time from the other, where the machine has two and taskset. */
const pinned = (core: number): readonly string[] => {
  if (os.availableParallelism() < 2) return [];
  try {
    execFileSync('taskset', ['-c', String(core), 'true'], { stdio: 'ignore' });
    return ['taskset', '-c', String(core)];
  } catch {
    return [];
  }
};

export const pinSelf = (): void => {
  const [command] = pinned(1);
  if (command !== undefined) execFileSync(command, ['-a', '-p', '-c', '1', String(process.pid)], { stdio: 'ignore' });
};

const untilReady = async (child: ChildProcess, url: string, log: string): Promise<void> => {
  for (const end = Date.now() + 30_000; Date.now() < end; ) {
    if (child.exitCode !== null) break;
    const ready = await fetch(url).then(
      (response) => response.status === 200,
      () => false,
    );
    if (ready) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`not ready: ${url}\n${readFileSync(log, 'utf8').slice(-2_000)}`);
};

const start = async (name: string, command: readonly string[], port: number, health: string): Promise<Server> => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'verdict-bench-'));
  const log = path.join(folder, 'stderr.log');
  const [program, ...args] = [...pinned(0), ...command];
  const child = spawn(program as string, args, {
    cwd: root,
    stdio: ['ignore', openSync('/dev/null', 'w'), openSync(log, 'w')],
    env: { ...process.env, VERDICT_SKIP_SETUP: '1', VERDICT_STORAGE__DIR: path.join(folder, 'state') },
  });
  await untilReady(child, `http://127.0.0.1:${port}${health}`, log);
  return {
    name,
    port,
    pid: child.pid as number,
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => {
          rmSync(folder, { recursive: true, force: true });
          resolve();
        });
        child.kill('SIGKILL');
      }),
  };
};

const opaProgram = (): string => {
  const found = [path.join(os.homedir(), 'go', 'bin', 'opa'), '/usr/local/bin/opa'].find((file) => existsSync(file));
  if (found === undefined) throw new Error('opa is missing: go install github.com/open-policy-agent/opa@v1.22.2');
  return found;
};

/** OPA as its operators run it: decision log on (to the console, which goes to /dev/null). */
export const startOpa = async (bundle: string): Promise<Server> => {
  const port = await freePort();
  const command = [
    ...[opaProgram(), 'run', '--server', '--addr', `127.0.0.1:${port}`, '--log-level', 'error'],
    ...['--set', 'decision_logs.console=true', '--disable-telemetry', '-b', bundle],
  ];
  return start('OPA', command, port, '/health?bundles');
};

export const startVerdict = async (bundle: string, settings: readonly string[] = []): Promise<Server> => {
  const port = await freePort();
  const admin = await freePort();
  const sets = [`server.http.port=${port}`, `server.admin.port=${admin}`, ...settings].flatMap((set) => ['--set', set]);
  const command = [path.join(root, 'bin', 'verdict'), 'serve', '--bundle', bundle, ...sets];
  return start('Verdict', command, port, '/health?bundles');
};

/** CPU time that a process has used so far, microseconds (in steps of 10 ms). */
export const cpuMicroseconds = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
};

/** Resident set, bytes. */
export const residentBytes = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
