import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Loopback, openLoopback } from '../support/loopback.ts';
import { cli, folderOf } from './run.ts';

let server: Loopback;

beforeAll(async () => {
  server = await openLoopback((request, response) => {
    if (request.url === '/away') return response.writeHead(302, { location: 'http://192.0.2.1/' }).end();
    return response.setHeader('content-type', 'application/json').end(`{"asked": ${server.seen.length}}`);
  });
});
afterAll(() => server.close());
beforeEach(() => {
  server.seen.length = 0;
});

const rego = `package shop

import data.server

fetched := http.send({"method": "get", "url": concat("", [server, "/a"])}).body.asked

twice := [fetched, http.send({"method": "get", "url": concat("", [server, "/a"])}).body.asked]

chain := http.send({"method": "get", "url": sprintf("%s/%d", [server, fetched])}).body.asked

loop contains http.send({"method": "get", "url": sprintf("%s/%d", [server, i])}).body.asked if some i in numbers.range(1, 200)

away := http.send({"method": "get", "url": concat("", [server, "/away"]), "enable_redirect": true, "raise_error": false}).error.message

addresses := net.lookup_ip_addr("127.0.0.1")

unreached if not fetched
`;
const tests = `package shop_test

import data.shop

test_fetched if shop.fetched == 1

test_mocked if shop.fetched == 7 with http.send as {"body": {"asked": 7}}
`;
const folder = (): string =>
  folderOf({ 'shop.rego': rego, 'shop_test.rego': tests, 'data.json': JSON.stringify({ server: server.at('') }) });

const evaluate = (rule: string, ...more: readonly string[]) =>
  cli(['eval', `data.shop.${rule}`, '--bundle', '.', ...more], { cwd: folder() });
const allowed = ['--allow-host', '127.0.0.1'];

test('eval reaches a host that the command names, each request once', async () => {
  expect(await evaluate('twice', ...allowed)).toMatchObject({ code: 0, stderr: '', stdout: '[\n  1,\n  1\n]\n' });
  expect(server.seen.map(({ url }) => url)).toEqual(['/a']);
  expect(await evaluate('addresses', ...allowed)).toMatchObject({ stdout: '[\n  "127.0.0.1"\n]\n' });
  const { stdout } = await cli(['eval', 'is_set(net.lookup_ip_addr("localhost"))', '--allow-host', 'localhost']);
  expect(stdout).toBe('true\n');
});

test('a call that rests on the answer to another one is made after it', async () => {
  expect(await evaluate('chain', ...allowed)).toMatchObject({ stdout: '2\n' });
  expect(server.seen.map(({ url }) => url)).toEqual(['/a', '/1']);
  // An answer that nobody had yet is not taken for none.
  expect(await evaluate('unreached', ...allowed)).toMatchObject({ stdout: 'undefined\n' });
});

test('what was refused is said, with what would let it out', async () => {
  const { code, stdout, stderr } = await evaluate('fetched');
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'undefined\n' });
  expect(stderr).toBe(
    'note: http.send was not let out: allow it with --allow-host 127.0.0.1, or mock it (with http.send as ...)\n',
  );
  expect(server.seen).toEqual([]);
});

test('other hosts stay out of reach, behind a redirect too', async () => {
  const { stdout } = await evaluate('away', ...allowed);
  expect(stdout).toContain('disallowed host: 192.0.2.1 (--allow-host does not name it)');
  const strict = await evaluate('fetched', '--allow-host', 'people.example', '--strict-builtin-errors');
  expect(strict.code).not.toBe(0);
  expect(strict.stderr).toContain('--allow-host does not name it');
});

test('a hundred different calls are made at most', async () => {
  const { code } = await evaluate('loop', ...allowed);
  expect(code).toBe(0);
  expect(server.seen).toHaveLength(100);
}, 120_000);

test('an explanation has the answers that the evaluation had', async () => {
  const { stdout, stderr } = await evaluate('fetched', ...allowed, '--explain');
  expect(stdout).toBe('1\n');
  expect(stderr).toContain('data.shop.fetched');
  expect(server.seen).toHaveLength(1);
});

test('tests reach it as well, and say when they do not', async () => {
  const online = await cli(['test', '.', ...allowed, '--explain'], { cwd: folder() });
  expect(online).toMatchObject({ code: 0, stdout: '2 tests: 2 passed\n' });
  const offline = await cli(['test', '.'], { cwd: folder() });
  expect(offline.code).toBe(4);
  expect(offline.stdout).toContain('test_fetched');
  expect(offline.stderr).toContain('allow it with --allow-host 127.0.0.1');
});

test.each(['http://127.0.0.1', '127.0.0.1/a', 'a b', ''])('%j is no host', async (host) => {
  const run = await evaluate('fetched', '--allow-host', host);
  expect(run.code).toBe(2);
  expect(run.stderr).toContain('without scheme, port and path');
});

test('hosts are not for a question to a server', async () => {
  const run = await cli(['eval', 'shop/fetched', '--server', server.at('/'), ...allowed]);
  expect(run.code).toBe(2);
  expect(run.stderr).toContain('engine.network.hosts');
});

test('check names the host where the call says it', async () => {
  const cwd = folderOf({
    'shop.rego': 'package shop\n\nx := http.send({\n\t"method": "get",\n\t"url": "https://people.example/a",\n})\n',
  });
  const { stderr } = await cli(['check', '.'], { cwd });
  expect(stderr).toMatch(/shop\.rego:3:6: http\.send needs the network: .* has to name people\.example/);
});
