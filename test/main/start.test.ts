import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { RunningServer } from '../../src/cli/index.ts';
import { loadConfig } from '../../src/config/index.ts';
import { writeArchive } from '../../src/policy/index.ts';
import { startServer } from '../../src/server.ts';
import { ask } from '../interfaces/admin/support.ts';
import { temporaryFolder } from '../support/server-process.ts';

// Whole servers that compile policies: slow on a busy machine, and never a matter of time.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const RULE = 'package shop\n\ndefault allow := false\n\nallow if input.user == "alice"\n';
const GZIP = { 'content-type': 'application/gzip' };
const JSON_TYPE = { 'content-type': 'application/json' };

let place: ReturnType<typeof temporaryFolder>;
let storage: string;
let logFile: number;
const running: RunningServer[] = [];

beforeEach(() => {
  place = temporaryFolder('start');
  storage = path.join(place.folder, 'state');
  logFile = openSync(path.join(place.folder, 'log'), 'a');
});
afterEach(async () => {
  for (const server of running.splice(0)) {
    server.stop();
    await server.stopped;
  }
  closeSync(logFile);
  place.remove();
});

const start = async (
  sets: readonly string[] = [],
  bundles: readonly { readonly name: string; readonly path: string }[] = [],
): Promise<RunningServer> => {
  const ports = ['server.http.port=0', 'server.grpc.port=0', 'server.admin.port=0'];
  const own = [`storage.dir=${storage}`, ...ports, 'server.drainSeconds=0'];
  const config = loadConfig({ sets: [...own, ...sets], env: {} });
  const server = await startServer(config, { bundles, output: { fd: logFile } });
  running.push(server);
  return server;
};

const stop = async (server: RunningServer): Promise<void> => {
  running.splice(running.indexOf(server), 1);
  server.stop();
  await server.stopped;
};

const operator = (): string => readFileSync(path.join(storage, 'operator-token'), 'utf8').trim();

const archive = (text: string): Promise<Uint8Array> => writeArchive(new Map([['shop.rego', Buffer.from(text)]]));

const push = async (server: RunningServer, text: string) =>
  ask(server.urls.admin, '/v1/bundles/shop?activate=true', {
    method: 'PUT',
    token: operator(),
    headers: GZIP,
    body: await archive(text),
  });

const decide = (server: RunningServer, user: string) =>
  ask(server.urls.http, '/v1/data/shop/allow', {
    method: 'POST',
    headers: JSON_TYPE,
    body: JSON.stringify({ input: { user } }),
  });

test('an empty server is live, takes a push, is ready then, decides, and shows the decision by its id', async () => {
  const server = await start();
  const ready = () => ask(server.urls.admin, '/health/ready');
  expect(await ready()).toMatchObject({ status: 503, body: { reasons: ['no version is active'] } });
  expect(await ask(server.urls.admin, '/health/live')).toMatchObject({ status: 200 });

  expect(await push(server, RULE)).toMatchObject({
    status: 201,
    body: { created: true, version: { state: 'active' } },
  });
  expect(await ready()).toMatchObject({ status: 200 });
  expect((await ask(server.urls.http, '/health?bundles')).status).toBe(200);

  const answer = await decide(server, 'alice');
  expect(answer).toMatchObject({ status: 200, body: { result: true } });
  const id = String(answer.headers['verdict-decision-id']);
  expect(await ask(server.urls.admin, `/v1/decisions/${id}`, { token: operator() })).toMatchObject({
    status: 200,
    body: { decision_id: id, path: 'shop/allow', input: { user: 'alice' }, result: true, bundles: { shop: {} } },
  });
});

test('what was pushed is there after a restart, and so is the decision', async () => {
  const first = await start();
  await push(first, RULE);
  const id = String((await decide(first, 'alice')).headers['verdict-decision-id']);
  const token = operator();
  await stop(first);

  const second = await start();
  expect(operator()).toBe(token);
  expect(await decide(second, 'bob')).toMatchObject({ status: 200, body: { result: false } });
  expect(await ask(second.urls.admin, `/v1/decisions/${id}`, { token })).toMatchObject({ body: { decision_id: id } });
});

