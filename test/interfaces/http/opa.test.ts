import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { fails } from '../../support/decision.ts';
import type { Sent } from '../../support/decision-http.ts';
import { startHttp, withoutId } from '../../support/decision-http.ts';
import { startAdmin } from '../admin/support.ts';

const WARNING = '"warning":{"code":"api_usage_warning","message":"\'input\' key missing from the request"}';

interface Case {
  readonly path: string;
  readonly sent?: Sent;
  readonly status?: number;
  readonly body: string;
}

const post = (body: string): Sent => ({ body });

// What OPA 1.22.2 answered to the same requests over the same rules (its decision ids left out).
const recorded: { readonly [name: string]: Case } = {
  'a permit': {
    path: '/v1/data/shop/orders/allow',
    sent: post('{"input":{"user":"u1"}}'),
    body: '{"result":true}\n',
  },
  'an empty body': { path: '/v1/data/shop/orders/allow', sent: post(''), body: `{"result":false,${WARNING}}\n` },
  'a blank body': { path: '/v1/data/shop/orders/allow', sent: post(' \n '), body: `{"result":false,${WARNING}}\n` },
  'an object without input': {
    path: '/v1/data/shop/orders/allow',
    sent: post('{}'),
    body: `{"result":false,${WARNING}}\n`,
  },
  'an input of null': {
    path: '/v1/data/shop/orders/allow',
    sent: post('{"input": null}'),
    body: `{"result":false,${WARNING}}\n`,
  },
  'a body of null': { path: '/v1/data/shop/orders/allow', sent: post('null'), body: `{"result":false,${WARNING}}\n` },
  'a defined null': { path: '/v1/data/shop/orders/nul', sent: post('{"input":1}'), body: '{"result":null}\n' },
  'an undefined rule': { path: '/v1/data/shop/orders/undef', sent: post('{"input":1}'), body: '{}\n' },
  'a builtin that fails': { path: '/v1/data/shop/orders/strict', sent: post('{"input":1}'), body: '{}\n' },
  'the last of two inputs in a query': { path: '/v1/data/shop/orders/echo?input=1&input=2', body: '{"result":2}\n' },
  'a defined null in a query': { path: '/v1/data/shop/orders/echo?input=null', body: '{"result":null}\n' },
  'a plus in a query': { path: '/v1/data/shop/orders/echo?input=%22a+b%22', body: '{"result":"a b"}\n' },
  'a GET without an input': { path: '/v1/data/shop/orders/allow', body: '{"result":false}\n' },
  'an input in a query': {
    path: '/v1/data/shop/orders/allow?input=%7B%22user%22%3A%22u1%22%7D',
    body: '{"result":true}\n',
  },
  data: {
    path: '/v1/data/d',
    sent: post('{"input":1}'),
    body: '{"result":{"list":[10,20],"m":{"1":"one","k":"v"}}}\n',
  },
  'another content type': {
    path: '/v1/data/shop/orders/allow',
    sent: { body: '{"input":{"user":"u1"}}', headers: { 'Content-Type': 'application/octet-stream' } },
    body: '{"result":true}\n',
  },
  'flags in their spellings': {
    path: '/v1/data/shop/orders/allow?pretty=false&strict-builtin-errors=yes&unknown=1',
    sent: post('{"input":1}'),
    body: '{"result":false}\n',
  },
  pretty: {
    path: '/v1/data/shop/orders/allow?pretty',
    sent: post(''),
    body:
      '{\n  "result": false,\n  "warning": {\n    "code": "api_usage_warning",\n' +
      '    "message": "\'input\' key missing from the request"\n  }\n}\n',
  },
  'pretty=TRUE': {
    path: '/v1/data/shop/orders/obj?pretty=TRUE',
    sent: post('{"input":1}'),
    body:
      '{\n  "result": {\n    "1": "one",\n    "b": [\n      1,\n      2\n    ],\n    "empty": {},\n    "none": [],\n' +
      '    "text": "a\\"[{,: \\\\"\n  }\n}\n',
  },
  provenance: {
    path: '/v1/data/shop/orders/allow?provenance',
    sent: post('{"input":1}'),
    body:
      '{"provenance":{"version":"0.1.0","build_commit":"","build_timestamp":"","build_hostname":"",' +
      '"bundles":{"shop":{"revision":"r42"}}},"result":false}\n',
  },
  'v0: a permit': { path: '/v0/data/shop/orders/allow', sent: post('{"user":"u1"}'), body: 'true\n' },
  'v0: null is an input': { path: '/v0/data/shop/orders/echo', sent: post('null'), body: 'null\n' },
  'v0: nothing is null': { path: '/v0/data/shop/orders/echo', sent: post(''), body: 'null\n' },
  'v0: undefined': {
    path: '/v0/data/shop/orders/undef',
    sent: post('1'),
    status: 404,
    body: '{\n  "code": "undefined_document",\n  "message": "document undefined: data.shop.orders.undef"\n}\n',
  },
  'v0: missing': {
    path: '/v0/data/shop/zz%20z/1',
    sent: post('1'),
    status: 404,
    body: '{\n  "code": "undefined_document",\n  "message": "document missing: data.shop[\\"zz z\\"][1]"\n}\n',
  },
  'v0: pretty': {
    path: '/v0/data/shop/orders/echo?pretty',
    sent: post('{"a":[1]}'),
    body: '{\n  "a": [\n    1\n  ]\n}\n',
  },
  'the default decision': { path: '/', sent: post('{"a":1}'), body: '{"in":{"a":1}}\n' },
  'the default decision about nothing': { path: '/', sent: post(''), body: '{"in":null}\n' },
  health: { path: '/health', body: '{}\n' },
  'health of bundles and plugins': { path: '/health?bundles=true&plugins', body: '{}\n' },
};

