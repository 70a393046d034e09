import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { cli, folderOf } from './run.ts';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

interface Listener {
  readonly url: string;
  readonly seen: IncomingMessage[];
}

/** A server that answers every request alike and keeps what it was asked. */
const listen = async (answer: RequestListener): Promise<Listener> => {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    seen.push(request);
    answer(request, response);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
};

const noTokens: RequestListener = (_, response) =>
  void response.writeHead(200, { 'content-type': 'application/json' }).end('{"tokens": []}');

const storage = (): string => folderOf({ '.verdict/operator-token': 'vdt_operator\n', 'a.token': 'vdt_file\n' });

test('the token named by a file wins over the environment, and that over the one in storage', async () => {
  const { url, seen } = await listen(noTokens);
  const cwd = storage();
  const list = ['token', 'list', '--server', url];
  const env = { VERDICT_TOKEN: 'vdt_environment' };
  await cli([...list, '--token-file', 'a.token'], { cwd, env });
  await cli(list, { cwd, env });
  await cli(list, { cwd });
  expect(seen.map(({ headers }) => headers.authorization)).toEqual([
    'Bearer vdt_file',
    'Bearer vdt_environment',
    'Bearer vdt_operator',
  ]);
});

test('the address comes from --server, else VERDICT_SERVER, else the configuration', async () => {
  const [named, inEnv, configured] = [await listen(noTokens), await listen(noTokens), await listen(noTokens)];
  const cwd = storage();
  const port = new URL(configured.url).port;
  const set = ['--set', `server.admin.port=${port}`];
  await cli(['token', 'list', '--server', named.url, ...set], { cwd, env: { VERDICT_SERVER: inEnv.url } });
  await cli(['token', 'list', ...set], { cwd, env: { VERDICT_SERVER: inEnv.url } });
  await cli(['token', 'list', ...set], { cwd });
  expect([named, inEnv, configured].map(({ seen }) => seen.length)).toEqual([1, 1, 1]);
});

test('a foreign server is not handed the operator token', async () => {
  const { code, stderr } = await cli(['token', 'list', '--server', 'https://verdict.example'], { cwd: storage() });
  expect(code).toBe(5);
  expect(stderr).toContain('https://verdict.example needs a token');
});

test('without any token the sentence says where one was looked for', async () => {
  const { code, stderr } = await cli(['token', 'list', '--server', 'http://127.0.0.1:1']);
  expect(code).toBe(5);
  expect(stderr).toMatch(/\.verdict\/operator-token is not there; give --token-file FILE, set VERDICT_TOKEN/);
});

test('a redirect is not followed: the token would go where nobody sent it', async () => {
  const thief = await listen(noTokens);
  const { url } = await listen((_, response) => void response.writeHead(307, { location: thief.url }).end());
  const { code } = await cli(['token', 'list', '--server', url], { cwd: storage() });
  expect(code).toBe(1);
  expect(thief.seen).toEqual([]);
});

test('a token that would cross a network unencrypted is warned about', async () => {
  const env = { VERDICT_TOKEN: 'vdt_environment' };
  const { code, stderr } = await cli(['token', 'list', '--server', 'http://verdict.invalid'], { env });
  expect(stderr).toContain('the token goes to http://verdict.invalid unencrypted');
  expect(stderr).toContain('does not answer');
  expect(stderr).not.toContain('vdt_');
  expect(code).toBe(1);
});

test('a file that holds no token is refused before anybody is asked', async () => {
  const cwd = folderOf({ 'empty.token': '\n', 'two.token': 'vdt_a vdt_b' });
  for (const file of ['empty.token', 'two.token', 'missing.token']) {
    const { code, stderr } = await cli(['token', 'list', '--token-file', file], { cwd });
    expect(code).toBe(1);
    expect(stderr).toContain(file);
  }
});

test.each([
  ['nobody', (_, response) => void response.socket?.destroy(), 'does not answer'],
  ['a web page', (_, response) => void response.end('<h1>hello</h1>'), 'is not what this version of verdict reads'],
  ['another JSON', (_, response) => void response.end('{"tokens": [{}]}'), 'is not what this version of verdict reads'],
  ['a proxy', (_, response) => void response.writeHead(502).end('\u001b[2Jbad gateway'), 'the server answered 502'],
] satisfies [string, RequestListener, string][])('where %s answers, that is said', async (_, answer, message) => {
  const { url } = await listen(answer);
  const { code, stdout, stderr } = await cli(['token', 'list', '--server', url], { cwd: storage() });
  expect(stderr).toContain(message);
  expect(stderr).not.toContain('\u001b[2J');
  expect(stdout).toBe('');
  expect(code).toBe(1);
});

test('a token that is refused is told by where it was taken from, and not by what it is', async () => {
  const body = JSON.stringify({ code: 'UNAUTHENTICATED', detail: 'the token is not known here' });
  const { url } = await listen((_, response) => void response.writeHead(401).end(body));
  const cwd = storage();
  const env = { VERDICT_TOKEN: 'vdt_environment' };
  for (const command of [
    ['token', 'list'],
    ['decisions', 'tail', '--follow'],
  ]) {
    const argv = [...command, '--server', url];
    const runs = [
      await cli([...argv, '--token-file', 'a.token'], { cwd, env }),
      await cli(argv, { cwd, env }),
      await cli(argv, { cwd }),
    ];
    const sources = [
      'a.token (--token-file)',
      'VERDICT_TOKEN',
      '.verdict/operator-token, the operator token in storage.dir',
    ];
    for (const [at, { code, stderr }] of runs.entries()) {
      expect(code).toBe(5);
      expect(stderr).toMatch(/the token is not known here; it was taken from /);
      expect(stderr).toContain(`${sources[at]}\n`);
      expect(stderr).not.toContain('vdt_');
    }
  }
});
