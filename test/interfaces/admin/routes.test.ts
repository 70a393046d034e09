import { afterAll, beforeAll, expect, test } from 'vitest';
import { PolicyError } from '../../../src/policy/index.ts';
import { type Admin, GZIP, startAdmin } from './support.ts';

const RECORD = '{"decision_id":"d1","bundles":{"todo":{"revision":"r"}},"input":{"big":12345678901234567890.0}}';

let admin: Admin;
let operator: string;
beforeAll(async () => {
  admin = await startAdmin({
    records: { d1: RECORD, d2: '{"bundles":{"todo":{},"payroll":{}}}', d3: '{"decision_id":"d3"}' },
  });
  operator = admin.token(['author', 'approver', 'auditor', 'operator']);
});
afterAll(() => admin.close());

const put = (path: string, body: string, headers: { readonly [name: string]: string } = GZIP) =>
  admin.ask(path, { method: 'PUT', token: operator, headers, body });

test('a push answers 201 for a new version and 200 for the same bytes again', async () => {
  const first = await put('/v1/bundles/todo', 'one');
  expect(first).toMatchObject({
    status: 201,
    body: { created: true, epoch: 1, version: { name: 'todo', version: 1 } },
  });
  expect(first.headers['content-type']).toContain('application/json');
  expect(await put('/v1/bundles/todo', 'one')).toMatchObject({ status: 200, body: { created: false } });
});

test('a push activates when it is asked to, in the name of its token', async () => {
  await put('/v1/bundles/todo?activate=true', 'two');
  expect(admin.calls.at(-1)).toMatchObject({ push: 'todo', activate: true, by: expect.stringMatching(/^t\d+$/) });
  await put('/v1/bundles/todo?activate=false', 'two');
  expect(admin.calls.at(-1)).toMatchObject({ activate: false });
  expect(await put('/v1/bundles/todo?activate=yes', 'two')).toMatchObject({
    status: 400,
    body: { code: 'REQUEST_INVALID' },
  });
});

test.each(['application/gzip', 'application/x-gzip', 'application/octet-stream', 'application/gzip; q=1'])(
  'an archive may come as %s',
  async (type) => {
    expect((await put('/v1/bundles/types', 'x', { 'content-type': type })).status).toBeLessThan(202);
  },
);

test('an archive may come without a content type', async () => {
  expect((await put('/v1/bundles/types', 'x', {})).status).toBeLessThan(202);
});

test.each(['application/json', 'text/plain', 'application/x-www-form-urlencoded', 'rubbish'])(
  'an archive that says it is %s is refused',
  async (type) => {
    const body = type === 'application/json' ? '{}' : 'x';
    expect(await put('/v1/bundles/types', body, { 'content-type': type })).toMatchObject({
      status: 415,
      body: { code: 'MEDIA_TYPE_UNSUPPORTED' },
    });
  },
);

test('a push without a body, or with too large a one, is refused', async () => {
  expect(await admin.ask('/v1/bundles/todo', { method: 'PUT', token: operator })).toMatchObject({ status: 400 });
  expect(await put('/v1/bundles/todo', 'x'.repeat(100_001))).toMatchObject({
    status: 413,
    body: { code: 'BODY_TOO_LARGE', title: 'The body is too large' },
  });
});

test('bundles and versions are listed, shown and given back', async () => {
  await put('/v1/bundles/shown', 'first');
  await put('/v1/bundles/shown', 'second');
  expect((await admin.ask('/v1/bundles/shown', { token: operator })).body).toMatchObject({
    name: 'shown',
    versions: 2,
  });
  const { body } = await admin.ask('/v1/bundles/shown/versions', { token: operator });
  expect(body.versions).toHaveLength(2);
  expect((await admin.ask('/v1/bundles/shown/versions/2', { token: operator })).body).toMatchObject({ version: 2 });
  const archive = await admin.ask('/v1/bundles/shown/versions/2/bundle', { token: operator });
  expect(archive.text).toBe('second');
  expect(archive.headers).toMatchObject({
    'content-type': 'application/gzip',
    'content-disposition': 'attachment; filename="shown-2.tar.gz"',
  });
});

