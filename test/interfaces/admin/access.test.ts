import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { FastifyRequest } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Role } from '../../../src/decision/model.ts';
import { checkAccess } from '../../../src/interfaces/admin/access.ts';
import { type Admin, GZIP, startAdmin } from './support.ts';

let admin: Admin;
beforeAll(async () => {
  admin = await startAdmin({ records: { known: '{"bundles":{"todo":{}}}' } });
  const author = admin.token(['author']);
  for (const name of ['todo', 'payroll'])
    await admin.ask(`/v1/bundles/${name}`, { method: 'PUT', token: author, headers: GZIP, body: 'archive' });
});
afterAll(() => admin.close());

const ROLES: readonly Role[] = ['ask', 'author', 'approver', 'auditor', 'operator', 'edge'];

const page = readFileSync(path.join(import.meta.dirname, '..', '..', '..', 'docs', 'reference', 'access.md'), 'utf8');

/** What docs/reference/access.md says: every route, with the roles that may use it; none means open to all. */
const ROUTES = [...page.matchAll(/^\| (GET|PUT|POST|DELETE) \| `([^`]+)` \| ([^|]+) \|$/gm)].map(
  ([, method = '', route = '', roles = '']): [string, string, Role[] | undefined] => [
    method,
    route.replaceAll(/\{(\w+)\}/g, ':$1'),
    roles.startsWith('open') ? undefined : (roles.split(', ') as Role[]),
  ],
);

const pathOf = (route: string): string =>
  route
    .replace('tokens/:name', 'tokens/nobody')
    .replace(':name', 'todo')
    .replace(':version', '1')
    .replace(':id', 'known');

const bodyOf = (method: string) =>
  method === 'PUT' ? { headers: GZIP, body: 'archive' } : method === 'POST' ? { headers: GZIP } : {};

test('every route declares who may use it, and the routes are the ones that are documented', () => {
  expect(admin.server.routes.filter(({ permit }) => permit === undefined)).toEqual([]);
  const found = admin.server.routes.map((route) => `${route.method} ${route.path}`).sort();
  expect(found).toEqual(ROUTES.map(([method, route]) => `${method} ${route}`).sort());
});

test('every route about one bundle minds a token that is restricted to others', () => {
  const about = admin.server.routes.filter((route) => route.path.includes('/bundles/:name'));
  expect(about.length).toBe(7);
  for (const { permit } of about) expect(permit).toMatchObject({ bundle: true });
});

test.each(ROUTES)('%s %s: without a token it is refused, unless it is open', async (method, route, roles) => {
  const reply = await admin.ask(pathOf(route), { method, ...bodyOf(method) });
  if (roles === undefined) expect(reply.status).toBe(200);
  else {
    expect(reply).toMatchObject({ status: 401, body: { code: 'UNAUTHENTICATED', status: 401 } });
    expect(reply.headers['www-authenticate']).toBe('Bearer realm="verdict"');
  }
});

test.each(ROUTES.filter(([, , roles]) => roles !== undefined))(
  '%s %s: for its roles alone',
  async (method, route, roles) => {
    for (const role of ROLES) {
      const reply = await admin.ask(pathOf(route), { method, token: admin.token([role]), ...bodyOf(method) });
      if (roles?.includes(role)) expect([401, 403], `${role}: ${reply.text}`).not.toContain(reply.status);
      else {
        expect(reply, role).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
        for (const needed of roles ?? []) expect(reply.body.detail).toContain(needed);
      }
    }
  },
);

test('a token that is restricted to a bundle reaches no other, and lists no other', async () => {
  const token = admin.token(['author', 'approver', 'edge'], ['todo']);
  const about = admin.server.routes.filter((route) => route.path.includes('/bundles/:name'));
  for (const { method, path: route } of about) {
    const other = await admin.ask(route.replace(':name', 'payroll').replace(':version', '1'), {
      method,
      token,
      ...bodyOf(method),
    });
    expect(other, `${method} ${route}`).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
    const own = await admin.ask(route.replace(':name', 'todo').replace(':version', '1'), {
      method,
      token,
      ...bodyOf(method),
    });
    expect(own.status, `${method} ${route}`).toBe(200);
  }
  expect((await admin.ask('/v1/bundles', { token })).body).toMatchObject({ bundles: [{ name: 'todo' }] });
});

test('a token that was revoked or is unknown is refused', async () => {
  const { secret } = admin.tokens.create({ name: 'short', roles: ['operator'] }, 'test');
  expect((await admin.ask('/v1/tokens', { token: secret })).status).toBe(200);
  admin.tokens.revoke('short', 'test');
  expect((await admin.ask('/v1/tokens', { token: secret })).status).toBe(401);
  expect((await admin.ask('/v1/tokens', { token: `vdt_${'A'.repeat(43)}` })).status).toBe(401);
});

test.each([
  ['another scheme', 'Basic b3BlcmF0b3I6eA=='],
  ['a scheme alone', 'Bearer'],
  ['two secrets', 'Bearer a b'],
  ['nothing', ''],
])('%s as the credential is refused', async (_, authorization) => {
  expect((await admin.ask('/v1/tokens', { headers: { authorization } })).status).toBe(401);
});

test('who may not push is told so before the body is taken', async () => {
  const body = Buffer.alloc(5_000_000);
  const reply = await admin.ask('/v1/bundles/todo', {
    method: 'PUT',
    headers: { ...GZIP, 'content-length': '99999999999' },
    body: body.subarray(0, 1),
  });
  expect(reply.status).toBe(401);
});

test.each([
  'evil.example',
  'evil.example:8282',
  '127.0.0.1.evil.example',
  'localhost@evil.example',
  '[::2]',
  '10.0.0.1',
])('the Host %s is refused, on open routes too', async (host) => {
  for (const route of ['/health/live', '/v1/bundles', '/nothing'])
    expect(await admin.ask(route, { headers: { host } })).toMatchObject({
      status: 403,
      body: { code: 'HOST_REFUSED' },
    });
});

test.each(['localhost', 'LOCALHOST:1', '127.0.0.1:8282', '[::1]:8282'])('the Host %s is accepted', async (host) => {
  expect((await admin.ask('/health/live', { headers: { host } })).status).toBe(200);
});

test('a Host that the configuration names is accepted', async () => {
  const other = await startAdmin({ settings: { hosts: ['Verdict.internal'] } });
  expect((await other.ask('/health/live', { headers: { host: 'verdict.internal:443' } })).status).toBe(200);
  await other.close();
});

test('a page of another origin is refused, this listener’s own is not', async () => {
  const host = new URL(admin.server.url).host;
  for (const origin of ['http://evil.example', 'null', `https://${host}`, 'http://127.0.0.1', 'http://localhost:1'])
    expect(await admin.ask('/health/live', { headers: { host, origin } })).toMatchObject({
      status: 403,
      body: { code: 'ORIGIN_REFUSED' },
    });
  expect((await admin.ask('/health/live', { headers: { host, origin: `http://${host}` } })).status).toBe(200);
});

test.each([
  ['127.0.0.1', true],
  ['::ffff:127.0.0.1', true],
  ['::1', true],
  [undefined, true],
  ['10.0.0.7', false],
  ['::ffff:10.0.0.7', false],
  ['fe80::1', false],
  ['127.evil.example', false],
])('metrics on the address %s are open: %s', (localAddress, isOpen) => {
  const config = { permit: { roles: ['operator'], openOnLoopback: true } };
  const request = (authorization?: string): FastifyRequest =>
    ({ headers: { authorization }, routeOptions: { config }, socket: { localAddress } }) as unknown as FastifyRequest;
  const check = (authorization?: string) => () => checkAccess(request(authorization), admin.tokens);
  if (isOpen) expect(check()).not.toThrow();
  else expect(check()).toThrow(expect.objectContaining({ code: 'UNAUTHENTICATED' }));
  expect(check(`Bearer ${admin.token(['operator'])}`)).not.toThrow();
  if (!isOpen)
    expect(check(`Bearer ${admin.token(['auditor'])}`)).toThrow(expect.objectContaining({ code: 'FORBIDDEN' }));
});
