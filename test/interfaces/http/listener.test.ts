import { connect } from 'node:net';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { Caller } from '../../../src/decision/index.ts';
import { gives } from '../../support/decision.ts';
import { startHttp } from '../../support/decision-http.ts';

const PATH = '/v1/data/shop/orders/allow';
const BODY = '{"input":{"user":"u1"}}';
const EVALUATION = '{"subject":{"type":"u","id":"a"},"action":{"name":"r"},"resource":{"type":"d","id":"1"}}';

/** A request as text, with `Connection: close`, so that the server ends the connection. */
const text = (headers: readonly string[], body = BODY, line = `POST ${PATH} HTTP/1.1`): string =>
  [line, ...headers, `Content-Length: ${body.length}`, 'Connection: close', '', body].join('\r\n');

const statuses = (response: string): string[] => response.match(/HTTP\/1\.1 \d{3}/g) ?? [];

describe('headers that two readers could read differently', () => {
  test.each([
    ['two Hosts', ['Host: localhost', 'Host: localhost']],
    ['two Hosts in two cases', ['Host: localhost', 'hOST: evil.example']],
    ['two Content-Types', ['Host: localhost', 'Content-Type: application/json', 'content-type: text/yaml']],
    ['two Authorizations', ['Host: localhost', 'Authorization: Bearer a', 'Authorization: Bearer b']],
    ['two codings', ['Host: localhost', 'Content-Encoding: gzip', 'Content-Encoding: identity']],
    ['two request ids', ['Host: localhost', 'X-Request-ID: a', 'X-Request-ID: b']],
    ['a length and chunks', ['Host: localhost', 'Transfer-Encoding: chunked']],
    ['two lengths', ['Host: localhost', 'Content-Length: 5']],
    ['no Host', []],
    ['a space before the colon', ['Host: localhost', 'X-A : b']],
    ['a folded header', ['Host: localhost', 'X-A: b', ' c']],
    ['a bare carriage return', ['Host: localhost', 'X-A: b\rc']],
  ])('%s are refused with a 400', async (_what, headers) => {
    const { raw, audit } = await startHttp();
    expect(statuses(await raw(text(headers)))).toEqual(['HTTP/1.1 400']);
    expect(audit.records).toHaveLength(0);
  });

  test('a request smuggled behind a length and chunks is not served', async () => {
    const { raw, audit } = await startHttp();
    const inner = text(['Host: localhost']);
    const outer = [
      `POST ${PATH} HTTP/1.1`,
      'Host: localhost',
      'Content-Length: 5',
      'Transfer-Encoding: chunked',
      '',
      `0\r\n\r\n${inner}`,
    ].join('\r\n');
    expect(statuses(await raw(outer))).toEqual(['HTTP/1.1 400']);
    expect(audit.records).toHaveLength(0);
  });

  test.each(['http://localhost/v1/data', '*', 'localhost:80'])('the request target %s is refused', async (target) => {
    const { raw } = await startHttp();
    const [status] = statuses(await raw(text(['Host: localhost'], '', `OPTIONS ${target} HTTP/1.1`)));
    expect(status).toBe('HTTP/1.1 400');
  });
});

