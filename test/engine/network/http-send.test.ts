import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { defaultEngineSettings } from '../../../src/engine/index.ts';
import type { Policy, Workbench } from '../workbench.ts';
import { openWorkbench } from '../workbench.ts';

let bench: Workbench;
let server: Server;
let policy: Policy;
let port: number;
const requests: string[] = [];

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
};

beforeAll(async () => {
  server = createServer(async (request, response): Promise<unknown> => {
    const { method, url = '', headers } = request;
    requests.push(`${method} ${url}`);
    const body = await bodyOf(request);
    if (url.startsWith('/to?')) return response.writeHead(302, { location: decodeURIComponent(url.slice(4)) }).end();
    if (url === '/large') return response.end(Buffer.alloc(5_000, 'x'));
    if (url === '/loop') return response.writeHead(307, { location: '/loop' }).end();
    if (url === '/yaml')
      return response
        .writeHead(200, { 'content-type': 'application/yaml' })
        .end('a: [1, b]\nc: 010\nd: yes\n---\ne: 2\n');
    if (url === '/broken') return response.writeHead(200, { 'content-type': 'application/json' }).end('{');
    if (url === '/failing') return response.writeHead(503).end();
    if (url === '/silent') return undefined;
    if (url === '/cut')
      return response.writeHead(200, { 'content-length': '9' }).write('c', () => request.socket.destroy());
    if (url === '/lines') return response.end('{"a": 1}\n{"b": 2}\n');
    response.writeHead(200, { 'content-type': 'application/json', 'x-two': ['1', '2'] });
    return response.end(
      JSON.stringify({
        ...{ method, url, body, asked: headers['x-asked'], length: headers['content-length'] },
        ...{ type: headers['content-type'], token: headers.authorization, from: headers.referer },
      }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
  bench = await openWorkbench();
  const network = {
    ...defaultEngineSettings.network,
    hosts: ['127.0.0.1', 'localhost.example', 'localhost'],
    responseBytes: 4_096,
    requests: 4,
  };
  policy = await bench.policy(
    'sent := http.send(input)\ntwice := [http.send(input).status_code, http.send(object.union(input, {})).status_code]\naddresses := net.lookup_ip_addr(input)',
    { engine: { network } },
  );
});
afterAll(async () => {
  await bench.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const at = (path: string): string => `http://127.0.0.1:${port}${path}`;
const send = async (request: object): Promise<Record<string, unknown>> => {
  const evaluation = await policy.ask('p/sent', { input: { method: 'get', ...request }, strictErrors: true });
  if (evaluation.kind !== 'defined')
    throw new Error(JSON.stringify(evaluation.kind === 'failed' ? evaluation.message : 'undefined'));
  return JSON.parse(evaluation.json) as Record<string, unknown>;
};
const failure = async (request: object): Promise<unknown> => (await send({ raise_error: false, ...request })).error;

test('a response has status, headers, raw body and the decoded body', async () => {
  const found = await send({ method: 'post', url: at('/a?b=c'), body: { n: 1 }, headers: { 'X-Asked': 'yes' } });
  expect(found).toMatchObject({
    status: '200 OK',
    status_code: 200,
    body: { method: 'POST', url: '/a?b=c', body: '{"n":1}', asked: 'yes', length: '7' },
    headers: { 'content-type': ['application/json'], 'x-two': ['1', '2'] },
  });
  expect(JSON.parse(String(found.raw_body))).toEqual(found.body);
});

test('a body is decoded by its type or by force, and null where it does not decode', async () => {
  expect((await send({ url: at('/yaml') })).body).toEqual({ a: [1, 'b'], c: 8, d: 'yes' });
  expect((await send({ url: at('/broken') })).body).toBeNull();
  expect((await send({ url: at('/lines'), force_json_decode: true })).body).toEqual({ a: 1 });
  expect(await send({ url: at('/large'), force_json_decode: true }).catch(String)).toContain('4096 bytes');
});

test('one request is sent once within an evaluation', async () => {
  requests.length = 0;
  expect(await policy.answer('p/twice', { input: { method: 'get', url: at('/once') } })).toBe('[200,200]');
  expect(requests).toEqual(['GET /once']);
});

test('an answer of the network is volatile, and its call is recorded', async () => {
  const { basis } = await policy.ask('p/sent', { input: { method: 'get', url: at('/basis') } });
  expect(basis).toMatchObject({ volatile: true, nonDeterministic: [{ builtin: 'http.send' }] });
});

test.each([
  ['a host that is not named', () => 'http://other.example/'],
  ['an address that is not named', () => 'http://169.254.169.254/latest/'],
  ['another host behind a name of user', () => 'http://127.0.0.1@other.example/'],
  ['an address in one number', () => 'http://2852039166/'],
  ['an address in octal', () => 'http://0251.0376.0251.0376/'],
  ['an IPv4-mapped address', () => 'http://[::ffff:169.254.169.254]/'],
])('%s is refused', async (_what, url) => {
  expect(await failure({ url: url() })).toMatchObject({
    code: 'eval_http_send_internal_error',
    message: expect.stringContaining('engine.network.hosts'),
  });
});

test('the loopback address written as a number is the address that is named', async () => {
  expect(await send({ url: `http://2130706433:${port}/` })).toMatchObject({ status_code: 200 });
});

test('a redirect is followed only when asked, and only to hosts that are named', async () => {
  const to = (url: string): string => at(`/to?${encodeURIComponent(url)}`);
  expect(await send({ url: to('/b') })).toMatchObject({ status_code: 302 });
  expect(await send({ url: to('/b'), enable_redirect: true })).toMatchObject({ body: { url: '/b' } });
  for (const url of ['http://169.254.169.254/', 'http://[::1]:1/']) {
    expect(await failure({ url: to(url), enable_redirect: true })).toMatchObject({
      code: 'eval_http_send_internal_error',
      message: expect.stringContaining('disallowed host'),
    });
  }
  expect(await failure({ url: to('file:///etc/passwd'), enable_redirect: true })).toEqual({
    code: 'eval_http_send_network_error',
    message: 'Get "file:///etc/passwd": unsupported protocol scheme "file"',
  });
  expect(await failure({ url: at('/loop'), enable_redirect: true })).toMatchObject({
    message: expect.stringContaining('engine.network.requests'),
  });
});

test('a redirect keeps the method, the body and credentials only where it should', async () => {
  const headers = { authorization: 'Bearer x', 'content-type': 'text/plain' };
  const post = { method: 'post', raw_body: 'b', headers, enable_redirect: true };
  const here = at(`/to?${encodeURIComponent('/here')}`);
  expect((await send({ ...post, url: here })).body).toEqual({
    method: 'GET',
    url: '/here',
    body: '',
    token: 'Bearer x',
    from: here,
  });
  const away = at(`/to?${encodeURIComponent(`http://localhost:${port}/away`)}`);
  const { body } = await send({ ...post, url: away });
  expect(body).toMatchObject({ url: '/away' });
  expect(body).not.toHaveProperty('token');
});

test('errors are told apart as OPA tells them', async () => {
  expect(await failure({ url: 'http://127.0.0.1:1/' })).toEqual({
    code: 'eval_http_send_network_error',
    message: 'Get "http://127.0.0.1:1/": dial tcp 127.0.0.1:1: connect: connection refused',
  });
  const late = { url: at('/silent'), timeout: '50ms' };
  expect(await failure(late)).toMatchObject({
    code: 'eval_http_send_network_error',
    message: expect.stringContaining('context deadline exceeded'),
  });
  expect(await send({ url: at('/'), timeout: '1000h' })).toMatchObject({ status_code: 200 });
  await expect(send(late)).rejects.toThrow(`Get ${late.url}: request timed out`);
  expect(await failure({ url: at('/cut') })).toEqual({
    code: 'eval_http_send_internal_error',
    message: 'eval_builtin_error: http.send: unexpected EOF',
  });
  await expect(send({ url: at('/'), raise_error: null })).rejects.toThrow('invalid value for raise_error field');
  expect(await failure({ url: at('/'), bad: 1 })).toMatchObject({
    code: 'eval_http_send_internal_error',
    message: expect.stringContaining('invalid request parameters(s): {"bad"}'),
  });
  expect(await policy.answer('p/sent', { input: { method: 'get' } })).toBe('undefined');
});

test('a request is sent again after failures of the network, as often as it says', async () => {
  const url = 'http://127.0.0.1:1/';
  expect(await failure({ url, max_retry_attempts: 1 })).toMatchObject({ code: 'eval_http_send_network_error' });
  expect(await failure({ url, max_retry_attempts: -1 })).toMatchObject({ code: 'eval_http_send_internal_error' });
});

test('addresses are looked up for names in the list; an address is its own', async () => {
  expect(await policy.answer('p/addresses', { input: '127.0.0.1' })).toBe('["127.0.0.1"]');
  expect(await policy.answer('p/addresses', { input: 'localhost' })).toContain('127.0.0.1');
  expect(await policy.answer('p/addresses', { input: 'other.example' })).toBe('undefined');
});
