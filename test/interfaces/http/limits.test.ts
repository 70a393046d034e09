import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { startHttp } from '../../support/decision-http.ts';

const PATH = '/v1/data/shop/orders/echo';

const messageOf = (body: string): string => (JSON.parse(body) as { message: string }).message;

describe('bodies that are not taken', () => {
  test.each([
    ['{"input":', 'line 1, column 10: expected a value, found the end of the text (at byte 9, in /input)'],
    ['{"input":nope}', 'at byte 9, in /input)'],
    ['{\n "input": {"a": 1,}}', 'line 2, column 19'],
    ['{"input":1} trailing', 'expected the end of the text after the value (at byte 12)'],
    ['{"input":1}{"input":2}', 'at byte 11'],
    ['{"input":1,"input":2}', 'the same member name twice in one object'],
    ['{"input":1,"\\u0069nput":2}', 'the same member name twice in one object'],
    ['{"input":{"id":"bob","id":"alice"}}', 'at byte 21, in /input/id'],
    ['{"input":"\\ud800"}', 'an escaped surrogate without its other half'],
    ['{"input":01}', 'at byte 10'],
    ['{"input":{1,2}}', 'expected a member name'],
    ['\ufeff{"input":1}', 'expected a value, found a byte order mark (at byte 0)'],
    ['[]', 'an object, not this array'],
    ['"x"', 'an object, not this string'],
    ['7', 'an object, not this number'],
    ['{"Input":{"a":1}}', 'the member input in another case'],
    ['{"input":1,"INPUT":2}', 'the member input in another case'],
  ])('%s is a 400 that says where', async (body, where) => {
    const { call, audit } = await startHttp();
    const answer = await call(PATH, { body });
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'invalid_parameter' });
    expect(answer.body).toMatch(/^\{\n {2}"code"/);
    expect(messageOf(answer.body)).toContain('body contains malformed input document: ');
    expect(messageOf(answer.body)).toContain(where);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(audit.records).toHaveLength(0);
  });

  test.each([
    ['/v1/data/shop/orders/echo?input=', 'parameter contains malformed input document'],
    ['/v1/data/shop/orders/echo?input=bad', 'parameter contains malformed input document'],
    ['/v1/data/shop/orders/echo?input=1%20x', 'parameter contains malformed input document'],
  ])('%s is a 400', async (path, message) => {
    const { call } = await startHttp();
    const answer = await call(path);
    expect(answer.status).toBe(400);
    expect(messageOf(answer.body)).toContain(message);
  });

  test.each(['/v0/data/shop/orders/echo', '/'])('%s words a malformed body as OPA does', async (path) => {
    const { call } = await startHttp();
    const answer = await call(path, { body: 'bad' });
    expect(answer.status).toBe(400);
    expect(messageOf(answer.body)).toContain(
      'unexpected parse error for input: body contains malformed input document: line 1, column 1',
    );
  });

  test('bytes that are no UTF-8 are a 400, and no replacement character', async () => {
    const { call } = await startHttp();
    const body = Buffer.from([...Buffer.from('{"input":"'), 0xff, ...Buffer.from('"}')]);
    expect(await call(PATH, { body })).toMatchObject({ status: 400 });
  });

  test.each(['application/yaml', 'application/x-yaml', 'text/yaml; charset=utf-8'])('%s is refused', async (type) => {
    const { call } = await startHttp();
    const answer = await call(PATH, { body: 'input: 1', headers: { 'Content-Type': type } });
    expect(answer.status).toBe(400);
    expect(messageOf(answer.body)).toContain('send JSON');
  });

  test.each([
    [PATH, '{"input":{"verdict":{"caller":"me"}}}'],
    [PATH, '{"input":{"\\u0076erdict":1}}'],
    ['/v0/data/shop/orders/echo', '{"verdict":null}'],
    ['/', '{"verdict":1}'],
  ])('%s with %s: the member verdict is reserved', async (path, body) => {
    const { call } = await startHttp();
    const answer = await call(path, { body });
    expect(answer.status).toBe(400);
    expect(messageOf(answer.body)).toContain('reserved');
  });

  test('elsewhere the name verdict is a name', async () => {
    const { call } = await startHttp();
    expect(await call(PATH, { body: '{"input":{"a":{"verdict":1}}}' })).toMatchObject({ status: 200 });
    expect(await call(PATH, { body: '{"input":["verdict"],"verdict":1}' })).toMatchObject({ status: 200 });
  });

  test('whatever bytes come, the answer is a 200 or a 400', async () => {
    const { call } = await startHttp();
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array)),
      fc.json({ maxDepth: 3 }).map((text) => Buffer.from(`{"input":${text}}`)),
      fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async (body) => {
        expect([200, 400]).toContain((await call(PATH, { body })).status);
      }),
      { numRuns: 80 },
    );
  });
});

