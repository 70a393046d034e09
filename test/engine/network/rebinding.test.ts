import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { defaultEngineSettings } from '../../../src/engine/index.ts';
import { AllowedHosts } from '../../../src/engine/network/allowed.ts';
import { Connections } from '../../../src/engine/network/http/connections.ts';
import { httpSend, type Sending } from '../../../src/engine/network/http/http-send.ts';
import { ResponseCache } from '../../../src/engine/network/http/response-cache.ts';
import { regoFromJson, regoJson } from '../../../src/rego/index.ts';
import { openWorkbench } from '../workbench.ts';

// A name is allowed; what it stands for is asked when a connection is made, and decides.

let port: number;
let location: string | undefined;
const served: string[] = [];
const server = createServer((request, response) => {
  served.push(`${request.headers.host} ${request.url}`);
  response.writeHead(location === undefined || request.url !== '/to' ? 200 : 302, location ? { location } : {}).end();
});
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
beforeEach(() => {
  served.length = 0;
  location = undefined;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** A resolver whose answers to a name come one after the other; the last one stays. */
const resolver = (names: { readonly [name: string]: readonly (readonly string[])[] }) => {
  const asked: string[] = [];
  return {
    asked,
    resolve: async (name: string) => {
      const answers = names[name] ?? [];
      const times = asked.filter((each) => each === name).length;
      asked.push(name);
      return (answers[Math.min(times, answers.length - 1)] ?? []).map((address) => ({
        address,
        family: address.includes(':') ? 6 : 4,
      }));
    },
  };
};

/** One evaluation's calls. 127.0.0.1 is in the list, as a public address is without it. */
const sending = (resolve: Sending['resolve'], more: Partial<Sending> = {}): Sending => ({
  allowed: new AllowedHosts(['people.example', 'other.example', '127.0.0.1']),
  responseBytes: 4_096,
  tlsFiles: [],
  count: () => {},
  signal: new AbortController().signal,
  answered: new Map(),
  responses: new ResponseCache(0).of(''),
  nowMs: 0,
  ...(resolve === undefined ? {} : { resolve }),
  ...more,
});

const send = async (path: string, limits: Sending, more: object = {}): Promise<Record<string, unknown>> => {
  const request = { method: 'get', url: `http://people.example:${port}${path}`, raise_error: false, ...more };
  const { value } = await httpSend(regoFromJson(JSON.stringify(request)), limits);
  return JSON.parse(regoJson(value)) as Record<string, unknown>;
};

const refusal = (name: string, address: string) => ({
  code: 'eval_http_send_internal_error',
  message: expect.stringContaining(
    `disallowed host: ${name} is ${address}, which is not public: engine.network.hosts has to name that address, too`,
  ),
});

test.each(['10.0.0.8', '127.0.0.2', '169.254.169.254', '::1', '::ffff:10.0.0.8'])(
  'a name in the list that stands for %s is refused, and raised as the error of the builtin',
  async (address) => {
    const { resolve } = resolver({ 'people.example': [[address]] });
    const plain = address.replace('::ffff:', '');
    expect((await send('/', sending(resolve))).error).toEqual(refusal('people.example', plain));
    await expect(send('/', sending(resolve), { raise_error: true })).rejects.toThrow('disallowed host: people.example');
    expect(served).toEqual([]);
  },
);

test('a name is asked once for a connection: that answer is checked, and connected to', async () => {
  const { asked, resolve } = resolver({ 'people.example': [['127.0.0.1'], ['10.0.0.8']] });
  expect(await send('/one', sending(resolve))).toMatchObject({ status_code: 200 });
  expect(asked).toEqual(['people.example']);
  expect(served).toEqual([`people.example:${port} /one`]);
});

test('a name that stands for another address the next time is refused then', async () => {
  const { resolve } = resolver({ 'people.example': [['127.0.0.1'], ['10.0.0.8']] });
  const limits = sending(resolve);
  expect(await send('/one', limits)).toMatchObject({ status_code: 200 });
  expect((await send('/two', limits)).error).toEqual(refusal('people.example', '10.0.0.8'));
  expect(served).toHaveLength(1);
});

test('a connection that is used again is the one that was checked', async () => {
  const { asked, resolve } = resolver({ 'people.example': [['127.0.0.1'], ['10.0.0.8']] });
  const events: string[] = [];
  const limits = sending(resolve, { connections: new Connections().of('b'), tell: (event) => events.push(event) });
  expect(await send('/one', limits)).toMatchObject({ status_code: 200 });
  expect(await send('/two', limits)).toMatchObject({ status_code: 200 });
  expect({ asked, events }).toEqual({ asked: ['people.example'], events: ['answered', 'reused', 'answered'] });
});

test('one address of several that may not be connected to refuses the name', async () => {
  const { resolve } = resolver({ 'people.example': [['127.0.0.1', '10.0.0.8']] });
  expect((await send('/', sending(resolve))).error).toEqual(refusal('people.example', '10.0.0.8'));
  expect(served).toEqual([]);
});

test('a redirect to a name is checked as a request to it is', async () => {
  location = `http://other.example:${port}/`;
  const { resolve } = resolver({ 'people.example': [['127.0.0.1']], 'other.example': [['192.168.1.1']] });
  const { error } = await send('/to', sending(resolve), { enable_redirect: true });
  expect(error).toEqual(refusal('other.example', '192.168.1.1'));
  expect(served).toHaveLength(1);
});

test('a policy that asks a name of this machine is refused, where the name alone is in the list', async () => {
  const bench = await openWorkbench();
  const network = { ...defaultEngineSettings.network, hosts: ['localhost'] };
  const policy = await bench.policy('sent := http.send(input)', { engine: { network } });
  const input = { method: 'get', url: `http://localhost:${port}/`, raise_error: false };
  const { error } = JSON.parse(await policy.answer('p/sent', { input })) as { error: object };
  expect(error).toMatchObject({
    message: expect.stringMatching(/localhost is (127\.0\.0\.1|::1), which is not public/),
  });
  expect(served).toEqual([]);
  await bench.close();
});
