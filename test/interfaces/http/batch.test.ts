import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { fails, gives } from '../../support/decision.ts';
import { shop, startHttp } from '../../support/decision-http.ts';

const BATCH = '/v1/batch/data/shop/orders/echo';

type Body = {
  readonly batch_decision_id: string;
  readonly responses?: { readonly [id: string]: { readonly [member: string]: unknown } };
  readonly warning?: { readonly code: string; readonly message: string };
};

const post = async (body: unknown, path = BATCH, options: Parameters<typeof startHttp>[0] = {}) => {
  const http = await startHttp(options);
  const answer = await http.call(path, { body: typeof body === 'string' ? body : JSON.stringify(body) });
  return { ...http, answer, json: JSON.parse(answer.body) as Body };
};

describe('POST /v1/batch/data, in the shape of Enterprise OPA', () => {
  test('every input is a question of its own, and its answer has its name', async () => {
    const { answer, json, audit } = await post({ inputs: { a: { user: 'u1' }, b: { user: 'u2' } } });
    expect(answer.status).toBe(200);
    expect(json.responses).toMatchObject({ a: { result: { user: 'u1' } }, b: { result: { user: 'u2' } } });
    expect(audit.records.map(({ facts }) => facts.decisionId)).toEqual(
      Object.values(json.responses ?? {}).map((one) => one.decision_id),
    );
    for (const { facts } of audit.records) {
      expect(facts).toMatchObject({ wire: 'opa.batch', batchId: json.batch_decision_id });
    }
    expect(answer.headers).toMatchObject({ 'verdict-cache': 'miss', 'verdict-policy': 'shop@3' });
  });

  test('what inputs have in common is put under them, object by object', async () => {
    const common_input = { a: { x: 1, y: 2 }, b: 1 };
    const { json } = await post({ common_input, inputs: { one: { a: { y: 3 } }, two: [1], three: null } });
    expect(json.responses).toMatchObject({
      one: { result: { a: { x: 1, y: 3 }, b: 1 } },
      two: { result: [1] },
      three: { result: null },
    });
  });

  test('an undefined answer is one without a result', async () => {
    const { answer, json } = await post({ inputs: { a: {} } }, '/v1/batch/data/shop/orders/undef');
    expect(answer.status).toBe(200);
    expect(Object.keys(json.responses?.a ?? {})).toEqual(['decision_id']);
  });

  const failing = (input: string | undefined) => input?.includes('bad');
  const rules = {
    'shop/orders/echo': (asked: Parameters<ReturnType<typeof gives>>[0]) =>
      (failing(asked.input) ? fails('conflict', 'two values') : gives('true'))(asked),
  };

  test('mixed results are a 207, and each names its status', async () => {
    const { call, policy } = await startHttp();
    policy.activate({ ...shop, rules });
    const answer = await call(BATCH, { body: '{"inputs":{"a":{},"b":{"bad":1}}}' });
    expect(answer.status).toBe(207);
    expect((JSON.parse(answer.body) as Body).responses).toMatchObject({
      a: { result: true, http_status_code: '200' },
      b: {
        code: 'internal_error',
        errors: [{ code: 'eval_conflict_error', message: 'two values' }],
        http_status_code: '500',
        decision_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      },
    });
    expect(answer.headers).toMatchObject({ 'cache-control': 'no-store' });
  });

  test('when every question failed, so did the batch', async () => {
    const { call, policy } = await startHttp();
    policy.activate({ ...shop, rules });
    const answer = await call(BATCH, { body: '{"inputs":{"a":{"bad":1},"b":{"bad":2}}}' });
    expect(answer.status).toBe(500);
    expect(answer.body).not.toContain('http_status_code');
  });

  test.each(['', 'null', '{}', '{"inputs":null}', '{"common_input":{}}'])(
    'the body %j asks nothing, and is told so',
    async (body) => {
      const { answer, json, audit } = await post(body);
      expect(answer.status).toBe(200);
      expect(json.warning).toEqual({ code: 'api_usage_warning', message: "'inputs' key missing from the request" });
      expect(json.responses).toBeUndefined();
      expect(audit.records).toEqual([]);
    },
  );

  test('no inputs are no answers', async () => {
    const { json } = await post({ inputs: {} });
    expect(Object.keys(json)).toEqual(['batch_decision_id']);
  });

  test('provenance and pretty answers are had as for one question', async () => {
    const { answer, json } = await post({ inputs: { a: {} } }, `${BATCH}?provenance&pretty`);
    expect(json.responses?.a).toMatchObject({ provenance: { bundles: { shop: { revision: 'r42' } } } });
    expect(answer.body).toMatch(/^\{\n {2}"responses"/);
  });

  test('a compressed body is read, and equal questions are answered from memory', async () => {
    const { call, policy } = await startHttp();
    const body = gzipSync('{"inputs":{"a":{"x":1},"b":{"x":1}}}');
    for (let times = 0; times < 3; times++) await call(BATCH, { body, headers: { 'Content-Encoding': 'gzip' } });
    expect(policy.evaluations('shop/orders/echo')).toBe(1);
  });

  test.each([
    ['[]', 'an object, not this array'],
    ['{"inputs":[]}', '/inputs: an object, not this array'],
    ['{"Inputs":{}}', 'the member inputs in another case'],
    ['{"inputs":{"a":{"b":}}}', 'in /inputs/a/b'],
    ['{"inputs":{"a":1,"a":2}}', 'the same member name twice'],
    ['{"inputs":{"a":{"verdict":1}}}', 'a member named verdict'],
    ['{"common_input":{"verdict":1},"inputs":{"a":{}}}', 'a member named verdict'],
    ['{"inputs":{"a":1,"b":2,"c":3}}', '/inputs: 3 items, at most 2 are taken'],
    ['{"common_input":{"x":"0123456789"},"inputs":{"a":{},"b":{}}}', 'inputs of more than 30 bytes together'],
  ])('the body %s is refused with its place', async (body, message) => {
    const { answer, audit } = await post(body, BATCH, { limits: { batchItems: 2, batchBytes: 30 } });
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body)).toMatchObject({
      code: 'invalid_parameter',
      message: expect.stringContaining(message),
    });
    expect(audit.records).toEqual([]);
  });

  test('evaluations together have a budget: what comes after it fails, what is remembered is answered', async () => {
    // An evaluation of these rules uses 17 points.
    const http = await startHttp({ limits: { batchInstructions: 30 } });
    const ask = async (...users: readonly number[]) => {
      const inputs = Object.fromEntries(users.map((user) => [`u${user}`, { user }]));
      const { status, body } = await http.call(BATCH, { body: JSON.stringify({ inputs }) });
      return { status, ...(JSON.parse(body) as Body) };
    };
    const first = await ask(1, 2, 3, 4);
    expect(first.status).toBe(207);
    expect(first.responses).toMatchObject({
      u1: { result: { user: 1 } },
      u2: { result: { user: 2 } },
      u3: {
        http_status_code: '500',
        errors: [{ code: 'eval_cancel_error', message: expect.stringMatching(/^the batch used up the 30 points/) }],
      },
      u4: { http_status_code: '500' },
    });
    expect(http.audit.records.map(({ facts }) => facts.error?.code)).toEqual([
      undefined,
      undefined,
      'budget_exceeded',
      'budget_exceeded',
    ]);
    expect(http.audit.records[2]?.facts.policies).toMatchObject([{ name: 'shop' }]);
    // The next batch has a budget of its own, and nothing that failed was remembered.
    const second = await ask(1, 2, 3, 4);
    expect(second).toMatchObject({
      status: 200,
      responses: { u3: { result: { user: 3 } }, u4: { result: { user: 4 } } },
    });
  });

  test('only POST is taken', async () => {
    const { call } = await startHttp();
    expect(await call(BATCH)).toMatchObject({ status: 405, headers: { allow: 'POST' } });
  });
});
