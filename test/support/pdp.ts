import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Clock } from '../../src/canonical/index.ts';
import { loadConfig } from '../../src/config/index.ts';
import { startServer } from '../../src/server.ts';

export interface PdpOptions {
  /** Pushed and activated before it listens: name and directory or bundle file. */
  readonly bundles?: { readonly [name: string]: string };
  /** Configuration over the defaults, as --set has it. */
  readonly sets?: readonly string[];
  readonly clock?: Clock;
}

export interface PdpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; undefined when it is none. */
  readonly json: unknown;
}

/** A whole server in this process, on free ports of loopback and a storage folder of its own. */
export interface Pdp {
  readonly urls: { readonly http: string; readonly grpc?: string; readonly admin: string };
  readonly dir: string;
  readonly configSets: readonly string[];
  /** The operator token. */
  readonly token: string;
  /** POSTs JSON (or the text as it is) to the decision listener. */
  ask(path: string, body: unknown, headers?: { readonly [name: string]: string }): Promise<PdpAnswer>;
  /** Asks the admin API with the operator token. */
  admin(method: string, path: string, body?: unknown): Promise<PdpAnswer>;
  /** Everything that the server logged. */
  log(): string;
  stop(): Promise<void>;
}

const answerOf = async (response: Response): Promise<PdpAnswer> => {
  const text = await response.text();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: response.status, headers: response.headers, text, json };
};

export const startPdp = async (options: PdpOptions = {}): Promise<Pdp> => {
  const dir = mkdtempSync(path.join(tmpdir(), 'verdict-pdp-'));
  const storage = path.join(dir, 'storage');
  const logFile = path.join(dir, 'log');
  const fd = openSync(logFile, 'a');
  const ports = ['server.http.port=0', 'server.grpc.port=0', 'server.admin.port=0'];
  const quick = [...ports, 'server.drainSeconds=0', 'server.graceSeconds=5'];
  const configSets = [`storage.dir=${storage}`, ...quick, ...(options.sets ?? [])];
  const bundles = Object.entries(options.bundles ?? {}).map(([name, source]) => ({ name, path: source }));
  const remove = (): void => {
    closeSync(fd);
    rmSync(dir, { recursive: true, force: true });
  };
  const given = { bundles, output: { fd }, ...(options.clock === undefined ? {} : { clock: options.clock }) };
  const server = await startServer(loadConfig({ sets: configSets, env: {} }), given).catch((error: unknown) => {
    remove();
    throw error;
  });
  const token = readFileSync(path.join(storage, 'operator-token'), 'utf8').trim();
  return {
    urls: server.urls,
    dir,
    configSets,
    token,
    ask: async (where, body, headers = {}) =>
      answerOf(
        await fetch(new URL(where, server.urls.http), {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: typeof body === 'string' ? body : JSON.stringify(body),
        }),
      ),
    admin: async (method, where, body) =>
      answerOf(
        await fetch(new URL(where, server.urls.admin), {
          method,
          headers: {
            authorization: `Bearer ${token}`,
            'content-type': body instanceof Uint8Array ? 'application/gzip' : 'application/json',
          },
          ...(body === undefined
            ? {}
            : { body: body instanceof Uint8Array ? (body as BodyInit) : JSON.stringify(body) }),
        }),
      ),
    log: () => readFileSync(logFile, 'utf8'),
    stop: async () => {
      server.stop();
      await server.stopped;
      remove();
    },
  };
};
