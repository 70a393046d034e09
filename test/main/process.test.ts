import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ask } from '../interfaces/admin/support.ts';
import { root, temporaryFolder } from '../support/server-process.ts';

// Whole servers that compile policies: slow on a busy machine, and never a matter of time.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

// The built program, as its users run it: what only a process can show.
const place = temporaryFolder('process');
let folders = 0;

beforeAll(() => {
  const { status, stderr } = spawnSync(process.execPath, [path.join(root, 'scripts', 'build.mjs')], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
});
afterAll(() => place.remove());

const main = path.join(root, 'dist', 'main.js');

const serve = async (sets: readonly string[] = [], args: readonly string[] = [], program = main) => {
  folders += 1;
  const storage = path.join(place.folder, `state-${folders}`);
  const all = [`storage.dir=${storage}`, 'server.http.port=0', 'server.grpc.port=0', 'server.admin.port=0', ...sets];
  const child = spawn(
    process.execPath,
    [program, 'serve', '--output', 'json', ...all.flatMap((set) => ['--set', set]), ...args],
    {
      cwd: place.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let out = '';
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    child.once('close', (code, signal) => resolve({ code, signal })),
  );
  await new Promise<void>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
      if (out.includes('\n')) resolve();
    });
    void ended.then(() => reject(new Error(`the server ended: ${errors}`)));
  });
  const { urls } = JSON.parse(out) as { urls: { http: string; admin: string } };
  return { child, urls, storage, ended, errors: () => errors };
};

const shopFolder = (): string => {
  const folder = path.join(place.folder, 'shop');
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'shop.rego'), 'package shop\n\nallow := true\n');
  return folder;
};

const seen = (server: { errors(): string }, text: string) =>
  expect.poll(() => server.errors(), { timeout: 30_000 }).toContain(text);

const verdict = (...args: string[]) =>
  spawnSync(process.execPath, [main, ...args], { cwd: place.folder, encoding: 'utf8', timeout: 30_000 });

test.each(['SIGTERM', 'SIGINT'] as const)('%s ends the server in exit 0, with its end in the log', async (signal) => {
  const server = await serve(['server.drainSeconds=0']);
  server.child.kill(signal);
  expect(await server.ended).toEqual({ code: 0, signal: null });
  expect(server.errors()).toContain('"msg":"ended"');
});

test('while it drains it answers, says that it is not ready, and asks to close connections', async () => {
  const server = await serve(['server.drainSeconds=2']);
  server.child.kill('SIGTERM');
  await seen(server, 'ending');
  for (const url of [server.urls.http, server.urls.admin]) {
    const ready = await ask(url, '/health/ready');
    expect([500, 503]).toContain(ready.status);
    expect(ready.headers.connection).toBe('close');
    expect((await ask(url, '/health/live')).status).toBe(200);
  }
  const asked = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"input":{}}' };
  const answer = await ask(server.urls.http, '/v1/data/nothing', asked);
  expect(answer.headers).toMatchObject({ connection: 'close', 'verdict-decision-id': expect.any(String) });
  expect(await server.ended).toEqual({ code: 0, signal: null });
});

test('a request that is under way when the server ends is answered', async () => {
  const server = await serve(['server.drainSeconds=0', 'server.graceSeconds=20'], ['--bundle', shopFolder()]);
  const { hostname, port } = new URL(server.urls.http);
  const answered = new Promise<number | undefined>((resolve, reject) => {
    const sent = request(
      {
        host: hostname,
        port,
        path: '/v1/data/shop/allow',
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': 12 },
      },
      (response) => {
        response.resume();
        resolve(response.statusCode);
      },
    );
    sent.on('error', reject);
    sent.write('{"input"');
    sent.on('socket', (socket) =>
      socket.on('connect', async () => {
        await sleep(100);
        server.child.kill('SIGTERM');
        await seen(server, 'ending');
        await sleep(200);
        sent.end(':{}}');
      }),
    );
  });
  expect(await answered).toBe(200);
  expect((await server.ended).code).toBe(0);
});

test('a second signal ends it at once; one that comes twice at once is one', async () => {
  const server = await serve(['server.drainSeconds=600']);
  server.child.kill('SIGTERM');
  server.child.kill('SIGTERM');
  await seen(server, 'ending');
  await sleep(1300);
  expect(server.child.exitCode).toBeNull();
  server.child.kill('SIGTERM');
  expect(await server.ended).toEqual({ code: 143, signal: null });
});

test('a port in use is said in one sentence, with a failing exit code', async () => {
  const holder = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => holder.once('listening', resolve));
  const { port } = holder.address() as { port: number };
  const storage = path.join(place.folder, 'taken');
  const { status, stderr, stdout } = verdict(
    'serve',
    ...[
      '--set',
      `storage.dir=${storage}`,
      '--set',
      `server.http.port=${port}`,
      '--set',
      'server.grpc.port=0',
      '--set',
      'server.admin.port=0',
    ],
  );
  holder.close();
  expect(status).toBe(1);
  expect(stdout).toBe('');
  const said = stderr.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
  expect(said).toEqual([expect.stringMatching(`^verdict: port ${port} on 127.0.0.1 is in use: set server.http.port`)]);
});

test('a wrong configuration is refused before anything is written', () => {
  const file = path.join(place.folder, 'wrong.yaml');
  writeFileSync(file, 'cache:\n  maxByte: 1\nstorage:\n  dir: never-made\n');
  const { status, stderr } = verdict('serve', '--config', file);
  expect(status).toBe(2);
  expect(stderr).toContain('did you mean cache.maxBytes?');
  expect(stderr).toContain('wrong.yaml:2:3');
  expect(() => readFileSync(path.join(place.folder, 'never-made', 'operator-token'))).toThrow('ENOENT');
});

test('the version is that of the package', () => {
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
  expect(verdict('--version').stdout.trim()).toBe(version);
});

test('built bundles are served without the toolchain: from the command line, and after a restart', async () => {
  const bundle = path.join(place.folder, 'shop.tar.gz');
  expect(verdict('build', shopFolder(), '-o', bundle)).toMatchObject({ status: 0 });
  const bare = path.join(place.folder, 'bare');
  cpSync(path.join(root, 'dist'), path.join(bare, 'dist'), { recursive: true });
  // The digest names the compiler; the compiler itself is left out.
  for (const file of ['package.json', path.join('toolchain', 'rego.wasm.sha256')])
    cpSync(path.join(root, file), path.join(bare, file));
  symlinkSync(path.join(root, 'node_modules'), path.join(bare, 'node_modules'));
  const storage = `storage.dir=${path.join(place.folder, 'bare-state')}`;
  for (const args of [['--bundle', `shop=${bundle}`], []]) {
    const server = await serve([storage, 'server.drainSeconds=0'], args, path.join(bare, 'dist', 'main.js'));
    expect((await ask(server.urls.http, '/v1/data/shop/allow')).body).toMatchObject({ result: true });
    server.child.kill('SIGTERM');
    expect(await server.ended).toEqual({ code: 0, signal: null });
  }
});
