import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { Metadata } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { startCollector } from '../support/collector.ts';
import { callDecide, clientFor, json } from '../support/decision-grpc.ts';
import { type Pdp, type PdpAnswer, startPdp } from '../support/pdp.ts';
import { valuesOf } from '../support/prometheus.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const sampled = { traceparent: `00-${TRACE}-${PARENT}-01` };
const unsampled = { traceparent: `00-${TRACE}-${PARENT}-00` };

const POLICY = `package shop
# METADATA
# entrypoint: true
# custom:
#   authzen:
#     evaluation: true
default allow := false
allow if input.n == 1
# METADATA
# entrypoint: true
torn := 1 if input.n
torn := 2 if input.n
`;

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'verdict-tracing-'));
  writeFileSync(path.join(dir, 'shop.rego'), POLICY);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const tracing = (key: string, value: string): string => `observability.tracing.${key}=${value}`;

/** A server, ended after the test at the latest: with it goes what it still had for the collector. */
const start = async (...sets: readonly string[]): Promise<Pdp> => {
  const pdp = await startPdp({ bundles: { shop: dir }, sets });
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= pdp.stop();
    return stopped;
  };
  onTestFinished(stop);
  return { ...pdp, stop };
};

const ask = (pdp: Pdp, headers = {}, rule = 'allow', n = 1): Promise<PdpAnswer> =>
  pdp.ask(`/v1/data/shop/${rule}`, { input: { n } }, headers);

const recordOf = async (pdp: Pdp, answer: PdpAnswer): Promise<{ readonly [key: string]: unknown }> => {
  const id = answer.headers.get('verdict-decision-id');
  return (await pdp.admin('GET', `/v1/decisions/${id}`)).json as { readonly [key: string]: unknown };
};

test('a request that comes with a trace has it in its record, remembered answer or not', async () => {
  const pdp = await start();
  for (const headers of [sampled, sampled, unsampled]) {
    expect(await recordOf(pdp, await ask(pdp, headers))).toMatchObject({ trace_id: TRACE, span_id: PARENT });
  }
  const none = await recordOf(pdp, await ask(pdp));
  expect(Object.keys(none)).not.toContain('trace_id');
});

test('every decision of a batch, and AuthZEN, has it too', async () => {
  const pdp = await start();
  const item = { subject: { type: 'user', id: 'a' }, action: { name: 'b' }, resource: { type: 'c', id: 'd' } };
  const one = await pdp.ask('/access/v1/evaluation', item, sampled);
  expect(await recordOf(pdp, one)).toMatchObject({ wire: 'authzen.evaluation', trace_id: TRACE, span_id: PARENT });
  const batch = await pdp.ask('/access/v1/evaluations', { ...item, evaluations: [{}, {}] }, sampled);
  const ids = batch.headers.get('verdict-decision-id')?.split(', ') ?? [];
  expect(ids).toHaveLength(2);
  for (const id of ids)
    expect((await pdp.admin('GET', `/v1/decisions/${id}`)).json).toMatchObject({ trace_id: TRACE, span_id: PARENT });
});

test('a malformed or doubled traceparent is as none', async () => {
  const pdp = await start();
  const twice = new Headers({ 'content-type': 'application/json' });
  twice.append('traceparent', sampled.traceparent);
  twice.append('traceparent', sampled.traceparent);
  for (const headers of [
    { traceparent: 'x' },
    { traceparent: `00-${TRACE}-${PARENT}-zz` },
    Object.fromEntries(twice),
  ]) {
    const answer = await ask(pdp, headers);
    expect(answer.status).toBe(200);
    expect(Object.keys(await recordOf(pdp, answer))).not.toContain('trace_id');
  }
});

test('a collector gets one span a request, which names the decision, and the record names the span', async () => {
  const collector = await startCollector();
  onTestFinished(collector.close);
  const pdp = await start(
    tracing('otlp.endpoint', collector.url),
    tracing('otlp.headers', '["x-key: secret:1"]'),
    tracing('serviceName', 'pdp-1'),
  );
  const answer = await ask(pdp, sampled);
  const record = await recordOf(pdp, answer);
  await ask(pdp, sampled);
  await ask(pdp, {}, 'torn');
  await pdp.ask('/v1/data/shop/allow', '{"input":', sampled);
  await fetch(`${pdp.urls.http}/health`);
  await pdp.stop();

  expect(collector.requests[0]).toMatchObject({ path: '/v1/traces', headers: { 'x-key': 'secret:1' } });
  expect(collector.spans).toHaveLength(4);
  const [first, again, torn, malformed] = collector.spans;
  expect(first).toMatchObject({
    traceId: TRACE,
    parentSpanId: PARENT,
    name: 'POST /v1/data/{path}',
    kind: 2,
    status: 0,
  });
  expect(first).toMatchObject({ service: 'pdp-1' });
  expect(record).toMatchObject({ trace_id: TRACE, span_id: first?.spanId });
  expect(first?.attributes).toEqual({
    'http.request.method': 'POST',
    'http.route': '/v1/data/{path}',
    'url.scheme': 'http',
    'http.response.status_code': '200',
    'verdict.decision_id': answer.headers.get('verdict-decision-id'),
    'verdict.wire': 'opa.v1',
    'verdict.path': 'shop/allow',
    'verdict.outcome': 'permit',
    'verdict.cache': 'miss',
    'verdict.policy': ['shop@1'],
  });
  expect(again?.attributes).toMatchObject({ 'verdict.cache': 'hit' });
  expect(again?.spanId).not.toBe(first?.spanId);
  expect(torn).toMatchObject({ parentSpanId: '', status: 2 });
  expect(torn?.attributes).toMatchObject({
    'verdict.outcome': 'failed',
    'http.response.status_code': '500',
    'error.type': 'conflict',
  });
  expect(malformed?.attributes).toMatchObject({ 'http.response.status_code': '400' });
  expect(malformed?.attributes).not.toHaveProperty(['verdict.decision_id']);
});

