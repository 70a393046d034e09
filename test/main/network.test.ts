import { afterAll, beforeAll, expect, test } from 'vitest';
import { archiveOf } from '../policy/archives.ts';
import { type Loopback, openLoopback } from '../support/loopback.ts';
import { type Pdp, startPdp } from '../support/pdp.ts';

let people: Loopback;
let pdp: Pdp;

beforeAll(async () => {
  people = await openLoopback((request, response) => {
    const manages = request.url === '/people/ann';
    response.setHeader('cache-control', 'max-age=600');
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ manages, times: people.seen.length }));
  });
  pdp = await startPdp({ sets: ['engine.network.hosts=["127.0.0.1"]'] });
});
afterAll(async () => {
  await pdp.stop();
  await people.close();
});

const policy = (request: string): string => `package shop

# METADATA
# entrypoint: true
# custom:
#   cache:
#     ttl: 60s
remembered := person.manages

# METADATA
# entrypoint: true
asked := person.times

person := http.send(${request}).body
`;

const push = async (text: string) =>
  pdp.admin('PUT', '/v1/bundles/shop?activate=true', await archiveOf({ 'shop.rego': text }));

const requestOf = (members: string): string =>
  `{"method": "get", "url": concat("", ["${people.at('/people/')}", input.user]), ${members}}`;

test('a pushed policy asks the host that the configuration names, and its answer and the record have the response', async () => {
  expect((await push(policy(requestOf('"headers": {"x-a": "b"}')))).status).toBe(201);
  expect((await pdp.ask('/v1/data/shop/asked', { input: { user: 'ann' } })).json).toMatchObject({ result: 1 });
  const { headers, json } = await pdp.ask('/v1/data/shop/asked', { input: { user: 'ann' } });
  expect(json).toMatchObject({ result: 2 });
  expect(headers.get('cache-control')).toBe('no-store');
  const { decision_id: id } = json as { decision_id: string };
  const record = (await pdp.admin('GET', `/v1/decisions/${id}`)).text;
  expect(record).toContain('"nd_builtin_cache":{"http.send":');
  // Explained from the record: nothing is asked again.
  const sent = people.seen.length;
  const explained = await pdp.admin('GET', `/v1/decisions/${id}/explain`);
  expect(explained.status).toBe(200);
  expect(explained.json).toMatchObject({ result: 2 });
  expect(people.seen).toHaveLength(sent);
});

test('with a ttl the answer is remembered, and with `cache` the response is', async () => {
  expect(
    (await push(policy(requestOf('"cache": true, "force_cache": true, "force_cache_duration_seconds": 60')))).status,
  ).toBe(201);
  const sent = people.seen.length;
  for (const state of ['miss', 'hit']) {
    const { headers, json } = await pdp.ask('/v1/data/shop/remembered', { input: { user: 'ann' } });
    expect(json).toMatchObject({ result: true });
    expect(headers.get('verdict-cache')).toBe(state);
  }
  const answers = [];
  for (const _ of [1, 2]) answers.push((await pdp.ask('/v1/data/shop/asked', { input: { user: 'bob' } })).json);
  expect(answers.map((answer) => (answer as { result: number }).result)).toEqual([sent + 2, sent + 2]);
});

test('a push tells of a host that the configuration does not name, and of none that it does', async () => {
  const call = (url: string): string =>
    `package shop\n\nx := http.send({"method": "get", "url": "${url}"}).status_code\n`;
  const named = await push(call(people.at('/')));
  expect(JSON.stringify(named.json)).not.toContain('needs the network');
  const other = await push(call('https://people.example/'));
  expect(other.text).toContain('shop.rego:3:6: http.send needs the network');
  expect(other.text).toContain('has to name people.example');
  const { json } = await pdp.ask('/v1/data/shop/x', {});
  expect(json).not.toHaveProperty('result');
});