describe('who may ask from where', () => {
  test.each(['localhost', 'LOCALHOST:8181', '127.0.0.1:1', '[::1]:99', '[::1]', 'pdp.internal', 'pdp.internal:443'])(
    'the Host %s is one of our names',
    async (host) => {
      const { raw } = await startHttp({ settings: { hosts: ['pdp.internal'] } });
      expect(statuses(await raw(text([`Host: ${host}`])))).toEqual(['HTTP/1.1 200']);
    },
  );

  test.each(['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', '', 'localhost:x', '10.0.0.1', '::1'])(
    'the Host %j is somebody else',
    async (host) => {
      const { raw, audit } = await startHttp();
      expect(statuses(await raw(text([`Host: ${host}`])))).toEqual(['HTTP/1.1 403']);
      expect(audit.records).toHaveLength(0);
    },
  );

  test.each(['https://evil.example', 'null', 'http://localhost:8181'])('the Origin %s is refused', async (origin) => {
    const { call } = await startHttp();
    expect(await call(PATH, { body: BODY, headers: { Origin: origin } })).toMatchObject({ status: 403 });
    const headers = { Origin: origin, 'Content-Type': 'application/json' };
    expect(await call('/access/v1/evaluation', { body: '{}', headers })).toMatchObject({ status: 403 });
  });

  const edge: Caller = { kind: 'token', name: 'edge', roles: ['edge'] };
  const shopper: Caller = { kind: 'token', name: 'shopper', roles: ['ask'], bundles: ['shop'] };
  const other: Caller = { kind: 'token', name: 'other', roles: ['ask'], bundles: ['todo'] };
  const tokens = { vdt_edge: edge, vdt_shop: shopper, vdt_other: other };

  test.each([
    ['Bearer vdt_shop', 200, 'shopper'],
    ['bearer  vdt_shop', 200, 'shopper'],
    ['Bearer __proto__', 200, 'anonymous'],
    ['Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1MSJ9.avdt_vdt_', 200, 'anonymous'],
    ['Basic dXNlcjpwYXNz', 200, 'anonymous'],
    ['a key of another product', 200, 'anonymous'],
    ['Bearer vdt_edge', 403, 'edge'],
    ['Bearer vdt_other', 403, 'other'],
  ])('Authorization %s is a %i for %s', async (authorization, status, name) => {
    const { call, audit } = await startHttp({ tokens });
    const answer = await call(PATH, { body: BODY, headers: { Authorization: authorization } });
    expect(answer.status).toBe(status);
    if (status === 403) expect(JSON.parse(answer.body)).toMatchObject({ code: 'forbidden' });
    expect(audit.records[0]?.facts.caller.name).toBe(name);
    expect(inspect(audit.records, { depth: 9 })).not.toContain('vdt_');
  });

  const alice = { subject: { type: 'u', id: 'alice' }, action: { name: 'read' }, resource: { type: 'd', id: '1' } };
  const questions = [
    [PATH, BODY],
    ['/', BODY],
    ['/v0/data/shop/orders/echo', '1'],
    ['/v1/data/d', undefined],
    ['/v1/batch/data/shop/orders/allow', '{"inputs":{"a":{}}}'],
    ['/access/v1/evaluation', JSON.stringify(alice)],
    ['/shop/access/v1/evaluation', JSON.stringify(alice)],
    ['/access/v1/evaluations', JSON.stringify({ ...alice, evaluations: [{}, {}] })],
    ['/.well-known/authzen-configuration', undefined],
  ] as const;

  test.each(questions)('a token that is not valid is refused, not taken for nobody: %s', async (path, body) => {
    const { call, audit, refusals, httpWarnings } = await startHttp({ tokens });
    const headers = { 'Content-Type': 'application/json', 'X-Request-ID': 'r1' };
    const sent = body === undefined ? {} : { body };
    expect(await call(path, { ...sent, headers })).toMatchObject({ status: 200 });
    const decided = audit.records.length;
    const invalid = [
      'Bearer vdt_nobody',
      'bearer  vdt_sho',
      'Bearer VDT_shop',
      'vdt_shop',
      'Bearer "vdt_shop"',
      'Token vdt_shop',
    ];
    for (const authorization of invalid) {
      const answer = await call(path, { ...sent, headers: { ...headers, Authorization: authorization } });
      expect(answer).toMatchObject({
        status: 401,
        headers: {
          'www-authenticate': 'Bearer realm="verdict", error="invalid_token"',
          'cache-control': 'no-store',
        },
      });
      const isAuthzen = path.includes('access') || path.includes('authzen');
      const wanted = isAuthzen
        ? { status: 401, title: 'Unauthorized', code: 'token_invalid' }
        : { code: 'unauthorized', message: expect.stringContaining('the token is not known here') };
      expect(JSON.parse(answer.body)).toMatchObject(wanted);
      expect(answer.headers['content-type']).toBe(isAuthzen ? 'application/problem+json' : 'application/json');
      expect(answer.body).not.toMatch(/vdt_/i);
    }
    expect(audit.records).toHaveLength(decided);
    expect(refusals).toEqual(invalid.map(() => 'token_invalid'));
    expect(httpWarnings).toEqual([]);
  });

  test('health is for all, whatever they present', async () => {
    const { call } = await startHttp({ tokens });
    const headers = { Authorization: 'Bearer vdt_nobody' };
    for (const path of ['/health', '/health/ready'])
      expect(await call(path, { headers })).toMatchObject({ status: 200 });
  });

  test('a caller without the right is refused also what is remembered, on every wire', async () => {
    const { call } = await startHttp({ tokens });
    const batch = { ...alice, evaluations: [{}, {}] };
    const json = { 'Content-Type': 'application/json' };
    const authorization = { Authorization: 'Bearer vdt_other' };
    for (const [path, body] of [
      [PATH, BODY],
      ['/v0/data/shop/orders/echo', '1'],
      ['/access/v1/evaluation', JSON.stringify(alice)],
      ['/access/v1/evaluations', JSON.stringify(batch)],
    ] as const) {
      expect(await call(path, { body, headers: json })).toMatchObject({ status: 200 });
      expect(await call(path, { body, headers: { ...json, ...authorization } })).toMatchObject({ status: 403 });
    }
  });
});

