import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { root } from '../test/support/server-process.ts';
import type { Files } from './scenario.ts';

export interface Running {
  readonly pid: number;
  /** Kills it; resolves when it is gone. */
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

// Read before this process is pinned to one of them.
export const cores = os.availableParallelism();
/** Put before the command of what is measured. */
export const serving = pinned(0);
const asking = pinned(1);

export const pinSelf = (): void => {
  const [command] = asking;
  if (command !== undefined) execFileSync(command, ['-a', '-p', '-c', '1', String(process.pid)], { stdio: 'ignore' });
};

const untilReady = async (child: ChildProcess, url: string, log: string): Promise<void> => {
  for (const end = Date.now() + 60_000; Date.now() < end && child.exitCode === null; ) {
    const ready = await fetch(url).then(
      (response) => response.status === 200,
      () => false,
    );
    if (ready) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  child.kill('SIGKILL');
  throw new Error(`not ready: ${url}\n${readFileSync(log, 'utf8').slice(-2_000)}`);
};

export interface StartOptions {
  /** Takes the program's standard error, and is nobody else's. */
  readonly folder: string;
  readonly command: readonly string[];
  /** Answers 200 when the server does. */
  readonly ready: string;
}

/** Starts a server on the core that serves; what it prints goes to /dev/null. Resolves once it is ready. */
export const start = async ({ folder, command, ready }: StartOptions): Promise<Running> => {
  const log = path.join(folder, 'stderr.log');
  const [program, ...args] = [...serving, ...command];
  const child = spawn(program as string, args, {
    cwd: root,
    stdio: ['ignore', openSync('/dev/null', 'w'), openSync(log, 'w')],
    env: { ...process.env, VERDICT_SKIP_SETUP: '1' },
  });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await untilReady(child, ready, log);
  return {
    pid: child.pid as number,
    stop: () => {
      child.kill('SIGKILL');
      return gone;
    },
  };
};

export const writeFiles = (folder: string, files: Files): void => {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of files) writeFileSync(path.join(folder, name), text);
};

/** CPU time that a process has used so far, microseconds (in steps of 10 ms). */
export const cpuMicroseconds = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
};

/** Resident set, bytes. */
export const residentBytes = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