describe("OPA's recorded answers", () => {
  test.each(Object.entries(recorded))('%s', async (_name, { path, sent, status = 200, body }) => {
    const { call } = await startHttp();
    const answer = await call(path, sent);
    expect(withoutId(answer.body)).toBe(body);
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toBe('application/json');
    expect(answer.headers.vary).toBe(/^\/v[01]\//.test(path) ? 'Accept-Encoding' : undefined);
  });

  test.each([
    ['POST', '/v1/data/shop/orders/allow/', 301, '/v1/data/shop/orders/allow'],
    ['POST', '/v1/data/a/c/?pretty', 301, '/v1/data/a/c'],
    ['POST', '/v1/data/', 301, '/v1/data'],
    ['POST', '/v0/data/shop/', 301, '/v0/data/shop'],
    ['GET', '/health/', 301, '/health'],
    ['POST', '/v1/data//shop//orders/allow?pretty', 307, '/v1/data/shop/orders/allow?pretty'],
    ['POST', '/v1/data/shop/../shop/orders/allow', 307, '/v1/data/shop/orders/allow'],
    ['POST', '/v1/data/a/./c', 307, '/v1/data/a/c'],
    ['POST', '/v1/data/a/../../../c?pretty', 307, '/c?pretty'],
    ['GET', '//evil.example/', 307, '/evil.example/'],
  ])('%s %s is sent on with %i', async (method, path, status, location) => {
    const { call, audit } = await startHttp();
    const answer = await call(path, { method });
    expect(answer).toMatchObject({ status, headers: { location } });
    expect(audit.records).toHaveLength(0);
  });

  test.each([
    ['HEAD', '/v1/data/shop/orders/allow', ''],
    ['HEAD', '/health', ''],
    ['HEAD', '/', ''],
    ['HEAD', '/access/v1/evaluation', ''],
    ['DELETE', '/v1/data', ''],
    ['OPTIONS', '/v1/data/shop', ''],
    ['GET', '/v0/data/shop/orders/allow', ''],
    ['PUT', '/v0/data/shop', ''],
    ['PUT', '/', 'Method Not Allowed\n'],
    ['POST', '/health', 'Method Not Allowed\n'],
  ])('%s %s is a 405', async (method, path, body) => {
    const { call } = await startHttp();
    expect(await call(path, { method })).toMatchObject({ status: 405, body });
  });

  test.each(['/nope', '/v1', '/v1/nope', '/v0', '/v1/datax', '/healthz', '/access/v1/evaluationss'])(
    '%s is a 404 in plain text',
    async (path) => {
      const { call } = await startHttp();
      expect(await call(path)).toMatchObject({
        status: 404,
        body: '404 page not found\n',
        headers: { 'content-type': 'text/plain; charset=utf-8' },
      });
    },
  );
});

describe('paths of the admin API', () => {
  test.each([
    ['/metrics', '/metrics'],
    ['/openapi.json', '/openapi.json'],
    ['/v1/bundles/todo?activate=true', '/v1/bundles'],
    ['/v1/decisions/tail', '/v1/decisions'],
  ])('%s is a 404 that names the listener which has it', async (path, named) => {
    const { call } = await startHttp();
    expect(await call(path)).toMatchObject({
      status: 404,
      body:
        `404 page not found\n${named} is answered by the admin listener (server.admin.host and .port; by default ` +
        '127.0.0.1:8282)\n',
      headers: { 'content-type': 'text/plain; charset=utf-8' },
    });
    expect((await call(path, { method: 'PUT', body: 'x' })).body).toContain('the admin listener');
  });

  test('each of them is told so, and a path that only begins like one is not', async () => {
    const admin = await startAdmin();
    onTestFinished(() => admin.close());
    const { call } = await startHttp();
    const routes = admin.server.routes.filter(({ path }) => !path.startsWith('/health/'));
    expect(routes.length).toBeGreaterThan(10);
    for (const { path } of routes) expect((await call(path)).body, path).toContain('the admin listener');
    for (const path of ['/metricsx', '/openapi', '/v1/bundlesx', '/v1/token'])
      expect((await call(path)).body, path).toBe('404 page not found\n');
  });
});

describe('failures', () => {
  test.each([
    ['/v1/data/shop/orders/conflict', 'eval_conflict_error', 'two values for one document'],
    ['/v0/data/shop/orders/conflict', 'eval_conflict_error', 'two values for one document'],
    ['/v1/data/shop/orders/strict?strict-builtin-errors', 'eval_builtin_error', 'to_number: invalid syntax'],
    ['/v1/data/shop', 'eval_conflict_error', 'two values for one document'],
  ])('%s is a 500 with the error of the evaluation inside', async (path, code, message) => {
    const { call } = await startHttp();
    const answer = await call(path, { body: '{"input":1}' });
    expect(answer.status).toBe(500);
    expect(answer.headers['cache-control']).toBe('no-store');
    const wanted = {
      code: 'internal_error',
      message: 'error(s) occurred while evaluating query',
      errors: [{ code, message }],
    };
    expect(answer.body).toBe(`${JSON.stringify(wanted, null, 2)}\n`);
  });

  test('what HTML would read is escaped as Go does it', async () => {
    const { call, policy } = await startHttp();
    policy.activate({ name: 'x', rules: { 'x/y': fails('engine_error', '<&>\u2028"\n') } });
    const { body } = await call('/v1/data/x/y', { body: '{"input":1}' });
    expect(body).toContain('"message": "\\u003c\\u0026\\u003e\\u2028\\"\\n"');
  });

  test('a decision that could not be recorded is not answered', async () => {
    const { call, audit } = await startHttp();
    audit.state.failing = true;
    const answer = await call('/v1/data/shop/orders/allow', { body: '{"input":{"user":"u1"}}' });
    expect(answer.status).toBe(500);
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'internal_error' });
    expect(answer.body).not.toContain('result');
  });

  test('nothing active is a 500', async () => {
    const { call, policy } = await startHttp();
    policy.remove('shop');
    expect(await call('/v1/data/shop/orders/allow', { body: '{"input":1}' })).toMatchObject({ status: 500 });
  });
});

