import { spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { type Pdp, startPdp } from '../support/pdp.ts';
import { freePort, root } from '../support/server-process.ts';
import { good } from './policies.ts';
import { cli, folderOf } from './run.ts';

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const pdp = async (options: Parameters<typeof startPdp>[0] = {}): Promise<Pdp> => {
  const started = await startPdp(options);
  closers.push(() => started.stop());
  return started;
};

/** A server that answers every request with this, and what it was asked. */
const answering = async (status: number, body: string): Promise<{ readonly url: string; readonly asked: string[] }> => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => new Promise((resolve) => server.close(resolve)));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
};

test('a server without a policy is live and not ready, on both listeners', async () => {
  const { urls } = await pdp();
  for (const url of [urls.http, urls.admin]) {
    expect(await cli(['healthcheck', '--live', '--url', url])).toMatchObject({ code: 0, stdout: `${url} is live\n` });
    const ready = await cli(['healthcheck', '--url', url]);
    expect(ready).toMatchObject({
      code: 1,
      stdout: '',
      stderr: `verdict: ${url} is not ready: no version is active\n`,
    });
  }
});

test('the server that --server or VERDICT_SERVER names is asked, and no other', async () => {
  const { urls } = await pdp();
  const named = await cli(['healthcheck', '--live', '--server', urls.admin]);
  expect(named).toMatchObject({ code: 0, stdout: `${urls.admin} is live\n` });
  const env = { VERDICT_SERVER: urls.admin };
  expect(await cli(['healthcheck', '--live'], { env })).toMatchObject({ code: 0, stdout: `${urls.admin} is live\n` });
  const port = await freePort();
  const gone = await cli(['healthcheck', '--live', '--server', `http://127.0.0.1:${port}`]);
  expect(gone.code).toBe(1);
  expect(gone.stderr).toContain(`http://127.0.0.1:${port} does not answer`);
  expect(await cli(['healthcheck', '--grpc', '--server', urls.admin])).toMatchObject({ code: 2 });
});

test('a server that decides is ready, at the address that the configuration says', async () => {
  const cwd = folderOf(Object.fromEntries(Object.entries(good).map(([name, text]) => [`shop/${name}`, text])));
  const { urls } = await pdp({ bundles: { shop: path.join(cwd, 'shop') } });
  const { port } = new URL(urls.http);
  const asked = await cli(['healthcheck', '--set', `server.http.port=${port}`, '--output', 'json']);
  expect(asked.code, asked.stderr).toBe(0);
  expect(asked.json()).toEqual({ ok: true, state: 'ready', url: urls.http });
});

test('a Unix socket is asked, from the configuration or by name', async () => {
  const socket = path.join(folderOf({}), 'decide.sock');
  await pdp({ sets: [`server.http.socket=${socket}`] });
  for (const args of [
    ['--set', `server.http.socket=${socket}`],
    ['--url', `unix:${socket}`],
  ])
    expect(await cli(['healthcheck', '--live', ...args])).toMatchObject({
      code: 0,
      stdout: `unix:${socket} is live\n`,
    });
});

test('the gRPC listener is asked by the health service of gRPC', async () => {
  const cwd = folderOf(Object.fromEntries(Object.entries(good).map(([name, text]) => [`shop/${name}`, text])));
  const empty = await pdp();
  const ready = await pdp({ bundles: { shop: path.join(cwd, 'shop') } });
  const ask = (url: string, ...args: string[]) => cli(['healthcheck', '--grpc', '--url', `http://${url}`, ...args]);
  const well = await ask(ready.urls.grpc ?? '');
  expect(well.code, well.stderr).toBe(0);
  expect(await ask(empty.urls.grpc ?? '', '--live')).toMatchObject({ code: 0 });
  const refused = await ask(empty.urls.grpc ?? '');
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('is not ready: it answers that it does not serve');
  const http = await cli(['healthcheck', '--grpc', '--url', ready.urls.http]);
  expect(http.code).toBe(1);
  expect(http.stderr).toContain('does not answer');
});

test('nobody at the address is exit code 1, in one sentence', async () => {
  const port = await freePort();
  const { code, stderr } = await cli(['healthcheck', '--url', `http://127.0.0.1:${port}`]);
  expect(code).toBe(1);
  expect(stderr).toMatch(new RegExp(`^verdict: http://127.0.0.1:${port} does not answer \\(.*ECONNREFUSED.*\\)\\n$`));
});

test('a server that never answers is given up after the timeout', async () => {
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { code, stderr } = await cli(['healthcheck', '--url', url, '--timeout', '1s']);
  expect(code).toBe(1);
  expect(stderr).toBe(`verdict: ${url} does not answer (nothing came within 1 s)\n`);
});

test('only 200 is well: a redirect, an error and an answer without end are not', async () => {
  const redirect = await answering(302, '');
  expect((await cli(['healthcheck', '--url', redirect.url])).stderr).toContain('it answered 302');
  expect(redirect.asked).toEqual(['/health/ready']);
  const { url } = await answering(500, '{"error": "the decision log cannot be written\\u001b[2J"}');
  const failed = await cli(['healthcheck', '--url', url, '--output', 'json']);
  expect(failed.code).toBe(1);
  expect(failed.json()).toEqual({
    error: { code: 'SERVER_NOT_HEALTHY', message: `${url} is not ready: the decision log cannot be written\ufffd[2J` },
  });
  const endless = await answering(200, 'x'.repeat(1_000_000));
  expect((await cli(['healthcheck', '--url', endless.url])).stderr).toContain('the answer is none about health');
});

test.each([
  [['--live', '--ready'], 'choose one of --live and --ready'],
  [['--url', 'ftp://127.0.0.1'], 'a listener is an address such as http://127.0.0.1:8181'],
  [['--url', 'http://127.0.0.1:8181/v1'], 'a listener is an address such as'],
  [['--timeout', 'soon'], 'a time is a number and one of s, m, h, d, w'],
  [['--set', 'server.http.port=0'], 'give --url'],
])('%j is wrong usage', async (args, sentence) => {
  const { code, stderr } = await cli(['healthcheck', ...args]);
  expect(code).toBe(2);
  expect(stderr).toContain(sentence);
});

// It runs every few seconds beside the server, so it loads what reads a configuration, and nothing of a server.
test('it starts without any part of a server', () => {
  const list = `
    import { registerHooks } from 'node:module';
    const seen = [];
    registerHooks({ load: (url, context, next) => { seen.push(url); return next(url, context); } });
    process.on('exit', () => process.stdout.write(seen.join('\\n')));`;
  const { stdout } = spawnSync(
    process.execPath,
    [
      '--import',
      `data:text/javascript,${encodeURIComponent(list)}`,
      path.join(root, 'src', 'main.ts'),
      ...['healthcheck', '--url', 'unix:/nobody/listens/here'],
    ],
    { cwd: folderOf({}), encoding: 'utf8' },
  );
  const loaded = stdout.split('\n');
  expect(loaded.filter((url) => url.endsWith('/src/cli/commands/healthcheck.ts'))).toHaveLength(1);
  const parts = /\/src\/(server|app\.module|(?!cli|config|canonical)\w+(\/\w+)?\/index)\.ts$/;
  expect(loaded.filter((url) => parts.test(url) || /@nestjs|opa-wasm|@grpc|@opentelemetry|pino/.test(url))).toEqual([]);
});