describe('limits', () => {
  const nested = (depth: number): string => `${'['.repeat(depth)}1${']'.repeat(depth)}`;
  const keys = (count: number): string => `{${Array.from({ length: count }, (_, at) => `"k${at}":1`).join(',')}}`;

  test('a body at the limit is taken, and one byte more is not', async () => {
    const { call } = await startHttp({ limits: { bodyBytes: 1_000 } });
    const body = `{"input":"${'x'.repeat(988)}"}`;
    expect(body).toHaveLength(1_000);
    expect(await call(PATH, { body })).toMatchObject({ status: 200 });
    const answer = await call(PATH, { body: `${body} ` });
    expect(answer.status).toBe(400);
    expect(messageOf(answer.body)).toContain('request body too large');
  });

  test('a body without its length is cut off at the limit', async () => {
    const { call } = await startHttp({ limits: { bodyBytes: 1_000 } });
    const headers = { 'Transfer-Encoding': 'chunked' };
    expect(await call(PATH, { body: `{"input":"${'x'.repeat(900)}"}`, headers })).toMatchObject({ status: 200 });
    expect(await call(PATH, { body: `{"input":"${'x'.repeat(2_000)}"}`, headers })).toMatchObject({ status: 400 });
  });

  test('the default body limit is 1 MiB', async () => {
    const { call } = await startHttp();
    const body = (bytes: number): string => `{"input":"${'x'.repeat(bytes - 12)}"}`;
    expect(await call(PATH, { body: body(1_048_576) })).toMatchObject({ status: 200 });
    expect(await call(PATH, { body: body(1_048_577) })).toMatchObject({ status: 400 });
  });

  test.each([65, 10_000, 500_000])('%i levels are refused', async (depth) => {
    const { call } = await startHttp();
    const answer = await call(PATH, { body: `{"input":${nested(depth)}}` });
    expect(answer.status).toBe(400);
    expect(messageOf(answer.body)).toContain('nested deeper than 64');
  });

  test('63 levels below the envelope are taken', async () => {
    const { call } = await startHttp();
    expect(await call(PATH, { body: `{"input":${nested(63)}}` })).toMatchObject({ status: 200 });
  });

  test('10,000 members are taken with the envelope, and one more is not', async () => {
    const { call } = await startHttp();
    expect(await call(PATH, { body: `{"input":${keys(9_999)}}` })).toMatchObject({ status: 200 });
    const answer = await call(PATH, { body: `{"input":${keys(10_000)}}` });
    expect(answer.status).toBe(400);
    expect(messageOf(answer.body)).toContain('more than 10000 members');
  });

  test('a path of 2 KiB is taken, and one byte more is not', async () => {
    const { call } = await startHttp();
    const path = `/v1/data/${'x'.repeat(2_048 - 9)}`;
    expect(await call(path)).toMatchObject({ status: 200 });
    const answer = await call(`${path}x`);
    expect(answer.status).toBe(400);
    expect(messageOf(answer.body)).toContain('2049 bytes, at most 2048');
  });

  test('headers of more than 16 KiB are a 431', async () => {
    const { call } = await startHttp();
    const headers = { 'X-Long': 'x'.repeat(17_000) };
    expect(await call(PATH, { headers })).toMatchObject({ status: 431 });
    expect(await call(PATH, { headers: { 'X-Long': 'x'.repeat(12_000) } })).toMatchObject({ status: 200 });
  });
});

describe('paths', () => {
  test.each([
    ['/v1/data/shop/%zz', 'percent-encoded'],
    ['/v1/data/%ff', 'percent-encoded'],
    ['/v1/data/%ed%a0%80', 'percent-encoded'],
    ['/v1/data/shop/al%22low', "invalid ref term 'al\"low'"],
  ])('%s is a 400', async (path, message) => {
    const { call } = await startHttp();
    const answer = await call(path);
    expect(answer.status).toBe(400);
    expect(messageOf(answer.body)).toContain(`invalid path: `);
    expect(messageOf(answer.body)).toContain(message);
  });

  test.each([
    ['/v1/data/shop/orders%2Fallow', ['shop', 'orders/allow']],
    ['/v1/data/shop/%2e%2e', ['shop', '..']],
    ['/v1/data/a+b/caf%C3%A9/1', ['a+b', 'caf\u00e9', '1']],
    ['/v1/data/__proto__/constructor', ['__proto__', 'constructor']],
    ['/v1/data/a%00b', ['a\u0000b']],
    ['/v1/data', []],
  ])('%s asks for its decoded segments', async (path, segments) => {
    const { call, audit, policy } = await startHttp();
    policy.activate({ name: 'shop', rules: {} });
    await call(path);
    expect(audit.records[0]?.facts.path).toEqual(segments);
  });

  test('many different targets do not make the listener grow without bound, nor answer wrongly', async () => {
    const { call } = await startHttp();
    for (let at = 0; at < 1_100; at += 100) {
      const paths = Array.from({ length: 100 }, (_, n) => `/v1/data/shop/orders/allow?x=${at + n}`);
      const answers = await Promise.all(paths.map((path) => call(path)));
      expect(answers.every(({ status, body }) => status === 200 && body.includes('"result":false'))).toBe(true);
    }
  });
});

describe('what is not offered', () => {
  test.each([
    ['PUT', '/v1/data/shop/x', 400],
    ['PATCH', '/v1/data/shop/x', 400],
    ['DELETE', '/v1/data/shop/x', 400],
    ['GET', '/v1/config', 501],
    ['GET', '/v1/status', 501],
    ['GET', '/v1/query?q=x', 501],
    ['POST', '/v1/query', 501],
    ['POST', '/v1/compile', 501],
    ['POST', '/v1/compile/shop/orders', 501],
    ['GET', '/v1/policies', 501],
    ['PUT', '/v1/policies/x', 501],
    ['POST', '/v1/batch/nothing', 501],
  ])('%s %s is refused with an error of OPA', async (method, path, status) => {
    const { call } = await startHttp();
    const answer = await call(path, { method });
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'invalid_operation' });
  });
});