describe('what Verdict adds', () => {
  test('every answer names its decision, its policy, and how long it holds', async () => {
    const { call, audit } = await startHttp();
    const first = await call('/v1/data/shop/orders/allow', { body: '{"input":{"user":"u1"}}' });
    const again = await call('/v1/data/shop/orders/allow', { body: '{"input":{"user":"u1"}}' });
    const ids = [first, again].map(({ body }) => (JSON.parse(body) as { decision_id: string }).decision_id);
    expect(ids).toEqual(audit.records.map(({ facts }) => facts.decisionId));
    expect([first, again].map(({ headers }) => headers['verdict-decision-id'])).toEqual(ids);
    expect([first, again].map(({ headers }) => headers['verdict-cache'])).toEqual(['miss', 'hit']);
    expect(again.headers).toMatchObject({ 'verdict-policy': 'shop@3', 'cache-control': 'private, max-age=60' });
    expect(audit.records[1]?.facts.requestedBy).toMatch(/^127\.0\.0\.1:\d+$/);
  });

  test('decision_id comes first, as in OPA', async () => {
    const { call } = await startHttp();
    const { body } = await call('/v1/data/shop/orders/allow?provenance&metrics', { body: '' });
    const keys = ['decision_id', 'provenance', 'metrics', 'result', 'warning'];
    expect(Object.keys(JSON.parse(body) as object)).toEqual(keys);
  });

  test('Cache-Control: no-cache goes round the cache', async () => {
    const { call, policy } = await startHttp();
    const headers = { 'Cache-Control': 'max-age=0, no-cache' };
    for (const _time of [1, 2]) {
      const answer = await call('/v1/data/shop/orders/allow', { body: '{"input":1}', headers });
      expect(answer.headers['verdict-cache']).toBe('bypass');
    }
    expect(policy.evaluations('shop/orders/allow')).toBe(2);
  });

  test('a path that nothing provides is answered with a warning', async () => {
    const { call } = await startHttp();
    const answer = await call('/v1/data/shop/nope/it%27s', { body: '{"input":1}' });
    expect(answer.status).toBe(200);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(withoutId(answer.body)).toBe(
      '{"warning":{"code":"unknown_path","message":"no active bundle answers data.shop.nope[\\"it\'s\\"]: nothing stands there, or it is no entrypoint"}}\n',
    );
  });

  test('a slip in a path is told with the entrypoint that was meant, of bundles that the caller may ask', async () => {
    const token = (name: string, bundle: string) =>
      ({ kind: 'token', name, roles: ['ask'], bundles: [bundle] }) as const;
    const tokens = {
      [`vdt_${'a'.repeat(43)}`]: token('shopper', 'shop'),
      [`vdt_${'b'.repeat(43)}`]: token('other', 'x'),
    };
    const { call } = await startHttp({ tokens });
    const message = async (letter: string): Promise<string> => {
      const headers = { Authorization: `Bearer vdt_${letter.repeat(43)}` };
      const { body } = await call('/v1/data/shop/orders/alow', { body: '{"input":1}', headers });
      return (JSON.parse(body) as { warning: { message: string } }).warning.message;
    };
    expect(await message('a')).toMatch(/; did you mean data\.shop\.orders\.allow\?$/);
    expect(await message('b')).not.toContain('did you mean');
  });

  test('several warnings share the one that OPA has room for', async () => {
    const { call } = await startHttp();
    const { body } = await call('/v1/data/nope?explain=full', { body: '{}' });
    expect(JSON.parse(body)).toMatchObject({
      warning: {
        code: 'api_usage_warning',
        message:
          "'input' key missing from the request; no active bundle answers data.nope: nothing stands there, or it is no entrypoint; " +
          'no explanation: this listener gives none',
      },
    });
  });

  test.each([
    ['explain=notes', true],
    ['explain=off', false],
    ['explain=bogus', false],
    ['explain', false],
  ])('%s of a listener that gives none is answered without an explanation', async (query, warned) => {
    const { call } = await startHttp();
    const { body } = await call(`/v1/data/shop/orders/allow?${query}`, { body: '{"input":1}' });
    const answer = JSON.parse(body) as { result: boolean; warning?: { code: string } };
    expect(answer.result).toBe(false);
    expect(answer.warning?.code).toBe(warned ? 'explain_unavailable' : undefined);
  });

  test('metrics are numbers under the names that OPA has for them', async () => {
    const { call } = await startHttp();
    const ask = async (): Promise<{ readonly [name: string]: number }> => {
      const { body } = await call('/v1/data/shop/orders/allow?metrics', { body: '{"input":1}' });
      return (JSON.parse(body) as { metrics: { [name: string]: number } }).metrics;
    };
    const miss = await ask();
    expect(Object.keys(miss)).toEqual([
      'counter_server_query_cache_hit',
      'timer_rego_input_parse_ns',
      'timer_rego_query_eval_ns',
      'timer_server_handler_ns',
    ]);
    for (const value of Object.values(miss)) expect(Number.isInteger(value)).toBe(true);
    expect(miss.counter_server_query_cache_hit).toBe(0);
    // The second time the body is read once more; from the third on it is not.
    const [hit, , handler] = Object.keys(miss).filter((name) => name !== 'timer_rego_query_eval_ns');
    expect(Object.keys(await ask())).toEqual([hit, 'timer_rego_input_parse_ns', handler]);
    expect(Object.keys(await ask())).toEqual([hit, handler]);
  });

  test('an input that is missing is warned about every time, also when the answer is remembered', async () => {
    const { call } = await startHttp();
    for (const cache of ['miss', 'hit']) {
      const answer = await call('/v1/data/shop/orders/allow', { body: '{}' });
      expect(answer.headers['verdict-cache']).toBe(cache);
      expect(answer.body).toContain(WARNING);
    }
  });
});

