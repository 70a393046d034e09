import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { defaultEngineSettings } from '../../../src/engine/index.ts';
import { type Authority, makeAuthority } from '../../support/certificates.ts';
import { temporaryFolder } from '../../support/server-process.ts';
import type { Policy, Workbench } from '../workbench.ts';
import { openWorkbench } from '../workbench.ts';

const authority = makeAuthority('Verdict test authority');
const stranger = makeAuthority('Another authority');
const server = authority.issue('people.example', '127.0.0.1');
const client = authority.issue('verdict');

const { folder, remove } = temporaryFolder('tls');
const inFolder = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};
const files = {
  tls_ca_cert_file: inFolder('ca.pem', authority.cert),
  tls_client_cert_file: inFolder('client.pem', client.cert),
  tls_client_key_file: inFolder('client.key', client.key),
};
const notNamed = inFolder('not-named.pem', authority.cert);
const noCertificate = inFolder('text.pem', 'no certificate');

let bench: Workbench;
let policy: Policy;
const listeners: Server[] = [];

/** A server that says who it was asked as, and by whom. */
const listen = async (clients?: Authority): Promise<string> => {
  const mutual = clients === undefined ? {} : { ca: [clients.cert], requestCert: true, rejectUnauthorized: true };
  const listener = createServer({ ...server, ...mutual }, (request, response) => {
    const socket = request.socket as TLSSocket;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ asked: socket.servername, by: socket.getPeerCertificate()?.subject?.CN ?? null }));
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  listeners.push(listener);
  return `https://127.0.0.1:${(listener.address() as AddressInfo).port}/`;
};

let open: string;
let mutual: string;

beforeAll(async () => {
  [open, mutual] = [await listen(), await listen(authority)];
  bench = await openWorkbench();
  const tlsFiles = [...Object.values(files), noCertificate, join(folder, 'gone.pem')];
  const network = { ...defaultEngineSettings.network, hosts: ['127.0.0.1'], tlsFiles };
  policy = await bench.policy('sent := http.send(object.union({"method": "get", "raise_error": false}, input))', {
    engine: { network },
  });
});
afterAll(async () => {
  await bench.close();
  for (const listener of listeners) listener.closeAllConnections();
  await Promise.all(listeners.map((listener) => new Promise((resolve) => listener.close(resolve))));
  remove();
});

const send = async (request: object): Promise<Record<string, unknown>> =>
  JSON.parse(await policy.answer('p/sent', { input: request })) as Record<string, unknown>;
const bodyOf = async (request: object): Promise<unknown> => (await send(request)).body;
const failure = async (request: object) => (await send(request)).error as { code: string; message: string };

const networkError = 'eval_http_send_network_error';

test('a server is believed only with a certificate of an authority that is trusted', async () => {
  expect(await failure({ url: open })).toMatchObject({ code: networkError });
  expect(await failure({ url: open, tls_ca_cert: stranger.cert })).toMatchObject({ code: networkError });
  expect(await failure({ url: open, tls_use_system_certs: true })).toMatchObject({ code: networkError });
  expect(await bodyOf({ url: open, tls_ca_cert: authority.cert })).toEqual({ asked: false, by: null });
  // As it stands in a JSON text that somebody escaped twice.
  const escaped = authority.cert.replaceAll('\n', '\\n');
  expect(await bodyOf({ url: open, tls_ca_cert: escaped, tls_use_system_certs: true })).toEqual({
    asked: false,
    by: null,
  });
  expect(await bodyOf({ url: open, tls_ca_cert: stranger.cert + authority.cert })).toMatchObject({ by: null });
});

test('verification is left out only where the request says so', async () => {
  expect(await bodyOf({ url: open, tls_insecure_skip_verify: true })).toEqual({ asked: false, by: null });
  expect(await failure({ url: open, tls_insecure_skip_verify: false })).toMatchObject({ code: networkError });
  expect(await failure({ url: open, tls_insecure_skip_verify: 'true' })).toMatchObject({
    code: 'eval_http_send_internal_error',
    message: expect.stringContaining('strconv.ParseBool: parsing "\\"true\\"": invalid syntax'),
  });
});

test('the name of the server is that of the URL, of the Host header, or of tls_server_name', async () => {
  const trusted = { url: open, tls_ca_cert: authority.cert };
  expect(await bodyOf({ ...trusted, tls_server_name: 'people.example' })).toMatchObject({ asked: 'people.example' });
  expect(await bodyOf({ ...trusted, headers: { Host: 'people.example' } })).toMatchObject({ asked: 'people.example' });
  expect(
    await bodyOf({ ...trusted, headers: { host: 'other.example' }, tls_server_name: 'people.example' }),
  ).toMatchObject({ asked: 'people.example' });
  for (const name of ['other.example', '127.0.0.2']) {
    expect(await failure({ ...trusted, tls_server_name: name })).toMatchObject({ code: networkError });
  }
});

test('a client shows its certificate', async () => {
  const trusted = { url: mutual, tls_ca_cert: authority.cert };
  expect(await failure(trusted)).toMatchObject({ code: networkError });
  expect(await failure({ ...trusted, tls_client_cert: client.cert })).toMatchObject({ code: networkError });
  const shown = { ...trusted, tls_client_cert: client.cert, tls_client_key: client.key };
  expect(await bodyOf(shown)).toMatchObject({ by: 'verdict' });
  const foreign = stranger.issue('verdict');
  const strange = { ...trusted, tls_client_cert: foreign.cert, tls_client_key: foreign.key };
  expect(await failure(strange)).toMatchObject({ code: networkError });
});

test.each([
  [{ tls_ca_cert: 'no certificate' }, 'could not append certificates'],
  [{ tls_ca_cert: 1 }, '"tls_ca_cert" must be a string'],
  [{ tls_client_cert: 'no certificate', tls_client_key: client.key }, 'the client certificate and its key'],
  [{ tls_client_cert: client.cert, tls_client_key: server.key }, 'the client certificate and its key'],
  [{ tls_ca_cert_file: noCertificate }, 'could not append CA certificates from'],
])('material that cannot be used is an error of the request (%#)', async (members, message) => {
  expect(await failure({ url: open, ...members })).toMatchObject({
    code: 'eval_http_send_internal_error',
    message: expect.stringContaining(message),
  });
});

test('files are read where the configuration names them, and nowhere else', async () => {
  expect(await bodyOf({ url: mutual, ...files })).toMatchObject({ by: 'verdict' });
  const { tls_ca_cert_file } = files;
  const around = join(folder, 'x', '..', 'ca.pem');
  for (const file of [
    notNamed,
    '/etc/passwd',
    `${folder}/./ca.pem`,
    around.replace('ca.pem', 'not-named.pem'),
    'ca.pem',
  ]) {
    expect(await failure({ url: open, tls_ca_cert_file: file })).toMatchObject({
      code: 'eval_http_send_internal_error',
      message: expect.stringContaining(`engine.network.tlsFiles does not name ${file}`),
    });
    expect(await failure({ url: mutual, tls_ca_cert_file, tls_client_key_file: file })).toHaveProperty('code');
  }
  expect(await failure({ url: open, tls_ca_cert_file: join(folder, 'gone.pem') })).toMatchObject({
    message: expect.stringContaining('cannot be read'),
  });
});

test('policies read no environment', async () => {
  for (const name of ['tls_ca_cert', 'tls_client_cert', 'tls_client_key']) {
    expect(await failure({ url: open, [`${name}_env_variable`]: 'PATH' })).toMatchObject({
      message: expect.stringContaining('policies read no environment'),
    });
  }
});
