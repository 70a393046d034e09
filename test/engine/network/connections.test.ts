import { createServer as createPlain, type Server } from 'node:http';
import { createServer as createTls } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Engine, LoadedModule } from '../../../src/engine/index.ts';
import { checkJson, defaultEngineSettings } from '../../../src/engine/index.ts';
import { Connections } from '../../../src/engine/network/http/connections.ts';
import { makeAuthority } from '../../support/certificates.ts';
import type { Workbench } from '../workbench.ts';
import { dataOf, openWorkbench } from '../workbench.ts';

const authority = makeAuthority('Verdict test authority');
const host = authority.issue('people.example', '127.0.0.1');
const clients = [authority.issue('one'), authority.issue('other')] as const;

let bench: Workbench;
let engine: Engine;
let module: LoadedModule;
const listeners: Server[] = [];
/** Connections of each listener, in order of their coming. */
const sockets = new Map<string, Socket[]>();

const started = async (listener: Server, event: 'connection' | 'secureConnection'): Promise<string> => {
  const came: Socket[] = [];
  listener.on(event, (socket: Socket) => came.push(socket));
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  listeners.push(listener);
  const url = `http${event === 'connection' ? '' : 's'}://127.0.0.1:${(listener.address() as AddressInfo).port}/`;
  sockets.set(url, came);
  return url;
};

let plain: string;
let mutual: string;

beforeAll(async () => {
  plain = await started(
    createPlain((request, response) => response.end(request.url)),
    'connection',
  );
  const demands = { ca: [authority.cert], requestCert: true, rejectUnauthorized: true };
  mutual = await started(
    createTls({ ...host, ...demands }, (request, response) =>
      response.end((request.socket as TLSSocket).getPeerCertificate().subject.CN),
    ),
    'secureConnection',
  );
  bench = await openWorkbench();
  const network = { ...defaultEngineSettings.network, hosts: ['127.0.0.1'] };
  const source = 'sent := http.send(object.union({"method": "get", "raise_error": false}, input)).raw_body';
  engine = bench.engine({ engine: { network } });
  module = await engine.load({ name: 'p@1', wasm: await bench.compile(source), data: dataOf('{}') });
});
afterAll(async () => {
  await bench.close();
  for (const listener of listeners) listener.closeAllConnections();
  await Promise.all(listeners.map((listener) => new Promise((resolve) => listener.close(resolve))));
});

const send = async (request: object): Promise<string> => {
  const input = checkJson(Buffer.from(JSON.stringify(request))).json;
  const evaluation = await module.evaluate({ entrypoint: 'p/sent', below: [], strictErrors: true, input });
  return evaluation.kind === 'defined' ? evaluation.json : evaluation.kind;
};
const count = (url: string): number => sockets.get(url)?.length ?? 0;

test('requests that may be sent again share a connection, and others have one of their own', async () => {
  for (const path of ['a', 'b', 'c']) expect(await send({ url: plain + path })).toBe(`"/${path}"`);
  expect(count(plain)).toBe(1);
  for (let at = 0; at < 2; at++) await send({ url: plain, method: 'post' });
  expect(count(plain)).toBe(3);
  await send({ url: plain });
  expect(count(plain)).toBe(3);
});

test('a connection that the server closed meanwhile is no failure', async () => {
  const before = count(plain);
  await send({ url: plain });
  // Behind the client's back: it learns of it when it sends, or a moment before.
  for (const socket of sockets.get(plain) ?? []) socket.resetAndDestroy();
  expect(await send({ url: plain })).toBe('"/"');
  expect(count(plain)).toBe(before + 1);
});

test('no connection is used under another certificate, or for another name', async () => {
  const [one, other] = clients.map(({ cert, key }) => ({ tls_client_cert: cert, tls_client_key: key }));
  const trusted = { url: mutual, tls_ca_cert: authority.cert };
  expect(await send({ ...trusted, ...one })).toBe('"one"');
  expect(await send({ ...trusted, ...other })).toBe('"other"');
  expect(await send({ ...trusted, ...one })).toBe('"one"');
  expect(count(mutual)).toBe(2);
  expect(await send({ ...trusted, ...one, tls_server_name: 'people.example' })).toBe('"one"');
  expect(count(mutual)).toBe(3);
  // A connection that was made without looking is none for who looks.
  await send({ url: mutual, ...one, tls_insecure_skip_verify: true });
  expect(count(mutual)).toBe(4);
});

test('bundles share no connections, and one that is gone leaves none', () => {
  const connections = new Connections();
  const agent = connections.of('a').agent('x');
  expect(connections.of('a').agent('x')).toBe(agent);
  expect(connections.of('b').agent('x')).not.toBe(agent);
  expect(connections.of('a').agent('y')).not.toBe(agent);
  expect(connections.of('a').agent()).not.toBe(agent);
  connections.forget('a');
  expect(connections.of('a').agent('x')).not.toBe(agent);
});

test('requests are counted by what became of them', async () => {
  const before = engine.networkCounts();
  await send({ url: `${plain}kept`, force_cache: true, force_cache_duration_seconds: 60 });
  await send({ url: `${plain}kept`, force_cache: true, force_cache_duration_seconds: 60 });
  await send({ url: 'http://elsewhere.example/' });
  await send({ url: 'http://127.0.0.1:1/' });
  const counts = engine.networkCounts();
  expect(counts.reused).toBeGreaterThan(0);
  expect(counts.cache_hit - before.cache_hit).toBe(1);
  expect(counts.answered - before.answered).toBe(1);
  expect(counts.refused - before.refused).toBe(1);
  expect(counts.failed - before.failed).toBe(1);
});