describe('requests that differ never share an answer', () => {
  test.each([
    ['/v1/data/shop/orders/echo', '/v0/data/shop/orders/echo'],
    ['/v1/data/shop/orders/strict', '/v1/data/shop/orders/strict?strict-builtin-errors'],
    ['/v1/data/shop/orders/echo', '/v1/data/shop/orders/echo?pretty'],
  ])('%s and %s', async (one, other) => {
    const { call } = await startHttp();
    const body = '{"input":{"input":7}}';
    const alone = await (await startHttp()).call(other, { body });
    await call(one, { body });
    const after = await call(other, { body });
    expect([after.status, withoutId(after.body)]).toEqual([alone.status, withoutId(alone.body)]);
  });

  test('a POST without a body is not answered with what a GET of the same target was', async () => {
    const { call } = await startHttp();
    const target = '/v1/data/shop/orders/echo?input=%7B%22user%22%3A%22u1%22%7D';
    const got = await call(target);
    expect(withoutId(got.body)).toBe('{"result":{"user":"u1"}}\n');
    const posted = await call(target, { body: '', method: 'POST' });
    expect(withoutId(posted.body)).toBe(`{${WARNING}}\n`);
    expect(posted.headers['verdict-cache']).toBe('miss');
  });

  test('a coding or a content type that is refused is refused also when its bytes were answered before', async () => {
    const { call } = await startHttp();
    const body = '{"input":1}';
    await call('/v1/data/shop/orders/echo', { body });
    const yaml = { 'Content-Type': 'application/x-yaml' };
    expect(await call('/v1/data/shop/orders/echo', { body, headers: yaml })).toMatchObject({ status: 400 });
    const gzip = { 'Content-Encoding': 'gzip' };
    expect(await call('/v1/data/shop/orders/echo', { body, headers: gzip })).toMatchObject({ status: 400 });
  });
});

