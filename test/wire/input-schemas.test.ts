import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { archiveOf } from '../policy/archives.ts';
import { callDecide, callDecideBatch, clientFor, json, resultOf } from '../support/decision-grpc.ts';
import { readLog } from '../support/log-reader.mjs';
import { type Pdp, startPdp } from '../support/pdp.ts';

const shop = {
  'shop.rego': [
    'package shop\n',
    '# METADATA\n# entrypoint: true\n# schemas:\n#   - input: schema.request\n# custom:\n#   authzen: {evaluation: true}',
    'allow if input.subject.id == "ann"\n',
    '# METADATA\n# entrypoint: true\nfree := true\n',
    '# METADATA\n# entrypoint: true\n# schemas:\n#   - input: {type: object, required: [z]}\nzone := input.z\n',
    '# METADATA\n# entrypoint: true\n# schemas:\n#   - input: schema.marks\nmarks := true\n',
  ].join('\n'),
  'schemas/marks.json': JSON.stringify({
    type: 'object',
    properties: { '\\': { type: 'string' }, '"': { type: 'number' } },
  }),
  'schemas/request.json': JSON.stringify({
    type: 'object',
    required: ['subject'],
    properties: {
      subject: {
        type: 'object',
        required: ['type', 'id'],
        properties: { id: { type: 'string', pattern: '^[a-z]+$' } },
      },
    },
  }),
};

let pdp: Pdp;

beforeAll(async () => {
  pdp = await startPdp({ sets: ['policy.defaultDecision=/shop/allow'] });
  const pushed = await pdp.admin('PUT', '/v1/bundles/shop?activate=true', await archiveOf(shop));
  expect(pushed.status).toBe(201);
});

afterAll(() => pdp.stop());

const wrong = { subject: { type: 'user', id: 'secret-7' } };
const right = { subject: { type: 'user', id: 'ann' } };
const said = 'the input is not what shop/allow takes: /subject/id must match pattern "^[a-z]+$"';

test.each([
  ['/v1/data/shop/allow', { input: wrong }],
  ['/v0/data/shop/allow', wrong],
  ['/', wrong],
])('%s refuses with OPA’s 400 and its pointer, and decides what the schema takes', async (where, body) => {
  const answer = await pdp.ask(where, body);
  expect(answer.status).toBe(400);
  expect(answer.json).toEqual({ code: 'invalid_parameter', message: said });
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect((await pdp.ask(where, 'input' in body ? { input: right } : right)).status).toBe(200);
});

test('an input that is not there is what the schema says of nothing', async () => {
  const answer = await pdp.ask('/v1/data/shop/allow', '');
  expect(answer.json).toMatchObject({
    message:
      'the input is not what shop/allow takes: there is none (the Data API takes it from the member "input" of the body)',
  });
});

test('an entrypoint without a schema takes anything', async () => {
  expect((await pdp.ask('/v1/data/shop/free', { input: 5 })).json).toMatchObject({ result: true });
});

test('members whose names are escaped are checked as what they are, whatever came before', async () => {
  const asked = (input: object) => pdp.ask('/v1/data/shop/marks', { input });
  expect((await asked({ x: 1, '\\': 's', a: 2 })).status).toBe(200);
  expect((await asked({ x: 1, '"': 5, a: 2 })).status).toBe(200);
  expect((await asked({ x: 1, '"': 's', a: 2 })).json).toMatchObject({ message: expect.stringContaining('/"') });
});

test('a path above several entrypoints asks for what each takes, in order of path', async () => {
  const asked = async (input: unknown) => (await pdp.ask('/v1/data/shop', { input })).json;
  expect(await asked({})).toMatchObject({ message: expect.stringContaining('shop/allow takes: /subject is missing') });
  expect(await asked(right)).toMatchObject({ message: expect.stringContaining('shop/zone takes: /z is missing') });
  expect(await asked({ ...right, z: 1 })).toMatchObject({ result: { allow: true, free: true, zone: 1 } });
});

const question = (id: string) => ({
  subject: { type: 'user', id },
  action: { name: 'a' },
  resource: { type: 'b', id: '1' },
});

test('AuthZEN answers 400 for one question, and beside each item of a batch', async () => {
  const one = await pdp.ask('/access/v1/evaluation', question('secret-7'));
  expect(one.status).toBe(400);
  expect(one.json).toMatchObject({ code: 'input_invalid', detail: said });
  const { subject: _, ...rest } = question('x');
  const batch = { ...rest, evaluations: [question('ann'), question('secret-7')].map(({ subject }) => ({ subject })) };
  const all = await pdp.ask('/access/v1/evaluations', batch);
  expect(all.status).toBe(200);
  const refused = { decision: false, context: { error: { status: 400, message: said } } };
  expect(all.json).toEqual({ evaluations: [{ decision: true }, refused] });
  const none = { ...rest, evaluations: [{ subject: question('secret-7').subject }] };
  expect((await pdp.ask('/access/v1/evaluations', none)).json).toEqual({ evaluations: [refused] });
});

test('gRPC answers a failed verdict with the code and the pointer, and each item of a batch has its own', async () => {
  const client = clientFor(pdp.urls.grpc ?? '');
  const asked = (input: unknown) => ({ path: 'shop/allow', input: json(JSON.stringify(input)) });
  const failed = { verdict: { case: 'failed', value: { code: 'input_invalid', message: said } } };
  expect((await callDecide(client, asked(wrong))).decision).toMatchObject(failed);
  expect(resultOf((await callDecide(client, asked(right))).decision)).toBe('true');
  const variants = [right, wrong].map((input) => json(JSON.stringify(input)));
  const { decisions } = await callDecideBatch(client, {
    path: 'shop/allow',
    questions: { case: 'variants', value: { variants } },
  });
  expect(resultOf(decisions[0])).toBe('true');
  expect(decisions[1]).toMatchObject(failed);
});

test('a refusal is in the log with its code, its policy and what was asked', async () => {
  const answer = await pdp.ask('/v1/data/shop/allow', { input: wrong });
  const id = answer.headers.get('verdict-decision-id');
  const { records } = readLog(path.join(pdp.dir, 'storage', 'audit'));
  const { record } = records.find((found) => found.record.decision_id === id)!;
  expect(record).toMatchObject({ path: 'shop/allow', input: wrong, error: { code: 'input_invalid', message: said } });
  expect(record.bundles).toHaveProperty('shop');
});

test('an answer that was found once is not given to an input that the schema does not take', async () => {
  for (let times = 0; times < 3; times++) await pdp.ask('/v1/data/shop/allow', { input: right });
  for (let times = 0; times < 3; times++) {
    expect((await pdp.ask('/v1/data/shop/allow', { input: wrong })).status).toBe(400);
  }
});

test('a push with a schema that does not compile is refused with the place', async () => {
  const archive = await archiveOf({ ...shop, 'schemas/request.json': '{"properties": {"a": {"type": "strng"}}}' });
  const refused = await pdp.admin('PUT', '/v1/bundles/shop', archive);
  expect(refused.status).toBe(422);
  expect(refused.json).toMatchObject({ code: 'SCHEMA_INVALID', problems: [{ file: 'schemas/request.json' }] });
  expect((refused.json as { detail: string }).detail).toContain('/properties/a/type');
});
