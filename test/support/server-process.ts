import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

export const root = path.join(import.meta.dirname, '..', '..');

// Below the ports that systems give to whoever asks for any: a test beside this one is not given one of these.
const LOWEST_PORT = 12_000;
const HIGHEST_PORT = 32_000;

/** A port that nobody listens on now, for programs that must be told theirs before they start. */
export const freePort = async (): Promise<number> => {
  for (;;) {
    const port = randomInt(LOWEST_PORT, HIGHEST_PORT);
    const isFree = await new Promise<boolean>((resolve) => {
      const server = net.createServer().once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
};

export interface ServerProcess {
  readonly child: ChildProcess;
  readonly port: number;
  readonly grpcPort: number;
  readonly adminPort: number;
  readonly storage: string;
  /** Everything the process wrote to standard error so far. */
  errors(): string;
  kill(signal: NodeJS.Signals): Promise<{ readonly code: number | null; readonly signal: string | null }>;
}

export const temporaryFolder = (name: string): { readonly folder: string; remove(): void } => {
  const folder = mkdtempSync(path.join(os.tmpdir(), `verdict-${name}-`));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
};

const isReady = (port: number): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}/health?bundles`).then(
    async (response) => {
      await response.arrayBuffer();
      return response.status === 200;
    },
    () => false,
  );

/** What the server says when its ports are open: they are its own, whoever else listens on this machine. */
const portsIn = (errors: string): Pick<ServerProcess, 'port' | 'grpcPort' | 'adminPort'> | undefined => {
  const found = /"http":"http:[^"]*:(\d+)","grpc":"[^"]*:(\d+)","admin":"http:[^"]*:(\d+)"/.exec(errors);
  return found === null
    ? undefined
    : { port: Number(found[1]), grpcPort: Number(found[2]), adminPort: Number(found[3]) };
};

/** Starts the built program as its users do, and resolves once it answers; rejects with what it said when it ends. */
export const startServerProcess = async (options: {
  readonly storage: string;
  readonly args?: readonly string[];
}): Promise<ServerProcess> => {
  const ports = ['server.http.port=0', 'server.grpc.port=0', 'server.admin.port=0'];
  const sets = [`storage.dir=${options.storage}`, ...ports];
  const args = ['serve', ...sets.flatMap((set) => ['--set', set]), ...(options.args ?? [])];
  const child = spawn(process.execPath, [path.join(root, 'dist', 'main.js'), ...args], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    child.once('exit', (code, signal) => resolve({ code, signal })),
  );
  const server: Omit<ServerProcess, 'port' | 'grpcPort' | 'adminPort'> = {
    child,
    storage: options.storage,
    errors: () => errors,
    kill: (signal) => {
      child.kill(signal);
      return ended;
    },
  };
  while (child.exitCode === null && child.signalCode === null) {
    const open = portsIn(errors);
    if (open !== undefined && (await isReady(open.port))) return { ...server, ...open };
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`the server ended before it was ready (${child.exitCode ?? child.signalCode}):\n${errors}`);
};