describe('connections', () => {
  test('pipelined requests are answered in their order, on one connection', async () => {
    const { raw } = await startHttp();
    const ask = (n: number): string =>
      [`POST /v0/data/shop/orders/echo HTTP/1.1`, 'Host: localhost', `Content-Length: ${String(n).length}`, '', n].join(
        '\r\n',
      );
    const response = await raw(
      `${[1, 22, 333, 22].map(ask).join('')}${text(['Host: localhost'], '4', 'POST /v0/data/shop/orders/echo HTTP/1.1')}`,
    );
    expect(statuses(response)).toHaveLength(5);
    expect(response.match(/\r\n\r\n\d+\n/g)?.map((found) => found.trim())).toEqual(['1', '22', '333', '22', '4']);
  });

  test('a body in many pieces is one body', async () => {
    const { server, audit } = await startHttp();
    const { port, hostname } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    let response = '';
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.on('data', (chunk) => {
      response += chunk.toString();
    });
    for (const piece of text(['Host: localhost']).match(/[\s\S]{1,7}/g) ?? []) {
      socket.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await closed;
    expect(response).toContain('"result":true');
    expect(audit.records[0]?.input).toBe('{"user":"u1"}');
  });

  test.each(['/v1/data/shop/orders/allow', '/access/v1/evaluation'])(
    '%s: a body too large ends its connection',
    async (path) => {
      const { raw, audit } = await startHttp();
      const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`;
      // Nothing of the body is sent: the answer comes, and the server closes, without waiting for it.
      const response = await raw(`${head}Content-Length: 2000000\r\n\r\n`);
      expect(statuses(response)).toEqual(['HTTP/1.1 400']);
      expect(response).toMatch(/\r\nConnection: close\r\n/);
      expect(audit.records).toHaveLength(0);
    },
  );

  test('while draining every answer closes its connection, and questions are still answered', async () => {
    const { call, state } = await startHttp();
    expect((await call(PATH, { body: BODY, headers: { Connection: 'keep-alive' } })).headers.connection).toBe(
      'keep-alive',
    );
    state.draining = true;
    const answer = await call(PATH, { body: BODY, headers: { Connection: 'keep-alive' } });
    expect(answer).toMatchObject({ status: 200, headers: { connection: 'close' } });
    expect(await call('/nope')).toMatchObject({ headers: { connection: 'close' } });
    // A value that comes back is no header of ours.
    const headers = { Connection: 'keep-alive', 'Content-Type': 'application/json', 'X-Request-ID': 'Connection' };
    expect(await call('/access/v1/evaluation', { body: '{}', headers })).toMatchObject({
      headers: { connection: 'close', 'x-request-id': 'Connection' },
    });
  });

  test('a client that goes away before its answer harms nobody', async () => {
    const { server, audit, call } = await startHttp();
    audit.state.holding = true;
    const { port, hostname } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    socket.write(text(['Host: localhost']));
    while (audit.records.length === 0) await new Promise((resolve) => setImmediate(resolve));
    socket.destroy();
    await new Promise((resolve) => socket.on('close', resolve));
    audit.release();
    audit.state.holding = false;
    expect(await call(PATH, { body: BODY })).toMatchObject({ status: 200 });
  });

  test('a request that comes too slowly is ended', async () => {
    const { raw } = await startHttp({ limits: { requestSeconds: 1, headersSeconds: 1 } });
    const slowBody = raw(`POST ${PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{`);
    const slowHead = raw(`POST ${PATH} HTTP/1.1\r\nHost: loc`);
    expect(statuses(await slowBody)).toEqual(['HTTP/1.1 408']);
    expect(statuses(await slowHead)).toEqual(['HTTP/1.1 408']);
  });

  test.each([
    ['/v1/data/odd/allow', BODY],
    ['/v0/data/odd/allow', BODY],
    ['/odd/access/v1/evaluation', EVALUATION],
    ['/odd/access/v1/evaluations', EVALUATION],
    ['/odd/access/v1/evaluations', `{"evaluations":[${EVALUATION}]}`],
  ])('%s: an answer that cannot be written is a 500, and no error in the hands of the log', async (path, body) => {
    const { audit, call, httpWarnings, policy } = await startHttp();
    // No header can hold this name.
    policy.activate({ name: 'odd', revision: '', rules: { 'odd/allow': gives('true') }, authzen: 'odd/allow' });
    const version = policy.source.current.versions.get('odd') as { name: string };
    version.name = 'o\ndd';
    audit.state.holding = true;
    const answer = call(path, { body, headers: { 'Content-Type': 'application/json' } });
    while (audit.records.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(() => audit.release()).not.toThrow();
    expect(await answer).toMatchObject({ status: 500 });
    expect(httpWarnings).toHaveLength(1);
  });

  test('a failure without a name is a 500 that tells nothing, and a sentence for operators', async () => {
    const { call, policy, httpWarnings } = await startHttp();
    const { current } = policy.source;
    Object.defineProperty(policy.source, 'current', {
      get: () => ({
        ...current,
        resolve: () => {
          throw new Error('secret internals');
        },
      }),
    });
    const answer = await call(PATH, { body: BODY });
    expect(answer.status).toBe(500);
    expect(answer.body).not.toContain('secret');
    expect(httpWarnings).toEqual([expect.stringContaining('secret internals')]);
  });
});

describe('health', () => {
  test.each([
    ['/health', 200],
    ['/health/live', 200],
    ['/health?bundles=false', 200],
    ['/health?bundles', 500],
    ['/health?bundle=true', 500],
    ['/health?plugins', 500],
    ['/health?exclude-plugin=x&plugins=TRUE', 500],
    ['/health/ready', 500],
    ['/health/other', 500],
  ])('%s of a server that is not ready is a %i', async (path, status) => {
    const { call } = await startHttp({ ready: () => ({ ready: false, reason: 'no version is active' }) });
    const answer = await call(path);
    expect(answer.status).toBe(status);
    const error = path === '/health/other' ? 'health check other is unknown' : 'no version is active';
    expect(JSON.parse(answer.body)).toEqual(status === 200 ? {} : { error });
  });

  test.each(['/health', '/health?bundles&plugins', '/health/ready', '/health/live'])(
    '%s of a ready one is a 200',
    async (path) => {
      const { call } = await startHttp();
      expect(await call(path)).toMatchObject({ status: 200, body: '{}\n' });
    },
  );
});