test('a second push makes a version; the first can be activated again and rolled back from', async () => {
  const server = await start();
  await push(server, RULE);
  expect(await push(server, RULE)).toMatchObject({ status: 200, body: { created: false } });
  expect(await push(server, RULE.replace('alice', 'bob'))).toMatchObject({
    status: 201,
    body: { version: { version: 2 } },
  });
  expect((await decide(server, 'alice')).body).toMatchObject({ result: false });
  const post = (path: string) => ask(server.urls.admin, path, { method: 'POST', token: operator() });
  expect(await post('/v1/bundles/shop/versions/1/activate')).toMatchObject({ status: 200 });
  expect((await decide(server, 'alice')).body).toMatchObject({ result: true });
  expect(await post('/v1/bundles/shop/rollback')).toMatchObject({ status: 200, body: { version: { version: 2 } } });
  expect((await decide(server, 'alice')).body).toMatchObject({ result: false });
});

test('a push that is refused says where and why, and changes nothing', async () => {
  const server = await start();
  await push(server, RULE);
  expect(await push(server, 'package shop\n\nallow if { nothing }\n')).toMatchObject({
    status: 422,
    body: { code: 'REGO_INVALID', problems: [{ file: 'shop.rego', row: 3, excerpt: 'allow if { nothing }' }] },
  });
  const rubbish = { method: 'PUT', token: operator(), headers: GZIP, body: 'rubbish' };
  expect(await ask(server.urls.admin, '/v1/bundles/shop', rubbish)).toMatchObject({ status: 400 });
  expect(await ask(server.urls.admin, '/v1/bundles/v1', { ...rubbish, body: await archive(RULE) })).toMatchObject({
    status: 400,
    body: { code: 'BUNDLE_NAME_INVALID' },
  });
  const taken = { ...rubbish, body: await archive(RULE) };
  expect(await ask(server.urls.admin, '/v1/bundles/other?activate=true', taken)).toMatchObject({
    status: 409,
    body: { code: 'ROOTS_CONFLICT' },
  });
  expect((await ask(server.urls.admin, '/v1/bundles/shop', { token: operator() })).body).toMatchObject({ versions: 1 });
  expect((await decide(server, 'alice')).body).toMatchObject({ result: true });
});

test('an archive over policy.limits.archiveBytes is refused by its size', async () => {
  const server = await start(['policy.limits.archiveBytes=2000']);
  const body = Buffer.alloc(2001);
  const reply = await ask(server.urls.admin, '/v1/bundles/shop', {
    method: 'PUT',
    token: operator(),
    headers: GZIP,
    body,
  });
  expect(reply).toMatchObject({ status: 413, body: { code: 'BODY_TOO_LARGE' } });
});

test('a bundle that the command line names is served from the start', async () => {
  const folder = path.join(place.folder, 'rego');
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'shop.rego'), RULE);
  const server = await start([], [{ name: 'shop', path: folder }]);
  expect((await decide(server, 'alice')).body).toMatchObject({ result: true });
  expect(await ask(server.urls.admin, '/health/ready')).toMatchObject({ status: 200 });
});

test('a bundle that does not compile ends the start, with its place, and leaves nothing open', async () => {
  const folder = path.join(place.folder, 'rego');
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'shop.rego'), 'package shop\n\nallow if { nothing }\n');
  await expect(start([], [{ name: 'shop', path: folder }])).rejects.toMatchObject({ code: 'REGO_INVALID' });
  const server = await start();
  expect((await ask(server.urls.admin, '/v1/bundles', { token: operator() })).body).toEqual({ bundles: [] });
});

test('tokens, versions and decisions lie in a folder for this user alone', async () => {
  await start();
  expect(statSync(storage).mode & 0o777).toBe(0o700);
  expect(statSync(path.join(storage, 'operator-token')).mode & 0o777).toBe(0o600);
  expect(readdirSync(storage)).not.toContain('.probe');
});

