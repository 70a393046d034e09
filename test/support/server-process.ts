import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

export const root = path.join(import.meta.dirname, '..', '..');

/** A port that nobody listens on now. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = net.createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });

export interface ServerProcess {
  readonly child: ChildProcess;
  readonly port: number;
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

/** Starts the built program as its users do, and resolves once it answers; rejects with what it said when it ends. */
export const startServerProcess = async (options: {
  readonly storage: string;
  readonly args?: readonly string[];
}): Promise<ServerProcess> => {
  const port = await freePort();
  const adminPort = await freePort();
  const ports = [`server.http.port=${port}`, 'server.grpc.port=0', `server.admin.port=${adminPort}`];
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
  const server: ServerProcess = {
    child,
    port,
    adminPort,
    storage: options.storage,
    errors: () => errors,
    kill: (signal) => {
      child.kill(signal);
      return ended;
    },
  };
  while (child.exitCode === null && child.signalCode === null) {
    if (await isReady(port)) return server;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`the server ended before it was ready (${child.exitCode ?? child.signalCode}):\n${errors}`);
};