test('what is not there is a 404, and a version that is no number a 400', async () => {
  const codes = async (path: string) => {
    const { status, body } = await admin.ask(path, { token: operator });
    return [status, body.code];
  };
  expect(await codes('/v1/bundles/nobody')).toEqual([404, 'BUNDLE_UNKNOWN']);
  expect(await codes('/v1/bundles/nobody/versions')).toEqual([404, 'BUNDLE_UNKNOWN']);
  expect(await codes('/v1/bundles/todo/versions/99')).toEqual([404, 'VERSION_UNKNOWN']);
  for (const version of ['0', '-1', 'x', '1e3', '99999999999'])
    expect(await codes(`/v1/bundles/todo/versions/${version}`)).toEqual([400, 'REQUEST_INVALID']);
  expect(await codes('/v1/decisions/none')).toEqual([404, 'DECISION_UNKNOWN']);
  expect(await codes('/v1/decisions/__proto__')).toEqual([404, 'DECISION_UNKNOWN']);
  expect(await codes('/nothing')).toEqual([404, 'ROUTE_UNKNOWN']);
  expect(await codes('/v1/bundles/%zz')).toEqual([400, 'REQUEST_INVALID']);
});

test.each(['text/plain', 'application/json', 'application/gzip'])(
  'a path that there is not is a 404 whatever is sent to it, as %s too',
  async (type) => {
    const sent = { method: 'POST', headers: { 'content-type': type }, body: 'x'.repeat(200_000) };
    expect(await admin.ask('/v1/nothing', sent)).toMatchObject({ status: 404, body: { code: 'ROUTE_UNKNOWN' } });
  },
);

test.each([
  ['POST', '/v1/bundles/todo?activate=true', 'GET, PUT'],
  ['DELETE', '/v1/bundles', 'GET'],
  ['PUT', '/v1/tokens', 'GET, POST'],
  ['GET', '/v1/bundles/todo/versions/1/activate', 'POST'],
  ['OPTIONS', '/metrics', 'GET'],
])('%s %s is a 405 that names the methods there are, before a token is asked for', async (method, path, allow) => {
  const headers = { 'content-type': 'text/plain' };
  expect(await admin.ask(path, { method, ...(method === 'GET' ? {} : { headers, body: 'x' }) })).toMatchObject({
    status: 405,
    headers: { allow, 'cache-control': 'no-store' },
    body: { code: 'METHOD_NOT_ALLOWED', detail: `this path takes ${allow}` },
  });
});

test('activation and rollback are done in the name of the token', async () => {
  const post = (path: string) => admin.ask(path, { method: 'POST', token: operator });
  expect(await post('/v1/bundles/todo/versions/1/activate')).toMatchObject({ status: 200, body: { epoch: 2 } });
  expect(admin.calls.at(-1)).toMatchObject({ activate: 'todo', version: 1, by: expect.stringMatching(/^t\d/) });
  expect(await post('/v1/bundles/todo/rollback')).toMatchObject({ status: 200, body: { epoch: 3 } });
  expect(admin.calls.at(-1)).toMatchObject({ rollback: 'todo', by: expect.stringMatching(/^t\d/) });
});

test('a decision is given as it is stored, every digit of it', async () => {
  const reply = await admin.ask('/v1/decisions/d1', { token: operator });
  expect(reply.text).toBe(RECORD);
  expect(reply.headers['content-type']).toBe('application/json; charset=utf-8');
});

test('a restricted auditor reads decisions of their bundles alone', async () => {
  const token = admin.token(['auditor'], ['todo']);
  expect((await admin.ask('/v1/decisions/d1', { token })).status).toBe(200);
  // d3 rests on no bundle: it may be what another bundle was asked in vain, with the input.
  for (const id of ['d2', 'd3']) {
    expect(await admin.ask(`/v1/decisions/${id}`, { token })).toMatchObject({
      status: 404,
      body: { code: 'DECISION_UNKNOWN' },
    });
  }
  expect((await admin.ask('/v1/decisions/d3', { token: operator })).status).toBe(200);
});

const post = (body: string, headers = { 'content-type': 'application/json' }) =>
  admin.ask('/v1/tokens', { method: 'POST', token: operator, headers, body });

test('a token is made, used, listed and revoked', async () => {
  const made = await post('{"name":"ci","roles":["author"],"bundles":["todo"],"expiresInSeconds":60}');
  expect(made).toMatchObject({ status: 201, body: { token: { name: 'ci', roles: ['author'], bundles: ['todo'] } } });
  const secret = String(made.body.secret);
  expect((await admin.ask('/v1/bundles', { token: secret })).status).toBe(200);
  const listed = await admin.ask('/v1/tokens', { token: operator });
  expect(listed.text).toContain('"ci"');
  expect(listed.text).not.toContain(secret);
  const revoked = await admin.ask('/v1/tokens/ci', { method: 'DELETE', token: operator });
  expect(revoked).toMatchObject({ status: 200, body: { name: 'ci', revokedAt: expect.any(String) } });
  expect((await admin.ask('/v1/bundles', { token: secret })).status).toBe(401);
  expect(JSON.stringify(admin.lines)).toContain('token created');
  expect(JSON.stringify(admin.lines)).not.toContain(secret);
});

