import { request } from 'node:http';
import { DatabaseSync } from 'node:sqlite';
import { appModule } from '../../../src/app.module.ts';
import type { AuditReader } from '../../../src/audit/index.ts';
import { systemClock } from '../../../src/canonical/index.ts';
import type { AuditLog, Role } from '../../../src/decision/model.ts';
import { openTokenStore } from '../../../src/identity/index.ts';
import { type AdminLog, type AdminSettings, startAdminServer } from '../../../src/interfaces/admin/index.ts';
import { type Explain, PolicyError, type PolicyStore, type VersionInfo } from '../../../src/policy/index.ts';

export interface Reply {
  readonly status: number;
  readonly headers: { readonly [name: string]: string | string[] | undefined };
  readonly text: string;
  /** The body as JSON. */
  readonly body: { readonly [member: string]: unknown };
}

export interface Ask {
  readonly method?: string;
  readonly token?: string | undefined;
  readonly headers?: { readonly [name: string]: string };
  readonly body?: Uint8Array | string;
}

const parsed = (text: string): { readonly [member: string]: unknown } => {
  try {
    return JSON.parse(text) as { readonly [member: string]: unknown };
  } catch {
    return {};
  }
};

/** One request; unlike fetch it sends whatever Host, Origin and path it is told to. */
export const ask = (
  url: string,
  path: string,
  { method = 'GET', token, headers = {}, body }: Ask = {},
): Promise<Reply> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    const sent = request(
      { host: hostname, port, path, method, agent: false, headers: { ...authorization, ...length, ...headers } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, body: parsed(text) });
        });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });

export const versionOf = (name: string, version: number): VersionInfo => ({
  name,
  version,
  digest: 'a'.repeat(64),
  revision: '',
  roots: [name],
  entrypoints: [`${name}/allow`],
  state: 'pushed',
  opaque: false,
  builtins: [],
  tests: { passed: 0 },
  pushedBy: 'author',
  pushedAt: '2026-01-01T00:00:00.000Z',
  notes: [],
});

/** A store that remembers what was pushed by name, and compiles nothing. */
const memoryPolicy = () => {
  const archives = new Map<string, Uint8Array[]>();
  const known = (name: string): Uint8Array[] => {
    const found = archives.get(name);
    if (found === undefined) throw new PolicyError('BUNDLE_UNKNOWN', 'no bundle has this name');
    return found;
  };
  const calls: unknown[] = [];
  const policy: PolicyStore = {
    current: { epoch: 0, versions: new Map(), resolve: () => ({ kind: 'unknown' }), authzenPath: () => undefined },
    onChange: () => {},
    bundles: () =>
      [...archives].map(([name, all]) => ({ name, latest: versionOf(name, all.length), versions: all.length })),
    versions: (name) => known(name).map((_, index) => versionOf(name, index + 1)),
    version: (name, version) => {
      if (known(name)[version - 1] === undefined) throw new PolicyError('VERSION_UNKNOWN', 'no such version');
      return versionOf(name, version);
    },
    archive: async (name, version) => known(name)[version - 1] ?? new Uint8Array(),
    push: async (name, archive, options) => {
      calls.push({ push: name, ...options });
      const all = archives.get(name) ?? [];
      const at = all.findIndex((other) => Buffer.from(other).equals(archive));
      if (at < 0) archives.set(name, [...all, archive]);
      return { version: versionOf(name, at < 0 ? all.length + 1 : at + 1), created: at < 0, epoch: 1, warnings: [] };
    },
    activate: async (name, version, by) => {
      calls.push({ activate: name, version, by });
      return { version: versionOf(name, version), epoch: 2, warnings: [] };
    },
    rollbackTarget: (name) => (known(name).length > 1 ? 1 : undefined),
    rollback: async (name, by) => {
      calls.push({ rollback: name, by });
      return { version: versionOf(name, 1), epoch: 3, warnings: [] };
    },
    close: async () => {},
  };
  return { policy, calls };
};

const memoryAudit = (records: { readonly [id: string]: string }): AuditLog => ({
  prepare: () => {
    throw new Error('not used here');
  },
  append: () => {
    throw new Error('not used here');
  },
  note: async () => {},
  find: async (id) => (Object.hasOwn(records, id) ? records[id] : undefined),
  health: () => ({ writable: true }),
  close: async () => {},
});

const notHere = (): never => {
  throw new Error('not used here');
};

const noReader: AuditReader = {
  search: notHere,
  follow: notHere,
  missing: () => [],
  end: notHere,
  cursorOf: notHere,
  indexOf: notHere,
  close: async () => {},
};

export interface AdminOptions {
  readonly settings?: Partial<AdminSettings>;
  readonly records?: { readonly [id: string]: string };
  readonly policy?: Partial<PolicyStore>;
  readonly reasons?: readonly string[];
  readonly reader?: AuditReader;
  readonly explain?: Explain;
}

/** A real admin server on a free port, with real tokens and, at the other ports, parts that live in memory. */
export const startAdmin = async (options: AdminOptions = {}) => {
  const tokens = openTokenStore({
    catalog: new DatabaseSync(':memory:'),
    clock: systemClock,
    settings: { maxTokenDays: 0 },
  });
  const { policy, calls } = memoryPolicy();
  const lines: { readonly level: string; readonly fields: object; readonly message: string }[] = [];
  const write = (level: string) => (fields: object, message: string) => void lines.push({ level, fields, message });
  const log: AdminLog = { info: write('info'), warn: write('warn'), error: write('error') };
  const reasons = options.reasons ?? [];
  const parts = {
    version: '1.2.3',
    policy: { ...policy, ...options.policy },
    explain: options.explain ?? notHere,
    tokens,
    audit: memoryAudit(options.records ?? {}),
    reader: options.reader ?? noReader,
    health: {
      live: () => ({ ok: true, reasons: [] }),
      ready: () => ({ ok: reasons.length === 0, reasons }),
    },
    log,
    metrics: {
      read: async () => ({ contentType: 'text/plain; version=0.0.4; charset=utf-8', text: 'verdict_ready 1\n' }),
    },
  };
  const server = await startAdminServer({
    module: appModule(parts),
    parts,
    settings: { host: '127.0.0.1', port: 0, hosts: [], ...options.settings },
    archiveBytes: 100_000,
  });
  let made = 0;
  return {
    server,
    tokens,
    calls,
    lines,
    token: (roles: readonly Role[], bundles?: readonly string[]): string => {
      made += 1;
      return tokens.create({ name: `t${made}`, roles, ...(bundles === undefined ? {} : { bundles }) }, 'test').secret;
    },
    ask: (path: string, request?: Ask): Promise<Reply> => ask(server.url, path, request),
    close: () => server.close(1000),
  };
};

export type Admin = Awaited<ReturnType<typeof startAdmin>>;

/** An archive's content type. */
export const GZIP = { 'content-type': 'application/gzip' };
