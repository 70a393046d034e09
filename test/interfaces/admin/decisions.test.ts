import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type AuditReader } from '../../../src/audit/index.ts';
import type { Outcome } from '../../../src/decision/model.ts';
import { append, content, openLog, temporaryDirectory } from '../../audit/builders.ts';
import { type Pdp, startPdp } from '../../support/pdp.ts';
import { type Admin, startAdmin } from './support.ts';

let pdp: Pdp;
beforeAll(async () => {
  pdp = await startPdp({ bundles: { todo: 'policies/todo' } });
  for (const id of ['1', '2', '3']) {
    await pdp.ask('/v1/data/todo/decision', {
      input: { subject: { id: 'someone' }, action: { name: 'can_delete_todo' }, resource: { id, big: 'x' } },
    });
  }
});
afterAll(() => pdp?.stop());

interface Page {
  readonly decisions: readonly { readonly [member: string]: unknown }[];
  readonly next?: string;
  readonly partial: boolean;
}

test('decisions of a running server are found, page by page, newest first', async () => {
  const first = (await pdp.admin('GET', '/v1/decisions?subject=someone&limit=2')).json as Page;
  expect(first.decisions.map(({ resource }) => resource)).toEqual(['3', '2']);
  await pdp.ask('/v1/data/todo/decision', { input: { subject: { id: 'someone' }, resource: { id: '4' } } });
  const query = `/v1/decisions?subject=someone&limit=2&cursor=${first.next}`;
  const second = (await pdp.admin('GET', query)).json as Page;
  expect(second.decisions.map(({ resource }) => resource)).toEqual(['1']);
  expect(second).not.toHaveProperty('next');
  expect(second.partial).toBe(false);
});

test('a record in a list is the text of the record by its id', async () => {
  const list = await pdp.admin('GET', '/v1/decisions?resource=2');
  const [decision] = (list.json as Page).decisions;
  const { text } = await pdp.admin('GET', `/v1/decisions/${decision?.decision_id}`);
  expect(list.text).toContain(text);
  expect(list.headers.get('content-type')).toBe('application/json; charset=utf-8');
});

test('events are listed when they are asked for', async () => {
  const { json } = await pdp.admin('GET', '/v1/decisions?events=true&bundle=todo&version=1&limit=1000');
  expect((json as Page).decisions.slice(-2)).toMatchObject([
    { type: 'event', event: 'activation', by: 'local' },
    { type: 'event', event: 'push', by: 'local' },
  ]);
});

test.each([
  ['from=yesterday', 'from'],
  ['to=2026-13-01T00:00:00Z', 'to'],
  ['from=2026-01-01T00:00:00Z&from=2026-01-02T00:00:00Z', 'from'],
  ['outcome=allow', 'outcome'],
  ['cache=warm', 'cache'],
  ['version=one', 'version'],
  ['version=0', 'version'],
  ['subject=', 'subject'],
  [`subject=${'x'.repeat(1_025)}`, 'subject'],
  [Array.from({ length: 21 }, () => 'caller=x').join('&'), 'caller'],
  ['events=1', 'events'],
  ['limit=0', 'limit'],
  ['limit=1001', 'limit'],
  ['limit=ten', 'limit'],
  ['cursor=abc', 'cursor'],
  ['cursor=a&cursor=b', 'cursor'],
  ['colour=red', 'colour'],
  ['__proto__=red', '__proto__'],
])('a bad parameter is refused by its name: %.40s', async (query, name) => {
  const { status, json, headers } = await pdp.admin('GET', `/v1/decisions?${query}`);
  expect(status).toBe(400);
  expect(headers.get('content-type')).toBe('application/problem+json');
  expect((json as { detail: string }).detail).toContain(name);
});

test('times are read with their offset', async () => {
  const { json } = await pdp.admin('GET', '/v1/decisions?from=2026-01-01T00:00:00%2B02:00&to=2100-01-01T00:00:00Z');
  expect((json as Page).decisions.length).toBeGreaterThan(0);
});

/** An admin server on a real log. */
const adminOn = async (changes: Parameters<typeof openLog>[2] = {}): Promise<{ admin: Admin } & Log> => {
  const log = await openLog(temporaryDirectory(), {}, changes);
  const admin = await startAdmin({ reader: log.reader });
  onTestFinished(() => admin.close());
  return { admin, reader: log.reader, add: (outcome) => append(log, content('1'), { outcome }) };
};

interface Log {
  readonly reader: AuditReader;
  readonly add: (outcome: Outcome) => Promise<string>;
}

test('a search that meets its bound answers what it has, says so, and goes on from there', async () => {
  const { admin, add } = await adminOn({ search: { bytes: 1 } });
  for (let at = 0; at < 600; at++) await add(at === 3 ? 'refuse' : 'permit');
  const token = admin.token(['auditor']);
  const first = await admin.ask('/v1/decisions?outcome=refuse', { token });
  expect(first.body).toMatchObject({ decisions: [], partial: true, scanned: { records: 88 } });
  const second = await admin.ask(`/v1/decisions?outcome=refuse&cursor=${first.body.next}`, { token });
  expect(second.body).toMatchObject({ decisions: [{ index: 3 }], partial: false, scanned: { records: 512 } });
  expect(second.body).not.toHaveProperty('next');
});

test('searching needs the role auditor, and a restricted token sees its bundles alone', async () => {
  const { admin, add } = await adminOn();
  await add('permit');
  expect(await admin.ask('/v1/decisions', { token: admin.token(['author', 'operator']) })).toMatchObject({
    status: 403,
  });
  const found = async (bundles?: readonly string[]) =>
    (await admin.ask('/v1/decisions', { token: admin.token(['auditor'], bundles) })).body.decisions;
  expect(await found()).toHaveLength(1);
  expect(await found(['todo'])).toHaveLength(1);
  expect(await found(['shop'])).toHaveLength(0);
});
