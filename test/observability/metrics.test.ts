import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Pdp, startPdp } from '../support/pdp.ts';
import { parseMetrics, valuesOf } from '../support/prometheus.ts';

const POLICY = `package shop
# METADATA
# entrypoint: true
default allow := false
allow if input.n == 1
# METADATA
# entrypoint: true
maybe if input.n == 1
# METADATA
# entrypoint: true
torn := 1 if input.n
torn := 2 if input.n
`;

let dir: string;
let pdp: Pdp;
beforeAll(async () => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'verdict-metrics-'));
  writeFileSync(path.join(dir, 'shop.rego'), POLICY);
  pdp = await startPdp({ bundles: { shop: dir }, sets: ['server.http.limits.bodyBytes=2000', 'cache.maxBytes=60000'] });
});
afterAll(async () => {
  await pdp.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** Metrics as somebody without a token reads them. */
const scrape = async (): Promise<string> => {
  const response = await fetch(`${pdp.urls.admin}/metrics`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  return response.text();
};

let before: string;
beforeEach(async () => {
  before = await scrape();
});

/** What a counter gained since the test began, by labels; what stood still is left out. */
const gained = async (family: string): Promise<{ readonly [labels: string]: number }> => {
  const earlier = valuesOf(before, family);
  const entries = Object.entries(valuesOf(await scrape(), family));
  return Object.fromEntries(
    entries.map(([labels, value]) => [labels, value - (earlier[labels] ?? 0)]).filter(([, value]) => value !== 0),
  );
};

test('every family is well formed, described and has a value or none', async () => {
  const families = parseMetrics(before);
  expect(families.size).toBeGreaterThan(40);
  for (const [name, { help }] of families) expect(help, name).toMatch(/\w{3}/);
  for (const name of ['process_cpu_seconds_total', 'nodejs_eventloop_lag_p99_seconds'])
    expect([...families.keys()]).toContain(name);
});

test('decisions are counted by outcome, wire and cache, exactly', async () => {
  const ask = (rule: string, n: number, headers = {}) => pdp.ask(`/v1/data/shop/${rule}`, { input: { n } }, headers);
  for (const n of [1, 1, 1, 2]) await ask('allow', n);
  await ask('maybe', 3);
  await ask('torn', 1);
  await ask('torn', 1);
  await ask('allow', 1, { 'cache-control': 'no-cache' });
  await pdp.ask('/v0/data/shop/allow', { n: 1 });
  expect(await gained('verdict_decisions_total')).toEqual({
    'outcome="permit",wire="opa.v1",cache="miss"': 1,
    'outcome="permit",wire="opa.v1",cache="hit"': 2,
    'outcome="permit",wire="opa.v1",cache="bypass"': 1,
    'outcome="refuse",wire="opa.v1",cache="miss"': 1,
    'outcome="undefined",wire="opa.v1",cache="miss"': 1,
    'outcome="failed",wire="opa.v1",cache="uncacheable"': 2,
    'outcome="permit",wire="opa.v0",cache="hit"': 1,
  });
  expect(await gained('verdict_decision_failures_total')).toEqual({ 'reason="conflict"': 2 });
  expect(await gained('verdict_http_requests_total')).toMatchObject({
    'listener="http",status="2xx"': 7,
    'listener="http",status="5xx"': 2,
  });
  const durations = await gained('verdict_decision_duration_seconds');
  expect(durations['cache="hit",le="+Inf"']).toBe(3);
  expect(durations['cache="uncacheable",le="+Inf"']).toBe(2);
  expect((await gained('verdict_evaluation_duration_seconds'))['le="+Inf"']).toBe(6);
});

test('the buckets of a histogram add up, and their sum is a time', async () => {
  const values = valuesOf(await scrape(), 'verdict_decision_duration_seconds');
  const hits = Object.entries(values).filter(([labels]) => labels.startsWith('cache="hit",le='));
  const counts = hits.map(([, value]) => value);
  expect(hits.map(([labels]) => labels.replace(/.*le=/, ''))).toEqual(
    [
      '0.00005',
      '0.0001',
      '0.00025',
      '0.0005',
      '0.001',
      '0.0025',
      '0.005',
      '0.01',
      '0.025',
      '0.05',
      '0.1',
      '0.25',
      '0.5',
      '1',
      '+Inf',
    ].map((le) => `"${le}"`),
  );
  expect(counts).toEqual([...counts].sort((a, b) => a - b));
  const sum = parseMetrics(await scrape())
    .get('verdict_decision_duration_seconds')
    ?.samples.get('verdict_decision_duration_seconds_sum{cache="hit"}');
  expect(sum).toBeGreaterThan(0);
});

test('every record of a decision is counted, and none waits while nobody asks', async () => {
  for (const n of [11, 12, 13]) await pdp.ask('/v1/data/shop/allow', { input: { n } });
  expect(await gained('verdict_audit_records_total')).toEqual({ '': 3 });
  const text = await scrape();
  expect(valuesOf(text, 'verdict_audit_waiting_records')).toEqual({ '': 0 });
  expect(valuesOf(text, 'verdict_audit_writable')).toEqual({ '': 1 });
  expect(valuesOf(text, 'verdict_audit_written_bytes_total')['']).toBeGreaterThan(1_000);
  expect(valuesOf(text, 'verdict_audit_segments')).toEqual({ '': 1 });
});

test('what is refused before a decision is counted by its code', async () => {
  await pdp.ask('/v1/data/shop/allow', '{"input":');
  await pdp.ask('/v1/data/shop/allow', { input: 'x'.repeat(3_000) });
  await pdp.ask('/v1/data/shop/allow', { input: { verdict: 1 } });
  await pdp.ask('/v1/data/shop/allow', {}, { origin: 'https://evil.example' });
  await pdp.ask('/access/v1/evaluations', { evaluations: [{}, {}] });
  await fetch(`${pdp.urls.http}/v1/nothing/here`);
  await fetch(`${pdp.urls.admin}/v1/tokens`);
  await pdp.admin('GET', '/v1/bundles/nobody');
  const refused = await gained('verdict_requests_refused_total');
  expect(refused).toMatchObject({
    'listener="http",reason="body_malformed"': 1,
    'listener="http",reason="body_too_large"': 1,
    'listener="http",reason="member_reserved"': 1,
    'listener="http",reason="origin_refused"': 1,
    'listener="admin",reason="UNAUTHENTICATED"': 1,
    'listener="admin",reason="BUNDLE_UNKNOWN"': 1,
  });
});

const sendRaw = (bytes: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const { port } = new URL(pdp.urls.http);
    let answer = '';
    const socket = net.connect(Number(port), '127.0.0.1', () => socket.write(bytes));
    socket.setEncoding('utf8').on('data', (text) => {
      answer += text;
    });
    socket.on('error', reject).on('close', () => resolve(answer));
  });

test('what HTTP itself refuses is answered as before, and counted', async () => {
  expect(await sendRaw(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`)).toMatch(
    /^HTTP\/1.1 431 /,
  );
  expect(await sendRaw('nonsense\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /);
  expect(await gained('verdict_requests_refused_total')).toEqual({
    'listener="http",reason="headers_too_large"': 1,
    'listener="http",reason="request_malformed"': 1,
  });
});

test('hostile paths, subjects and headers make no label of their own', async () => {
  const count = (text: string): number =>
    [...parseMetrics(text)].reduce(
      (sum, [name, { samples }]) => sum + (name.startsWith('verdict_') ? samples.size : 0),
      0,
    );
  await pdp.ask('/v1/data/nowhere', { input: {} });
  await fetch(`${pdp.urls.http}/nowhere`);
  const some = count(await scrape());
  for (let at = 0; at < 40; at++) {
    await pdp.ask(`/v1/data/h%22ostile%0a${at}/{a="b"}`, { input: { subject: { id: `s${at}"} 1` } } });
    await fetch(`${pdp.urls.http}/v1/x${at}"}`, { headers: { traceparent: `x${at}`, 'x-request-id': `${at}` } });
    await fetch(`${pdp.urls.admin}/v1/bundles/b${at}`);
  }
  const text = await scrape();
  expect(text).not.toMatch(/ostile/);
  // A listener may meet a kind of refusal or status for the first time here; forty different names add nothing else.
  // What Node tells of its process (kinds of collections, of handles) comes and goes by itself.
  expect(count(text) - some).toBeLessThan(8);
});

test('the cache tells its entries, bytes and what it pushed out', async () => {
  for (let n = 1000; n < 1100; n++) await pdp.ask('/v1/data/shop/allow', { input: { n } });
  const text = await scrape();
  expect(valuesOf(text, 'verdict_cache_max_bytes')).toEqual({ '': 60_000 });
  expect(valuesOf(text, 'verdict_cache_bytes')['']).toBeLessThanOrEqual(60_000);
  expect(valuesOf(text, 'verdict_cache_entries')['']).toBeGreaterThan(10);
  expect((await gained('verdict_cache_evictions_total'))['']).toBeGreaterThan(10);
});

test('what is active is named with its age, and an activation replaces it', async () => {
  const [labels = '', age = -1] = Object.entries(valuesOf(before, 'verdict_policy_active_seconds'))[0] ?? [];
  expect(labels).toBe('bundle="shop",version="1"');
  expect(age).toBeGreaterThan(0);
  expect(age).toBeLessThan(3_600);
  expect(valuesOf(before, 'verdict_ready')).toEqual({ '': 1 });
  const { epoch } = (await pdp.admin('POST', '/v1/bundles/shop/versions/1/activate')).json as { epoch: number };
  expect(valuesOf(await scrape(), 'verdict_policy_epoch')).toEqual({ '': epoch });
});

test('without tracing there are no spans to count', () => {
  expect(valuesOf(before, 'verdict_trace_spans_dropped_total')).toEqual({});
});