test.each([
  ['no JSON', '{', 'REQUEST_INVALID'],
  ['a list', '[]', 'REQUEST_INVALID'],
  ['a member twice', '{"name":"x","name":"y","roles":["ask"]}', 'REQUEST_INVALID'],
  ['a member that there is not', '{"name":"x","roles":["ask"],"admin":true}', 'REQUEST_INVALID'],
  ['__proto__', '{"name":"x","roles":["ask"],"__proto__":{}}', 'REQUEST_INVALID'],
  ['roles that are no list', '{"name":"x","roles":"ask"}', 'REQUEST_INVALID'],
  ['an expiry in words', '{"name":"x","roles":["ask"],"expiresInSeconds":"1d"}', 'REQUEST_INVALID'],
  ['a role that there is not', '{"name":"x","roles":["root"]}', 'TOKEN_ROLE_INVALID'],
  ['a bundle that cannot be', '{"name":"x","roles":["ask"],"bundles":["../x"]}', 'TOKEN_BUNDLE_INVALID'],
  ['a name that cannot be', '{"name":"X!","roles":["ask"]}', 'TOKEN_NAME_INVALID'],
  ['an expiry of nothing', '{"name":"x","roles":["ask"],"expiresInSeconds":0}', 'TOKEN_EXPIRY_INVALID'],
])('a token request with %s is refused', async (_, body, code) => {
  expect(await post(body)).toMatchObject({ status: 400, body: { code } });
});

test('a token request is JSON, and a small one', async () => {
  expect(await post('x', { 'content-type': 'application/gzip' })).toMatchObject({ status: 415 });
  expect(await post('x', { 'content-type': 'text/plain' })).toMatchObject({ status: 415 });
  expect(await post(`{"name":"${'x'.repeat(70_000)}"}`)).toMatchObject({ status: 413 });
  expect(await admin.ask('/v1/tokens', { method: 'POST', token: operator })).toMatchObject({ status: 400 });
});

test('a name that is taken is a 409, an unknown one a 404', async () => {
  await post('{"name":"taken","roles":["ask"]}');
  expect(await post('{"name":"taken","roles":["ask"]}')).toMatchObject({ status: 409, body: { code: 'TOKEN_EXISTS' } });
  expect(await admin.ask('/v1/tokens/none', { method: 'DELETE', token: operator })).toMatchObject({ status: 404 });
});

test('health says why it is not ready', async () => {
  const other = await startAdmin({ reasons: ['no version is active'] });
  expect(await other.ask('/health/ready')).toMatchObject({
    status: 503,
    body: { status: 'unavailable', reasons: ['no version is active'] },
  });
  expect(await other.ask('/health/live')).toMatchObject({ status: 200, body: { status: 'ok', reasons: [] } });
  await other.close();
});

test('a refusal of Rego names every place', async () => {
  const problems = [
    { code: 'rego_parse_error', message: 'var cannot be used', file: 'a.rego', row: 3, col: 1, excerpt: 'x' },
  ];
  const other = await startAdmin({
    policy: {
      push: async () => {
        throw new PolicyError('REGO_INVALID', 'a.rego:3:1: var cannot be used', { problems });
      },
    },
  });
  const reply = await other.ask('/v1/bundles/todo', {
    method: 'PUT',
    token: other.token(['author']),
    headers: GZIP,
    body: 'x',
  });
  expect(reply.headers['content-type']).toBe('application/problem+json');
  expect(reply).toMatchObject({
    status: 422,
    body: {
      type: 'urn:verdict:problem:rego-invalid',
      title: 'The policy does not compile',
      status: 422,
      code: 'REGO_INVALID',
      detail: 'a.rego:3:1: var cannot be used',
      problems,
    },
  });
  await other.close();
});

test('a failure without a name shows nothing of itself, but is logged', async () => {
  const other = await startAdmin({
    policy: {
      bundles: () => {
        throw new Error('internal detail');
      },
    },
  });
  const reply = await other.ask('/v1/bundles', { token: other.token(['author']) });
  expect(reply).toMatchObject({ status: 500, body: { code: 'INTERNAL' } });
  expect(reply.text).not.toContain('internal detail');
  expect(other.lines).toMatchObject([{ level: 'error', fields: { code: 'INTERNAL', route: '/v1/bundles' } }]);
  await other.close();
});

test('answers are not kept by anybody on the way', async () => {
  for (const path of ['/v1/bundles', '/health/live', '/nothing']) {
    const { headers } = await admin.ask(path, { token: operator });
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  }
});

test('a server that drains still answers, and asks to close the connection', async () => {
  const other = await startAdmin();
  other.server.drain();
  expect((await other.ask('/health/live')).headers.connection).toBe('close');
  await other.close();
  await expect(other.ask('/health/live')).rejects.toThrow('ECONNREFUSED');
});
