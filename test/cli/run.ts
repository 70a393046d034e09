import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterEach } from 'vitest';
import { type CliHost, type Output, runCli } from '../../src/cli/index.ts';
import { configSchema, loadConfig, renderConfig, sourcesOf } from '../../src/config/index.ts';

export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout as JSON: it must be one document. */
  json(): unknown;
}

export interface Around {
  readonly cwd?: string;
  readonly env?: { readonly [name: string]: string };
  readonly stdin?: string | Uint8Array;
  readonly tty?: boolean;
  readonly ending?: AbortSignal;
  readonly startServer?: CliHost['startServer'];
  /** Called with everything that is written to stdout, as it comes. */
  readonly onStdout?: (text: string) => void;
  /** Called with everything that is written to stderr, as it comes. */
  readonly onStderr?: (text: string) => void;
}

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A directory of these files that is gone after the test. */
export const folderOf = (files: { readonly [name: string]: string | Uint8Array }): string => {
  const folder = mkdtempSync(path.join(tmpdir(), 'verdict-cli-'));
  folders.push(folder);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), content);
  }
  return folder;
};

const captured = (around: Around, tell?: (text: string) => void): Output & { text(): string } => {
  const chunks: Buffer[] = [];
  return {
    write: (chunk) => {
      chunks.push(Buffer.from(chunk));
      tell?.(String(chunk));
      return true;
    },
    isTTY: around.tty === true,
    columns: 100,
    text: () => Buffer.concat(chunks).toString('utf8'),
  };
};

/** Runs a command line as main.ts does, with its streams captured. */
export const cli = async (argv: readonly string[], around: Around = {}): Promise<Run> => {
  const stdout = captured(around, around.onStdout);
  const stderr = captured(around, around.onStderr);
  const code = await runCli(argv, {
    version: '1.2.3',
    stdin: Readable.from(around.stdin === undefined ? [] : [Buffer.from(around.stdin)]),
    stdout,
    stderr,
    env: around.env ?? {},
    cwd: around.cwd ?? folderOf({}),
    ending: around.ending ?? new AbortController().signal,
    configSchema: configSchema(),
    loadConfig: async (source) => loadConfig(source) as never,
    configSources: sourcesOf,
    renderConfig,
    startServer: around.startServer ?? (() => Promise.reject(new Error('this test starts no server'))),
  });
  return { code, stdout: stdout.text(), stderr: stderr.text(), json: () => JSON.parse(stdout.text()) };
};
