import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Pdp, startPdp } from '../support/pdp.ts';
import { valuesOf } from '../support/prometheus.ts';
import { temporaryFolder } from '../support/server-process.ts';
import { cli, type Run } from './run.ts';

// What an auditor looks for: the decisions of a batch, reads of data, why something failed, who asked.

let pdp: Pdp;
let place: ReturnType<typeof temporaryFolder>;
let batchId: string;

const SHOP = `package shop

default allow := false

allow if input.user == "alice"

half := 10 / input.by
`;

const verdict = (argv: readonly string[], around: Parameters<typeof cli>[1] = {}): Promise<Run> =>
  cli([...argv, '--set', `storage.dir=${path.join(pdp.dir, 'storage')}`], {
    ...around,
    env: { VERDICT_SERVER: pdp.urls.admin, ...around.env },
  });

const json = async (...argv: string[]): Promise<{ [member: string]: unknown }[]> =>
  ((await verdict(['decisions', ...argv, '--output', 'json'])).json() as { decisions: { [member: string]: unknown }[] })
    .decisions;

beforeAll(async () => {
  place = temporaryFolder('found');
  const shop = path.join(place.folder, 'shop');
  mkdirSync(shop);
  writeFileSync(path.join(shop, 'shop.rego'), SHOP);
  writeFileSync(path.join(shop, 'data.json'), '{"shop": {"users": {"u1": "alice"}}}');
  pdp = await startPdp({ bundles: { shop } });
  const inputs = { one: { user: 'alice' }, two: { user: 'bob' }, three: { user: 'alice' } };
  const batch = await pdp.ask('/v1/batch/data/shop/allow', { inputs });
  batchId = (batch.json as { batch_decision_id: string }).batch_decision_id;
  await pdp.ask('/v1/data/shop/half?strict-builtin-errors=true', { input: { by: 0 } });
  for (const where of ['/v1/data/shop/users', '/v1/data/shop', '/v1/data']) await fetch(new URL(where, pdp.urls.http));
});

afterAll(async () => {
  await pdp?.stop();
  place.remove();
});

test('the id of a batch finds its decisions, by a filter and by show', async () => {
  const found = await json('--batch', batchId);
  expect(found.map(({ outcome }) => outcome).sort()).toEqual(['permit', 'permit', 'refuse']);
  expect(found.every((record) => record.batch_decision_id === batchId)).toBe(true);
  expect(await json('show', batchId)).toEqual(found);
  const { code, stdout } = await verdict(['decisions', 'show', batchId.toUpperCase()]);
  expect(code).toBe(0);
  expect(stdout.trimEnd().split('\n')).toHaveLength(4);
  expect(await json('--batch', '0192f0c1-5b7e-7c3a-8d2e-3f4a5b6c7d8e')).toEqual([]);
  expect((await verdict(['decisions', 'show', '0192f0c1-5b7e-7c3a-8d2e-3f4a5b6c7d8e'])).code).toBe(1);
});

test('what read data is no refusal: its outcome is data, in records, lists, filters and metrics', async () => {
  const read = await json('--outcome', 'data');
  expect(read.map((record) => record.path)).toEqual(['', 'shop', 'shop/users']);
  expect((await json('--outcome', 'refuse')).map((record) => record.path)).toEqual(['shop/allow']);
  const { stdout } = await verdict(['decisions', '--outcome', 'data']);
  // What was asked with an empty path was all of it.
  expect(stdout).toMatch(/^\S+ \S+ +data +\/ +anonymous /m);
  const { text } = await pdp.admin('GET', '/metrics');
  const counted = Object.entries(valuesOf(text, 'verdict_decisions_total'));
  expect(counted.filter(([labels]) => labels.includes('data')).map(([, value]) => value)).not.toEqual([]);
});

test('a boolean of data is a yes or a no', async () => {
  const put = await pdp.ask('/v1/data/shop/allow', { input: { user: 'alice' } });
  expect(put.json).toMatchObject({ result: true });
  expect((await json('--limit', '1'))[0]).toMatchObject({ outcome: 'permit' });
});

test('a list names who asked, and why one failed', async () => {
  const { stdout } = await verdict(['decisions', '--outcome', 'failed']);
  expect(stdout).toMatch(/^TIME \(UTC\) +OUTCOME +PATH +CALLER /);
  expect(stdout).toMatch(/ failed: [a-z_]+ +shop\/half +anonymous /);
});

test.each([
  [['--from', '1m', '--to', '5m'], 'no record lies between them'],
  [['--wire', 'grpc'], '--wire: wanted opa.v1, opa.v0,'],
])('a filter that can find nothing is wrong usage: %j', async (options, sentence) => {
  const { code, stderr } = await verdict(['decisions', ...options]);
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(sentence) });
  const query = options[0] === '--wire' ? 'wire=grpc' : 'from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z';
  expect((await pdp.admin('GET', `/v1/decisions?${query}`)).status).toBe(400);
});

test('a time without an offset is of UTC, as lists show it, wherever its reader is', async () => {
  const before = process.env.TZ;
  process.env.TZ = 'America/New_York';
  try {
    const soon = new Date(Date.now() + 60_000).toISOString().slice(0, 19);
    expect((await json('--to', soon, '--outcome', 'failed')).length).toBe(1);
    expect((await json('--from', soon, '--outcome', 'failed')).length).toBe(0);
  } finally {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  }
});