describe('compression', () => {
  const path = '/v1/data/shop/orders/echo';

  test('a gzip body is inflated, and answered again without being inflated', async () => {
    const { call, audit } = await startHttp();
    const sent = { body: gzipSync('{"input":{"a":1}}'), headers: { 'Content-Encoding': 'gzip' } };
    for (const cache of ['miss', 'hit']) {
      const answer = await call(path, sent);
      expect(withoutId(answer.body)).toBe('{"result":{"a":1}}\n');
      expect(answer.headers['verdict-cache']).toBe(cache);
    }
    expect(audit.records.map(({ input }) => input)).toEqual(['{"a":1}', '{"a":1}']);
  });

  test.each([
    ['notgz', 'could not decompress the body'],
    [gzipSync('{"input":1}').subarray(0, 20), 'could not decompress the body'],
    [gzipSync(Buffer.alloc(2_000_000, 0x20)), 'request body too large'],
    [gzipSync(Buffer.alloc(50_000_000)), 'request body too large'],
  ])('a gzip body that does not inflate within the limit is a 400 (%#)', async (body, message) => {
    const { call } = await startHttp();
    const answer = await call(path, { body, headers: { 'Content-Encoding': 'gzip' } });
    expect(answer.status).toBe(400);
    expect(answer.body).toContain(message);
  });

  test('another coding is refused by name', async () => {
    const { call } = await startHttp();
    const answer = await call(path, { body: '{}', headers: { 'Content-Encoding': 'br' } });
    expect(answer).toMatchObject({ status: 400 });
    expect(answer.body).toContain('only gzip is taken');
  });

  test.each([
    ['gzip', 2_000, true],
    ['deflate, gzip;q=0.5', 2_000, true],
    ['gzip', 100, false],
    ['br, gzip;q=0', 2_000, false],
    ['identity', 2_000, false],
  ])('Accept-Encoding %s and %i characters', async (accepted, characters, compressed) => {
    const { call } = await startHttp();
    const text = 'x'.repeat(characters);
    const answer = await call(path, { body: `{"input":"${text}"}`, headers: { 'Accept-Encoding': accepted } });
    expect(answer.headers['content-encoding']).toBe(compressed ? 'gzip' : undefined);
    expect(answer.headers['content-length']).toBe(String(answer.bytes.length));
    const body = compressed ? gunzipSync(answer.bytes).toString() : answer.body;
    expect(withoutId(body)).toBe(`{"result":"${text}"}\n`);
  });
});