test.each([
  [0o755, 'other users can read storage.dir'],
  [0o777, 'other users can write storage.dir'],
])('storage of mode %o is warned about', async (mode, sentence) => {
  mkdirSync(storage);
  chmodSync(storage, mode);
  await stop(await start());
  const log = readFileSync(path.join(place.folder, 'log'), 'utf8');
  expect(log).toContain(sentence);
  expect(log).toContain('chmod 700');
  expect(statSync(path.join(storage, 'catalog.db')).mode & 0o777).toBe(0o600);
});

test('the log tells what an operator needs, and neither tokens nor inputs', async () => {
  const server = await start();
  await push(server, RULE);
  await decide(server, 'alice');
  await stop(server);
  const text = readFileSync(path.join(place.folder, 'log'), 'utf8');
  expect(text).toContain('a new operator token was written');
  expect(text).toContain('is active');
  expect(text).toContain('"msg":"ended"');
  expect(text).not.toContain('vdt_');
  expect(text).not.toContain('alice');
});

test('at the level debug the log tells of each request, too, and of why one was refused', async () => {
  const server = await start(['observability.logLevel=debug']);
  await push(server, RULE);
  await decide(server, 'alice');
  await fetch(`${server.urls.http}/v1/data/no/where`, { method: 'POST', body: '{' });
  await stop(server);
  const text = readFileSync(path.join(place.folder, 'log'), 'utf8');
  expect(text).toMatch(/"level":"debug".*"listener":"http","status":200,"msg":"a request was answered"/);
  expect(text).toMatch(/"level":"debug".*"listener":"http","reason":"body_malformed","msg":"a request was refused"/);
  expect(text).not.toContain('alice');
});

test.each(['http', 'admin'])('a port in use ends the start: server.%s.port is named', async (section) => {
  const holder = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => holder.once('listening', resolve));
  const { port } = holder.address() as { port: number };
  await expect(start([`server.${section}.port=${port}`])).rejects.toMatchObject({
    code: 'ADDRESS_UNAVAILABLE',
    message: expect.stringMatching(new RegExp(`^port ${port} on 127.0.0.1 is in use: set server.${section}.port `)),
  });
  // Nothing was made before: no folder, no token, no active version.
  expect(existsSync(storage)).toBe(false);
  holder.close();
  await start();
});

test('storage that is a file ends the start: storage.dir is named', async () => {
  writeFileSync(storage, '');
  await expect(start()).rejects.toMatchObject({
    code: 'STORAGE_UNUSABLE',
    message: expect.stringMatching(/state cannot be written .*: set storage\.dir to a folder/),
  });
});

test.runIf(process.platform === 'linux')(
  'storage on a file system that makes no folders ends the start too',
  async () => {
    await expect(start(['storage.dir=/proc/verdict/state'])).rejects.toMatchObject({
      code: 'STORAGE_UNUSABLE',
      message: expect.stringMatching(/^\/proc\/verdict\/state cannot be written .*: set storage\.dir to a folder/),
    });
  },
);

test('a bundle that cannot be read ends the start, with its name and its path', async () => {
  const file = path.join(place.folder, 'shop.tar.gz');
  writeFileSync(file, 'no bundle');
  await expect(start([], [{ name: 'shop', path: file }])).rejects.toMatchObject({
    code: 'ARCHIVE_INVALID',
    message: expect.stringContaining(`the bundle shop at ${file}: not a gzip archive`),
  });
});

test('a damaged catalog ends the start and is named, and is left as it is', async () => {
  const catalog = path.join(storage, 'catalog.db');
  mkdirSync(storage);
  writeFileSync(catalog, 'no database, but long enough to be taken for the head of one '.repeat(50));
  const before = readFileSync(catalog);
  await expect(start()).rejects.toMatchObject({
    code: 'CATALOG_UNREADABLE',
    message: expect.stringContaining(catalog),
  });
  expect(readFileSync(catalog)).toEqual(before);
});

test('a second server on the same storage is refused', async () => {
  await start();
  await expect(start()).rejects.toMatchObject({ code: 'AUDIT_UNUSABLE' });
});

test('stopping twice is stopping once', async () => {
  const server = await start();
  server.stop();
  await stop(server);
  await expect(ask(server.urls.http, '/health')).rejects.toThrow('ECONNREFUSED');
});