test('a batch is one span that says how many it decided', async () => {
  const collector = await startCollector();
  onTestFinished(collector.close);
  const pdp = await start(tracing('otlp.endpoint', `${collector.url}/custom/path`));
  const item = { subject: { type: 'user', id: 'a' }, action: { name: 'b' }, resource: { type: 'c', id: 'd' } };
  await pdp.ask('/shop/access/v1/evaluations', { ...item, evaluations: [{}, {}, {}] });
  await pdp.stop();
  expect(collector.requests[0]?.path).toBe('/custom/path');
  expect(collector.spans.map(({ name, attributes }) => [name, attributes['verdict.decisions']])).toEqual([
    ['POST /{bundle}/access/v1/evaluations', '3'],
  ]);
});

test('who began the trace says whether it is recorded; the ratio is for traces that begin here', async () => {
  const collector = await startCollector();
  onTestFinished(collector.close);
  const pdp = await start(tracing('otlp.endpoint', collector.url), tracing('sampleRatio', '0'));
  expect(await recordOf(pdp, await ask(pdp, unsampled))).toMatchObject({ trace_id: TRACE, span_id: PARENT });
  const alone = await ask(pdp);
  expect(Object.keys(await recordOf(pdp, alone))).not.toContain('trace_id');
  await ask(pdp, sampled);
  await pdp.stop();
  expect(collector.spans.map(({ traceId }) => traceId)).toEqual([TRACE]);
});

test('a client that goes away before its body came leaves a span that says so', async () => {
  const collector = await startCollector();
  onTestFinished(collector.close);
  const pdp = await start(tracing('otlp.endpoint', collector.url));
  const { port } = new URL(pdp.urls.http);
  const socket = net.connect(Number(port), '127.0.0.1');
  socket.write(
    'POST /v1/data/shop/allow HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n',
  );
  // The server has the head once it asks for the body.
  await new Promise((resolve) => socket.once('data', resolve));
  socket.destroy();
  await ask(pdp);
  await pdp.stop();
  expect(collector.spans.map(({ attributes }) => attributes['error.type'])).toContain('cancelled');
});

test('a collector that refuses costs no decision: its spans are counted and told once', async () => {
  const collector = await startCollector(() => 400);
  onTestFinished(collector.close);
  const pdp = await start(tracing('otlp.endpoint', collector.url));
  for (let n = 0; n < 600; n++) expect((await ask(pdp, {}, 'allow', n)).status).toBe(200);
  const dropped = async (): Promise<number> =>
    valuesOf(await (await fetch(`${pdp.urls.admin}/metrics`)).text(), 'verdict_trace_spans_dropped_total')[''] ?? 0;
  while ((await dropped()) < 600) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(pdp.log().match(/spans are dropped/g)).toHaveLength(1);
});

test('a collector that is not there costs no decision, and no end of the server', async () => {
  const gone = await startCollector();
  await gone.close();
  const pdp = await start(tracing('otlp.endpoint', gone.url));
  for (let n = 0; n < 20; n++) expect((await ask(pdp, sampled, 'allow', n)).status).toBe(200);
  await pdp.stop();
});

test('a call over gRPC has its trace in its record and its span, and what is refused there is counted', async () => {
  const collector = await startCollector();
  onTestFinished(collector.close);
  const pdp = await start(tracing('otlp.endpoint', collector.url));
  const client = clientFor(pdp.urls.grpc ?? '');
  const metadata = new Metadata();
  metadata.set('traceparent', sampled.traceparent);
  const { decision } = await callDecide(client, { path: 'shop/allow', input: json('{"n":1}') }, metadata);
  const record = (await pdp.admin('GET', `/v1/decisions/${decision?.decisionId}`)).json as { span_id: string };
  await expect(callDecide(client, { path: 'shop/allow', input: json('{"n":') })).rejects.toMatchObject({ code: 3 });
  const text = await (await fetch(`${pdp.urls.admin}/metrics`)).text();
  expect(valuesOf(text, 'verdict_requests_refused_total')).toEqual({ 'listener="grpc",reason="body_malformed"': 1 });
  expect(valuesOf(text, 'verdict_decisions_total')).toEqual({
    'outcome="permit",wire="verdict.decide",cache="miss"': 1,
  });
  client.close();
  await pdp.stop();

  const [made, refused] = collector.spans;
  expect(made).toMatchObject({ traceId: TRACE, parentSpanId: PARENT, name: 'verdict.v1.Decisions/Decide', kind: 2 });
  expect(record).toMatchObject({ trace_id: TRACE, span_id: made?.spanId });
  expect(made?.attributes).toMatchObject({
    'rpc.system.name': 'grpc',
    'rpc.response.status_code': 'OK',
    'verdict.outcome': 'permit',
    'verdict.decision_id': decision?.decisionId,
  });
  expect(refused?.attributes).toMatchObject({ 'rpc.response.status_code': 'INVALID_ARGUMENT' });
});
