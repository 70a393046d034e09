import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { FakeRule, FakeVersion } from '../../support/decision.ts';
import { gives } from '../../support/decision.ts';
import type { Http, Sent } from '../../support/decision-http.ts';
import { shop, startHttp } from '../../support/decision-http.ts';

const ONE = '/access/v1/evaluation';
const MANY = '/access/v1/evaluations';

const alice = { subject: { type: 'user', id: 'alice' }, action: { name: 'read' }, resource: { type: 'doc', id: '1' } };
const as = (id: string, name = 'read') => ({ ...alice, subject: { type: 'user', id }, action: { name } });

const json = (value: unknown, headers: Sent['headers'] = {}): Sent => ({
  body: typeof value === 'string' ? value : JSON.stringify(value),
  headers: { 'Content-Type': 'application/json', ...headers },
});

describe('evaluation', () => {
  test.each([
    ['alice', '{"decision":true}\n'],
    ['bob', '{"decision":true}\n'],
    ['plain', '{"decision":true}\n'],
    ['mallory', '{"decision":false,"context":{"reasons":["not yours"]}}\n'],
    ['watched', '{"decision":true,"context":{"reasons":[],"obligations":[{"id":"log"}]}}\n'],
    ['nobody', '{"decision":false}\n'],
  ])('%s is answered %s with a 200', async (id, body) => {
    const { call, audit } = await startHttp();
    const answer = await call(ONE, json(as(id)));
    expect(answer).toMatchObject({ status: 200, body });
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json',
      'verdict-decision-id': audit.records[0]?.facts.decisionId,
      'verdict-policy': 'shop@3',
      'verdict-cache': 'miss',
      'cache-control': 'private, max-age=60',
    });
    expect(audit.records[0]?.facts).toMatchObject({ wire: 'authzen.evaluation', path: ['shop', 'authz'] });
  });

  test('an evaluation that fails is a refusal that says so', async () => {
    const { call } = await startHttp();
    const answer = await call(ONE, json(as('broken')));
    expect(answer).toMatchObject({
      status: 200,
      body: '{"decision":false,"context":{"error":{"status":500,"message":"over budget"}}}\n',
    });
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  test('the input is the body as it was sent, unknown members included', async () => {
    const { call, audit } = await startHttp();
    const body =
      '{"resource":{"id":"1","type":"doc","x":1.0},\n"action":{"name":"read"},"subject":{"type":"u","id":"a"},"é":[]}';
    await call(ONE, json(body));
    expect(audit.records[0]?.input).toBe(body);
  });

  test.each([
    ['{"verdict":{"caller":"root"},', ''],
    ['{', ',"verdict":1'],
    ['{', ',"\\u0076erdict":1'],
  ])('a member verdict is dropped (%#)', async (start, end) => {
    const { call, audit } = await startHttp();
    const inner = JSON.stringify(alice).slice(1, -1);
    const answer = await call(ONE, json(`${start}${inner}${end}}`));
    expect(answer.body).toBe('{"decision":true}\n');
    expect(JSON.parse(audit.records[0]?.input ?? '')).toEqual(alice);
  });

  test('the same body again is answered from memory; another body is not', async () => {
    const { call, policy } = await startHttp();
    const cache = async (id: string) => (await call(ONE, json(as(id)))).headers['verdict-cache'];
    expect([await cache('alice'), await cache('alice'), await cache('mallory')]).toEqual(['miss', 'hit', 'miss']);
    expect(policy.evaluations('shop/authz')).toBe(2);
  });

  test('after another path came to answer AuthZEN, it answers also what was answered before', async () => {
    const { call, policy } = await startHttp();
    expect((await call(ONE, json(as('alice')))).body).toBe('{"decision":true}\n');
    policy.activate({ ...shop, authzen: 'shop/orders/allow' });
    expect((await call(ONE, json(as('alice')))).body).toBe('{"decision":false}\n');
  });

  const without = (path: string): unknown => {
    const copy = structuredClone({ ...alice, context: {} }) as { [key: string]: { [key: string]: unknown } };
    const [entity = '', member] = path.split('/');
    if (member === undefined) delete copy[entity];
    else delete copy[entity]?.[member];
    return copy;
  };

  test.each([
    ...[
      'subject',
      'subject/type',
      'subject/id',
      'action',
      'action/name',
      'resource',
      'resource/type',
      'resource/id',
    ].map((path): [unknown, string] => [without(path), `/${path}: required, and missing`]),
    [{ ...alice, subject: 'alice' }, '/subject: must be an object, is string'],
    [{ ...alice, subject: null }, '/subject: must be an object, is null'],
    [{ ...alice, action: { name: 7 } }, '/action/name: must be a string'],
    [{ ...alice, subject: { type: 'user', id: null } }, '/subject/id: must be a string'],
    [{ ...alice, resource: { type: 'doc', id: '1', properties: [] } }, '/resource/properties: must be an object'],
    [{ ...alice, context: [] }, '/context: must be an object, is array'],
    ['[]', 'not a JSON object but array'],
    ['null', 'not a JSON object but null'],
    ['', 'the body is empty'],
    ['{"subject":', 'at byte 11, in /subject'],
    ['{"subject":{"id":"bob","id":"alice"}}', 'the same member name twice'],
  ])('%j is a 400: %s', async (body, detail) => {
    const { call, audit } = await startHttp();
    const answer = await call(ONE, json(body));
    expect(answer.status).toBe(400);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect((JSON.parse(answer.body) as { detail: string }).detail).toContain(detail);
    expect(audit.records).toHaveLength(0);
  });

  test.each([
    '',
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/json; charset=utf-16',
    'application/jsonp',
  ])('the content type %j is a 400', async (type) => {
    const { call } = await startHttp();
    const headers = type === '' ? {} : { 'Content-Type': type };
    expect(await call(ONE, { body: JSON.stringify(alice), headers })).toMatchObject({ status: 400 });
  });

  test.each([
    'application/json',
    'Application/JSON',
    'application/json;charset=utf-8',
    'application/json; charset="UTF-8"',
  ])('the content type %j is taken', async (type) => {
    const { call } = await startHttp();
    expect(await call(ONE, json(alice, { 'Content-Type': type }))).toMatchObject({ status: 200 });
  });

  test('a gzip body is taken, and one that inflates past the limit is not', async () => {
    const { call } = await startHttp();
    const headers = { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' };
    const small = gzipSync(JSON.stringify(alice));
    expect(await call(ONE, { body: small, headers })).toMatchObject({ status: 200, body: '{"decision":true}\n' });
    expect(await call(ONE, { body: gzipSync(Buffer.alloc(5_000_000)), headers })).toMatchObject({ status: 400 });
  });

  test.each(['GET', 'PUT', 'DELETE'])('%s is a 405', async (method) => {
    const { call } = await startHttp();
    expect(await call(ONE, { method })).toMatchObject({ status: 405, headers: { allow: 'POST' } });
  });

  test('X-Request-ID comes back when it is safe, on refusals too', async () => {
    const { call } = await startHttp();
    const echoed = async (id: string, body: unknown = alice) =>
      (await call(ONE, json(body, { 'X-Request-ID': id }))).headers['x-request-id'];
    expect(await echoed('bfe9eb29-ab87-4ca3-be83-a1d5d8305716')).toBe('bfe9eb29-ab87-4ca3-be83-a1d5d8305716');
    expect(await echoed('r1', {})).toBe('r1');
    expect(await echoed('x'.repeat(256))).toBe('x'.repeat(256));
    for (const unsafe of ['x'.repeat(257), 'a b', 'caf\u00e9', 'a\tb']) expect(await echoed(unsafe)).toBeUndefined();
    expect((await call(ONE, json(alice))).headers['x-request-id']).toBeUndefined();
  });

  test('a decision that could not be recorded is a 500, and not a decision', async () => {
    const { call, audit } = await startHttp();
    audit.state.failing = true;
    const answer = await call(ONE, json(alice));
    expect(answer.status).toBe(500);
    expect(JSON.parse(answer.body)).not.toHaveProperty('decision');
  });

  test('a bundle in the path is asked; one that is not there is a 404, with nothing active a 500', async () => {
    const { call, policy } = await startHttp();
    expect(await call(`/shop${ONE}`, json(alice))).toMatchObject({ status: 200, body: '{"decision":true}\n' });
    expect(await call(`/todo${ONE}`, json(alice))).toMatchObject({ status: 404 });
    expect(await call(`/constructor${ONE}`, json(alice))).toMatchObject({ status: 404 });
    policy.activate({ name: 'shop', rules: {} });
    expect(await call(ONE, json(alice))).toMatchObject({ status: 404 });
    policy.remove('shop');
    expect(await call(ONE, json(alice))).toMatchObject({ status: 500 });
  });
});

describe('who answers', () => {
  const detail = async ({ call }: Http, path: string, headers: Sent['headers'] = {}): Promise<string> => {
    const { status, body } = await call(path, json(alice, headers));
    expect(status).toBe(404);
    return (JSON.parse(body) as { readonly detail: string }).detail;
  };
  const answering = (name: string): FakeVersion => ({
    name,
    authzen: `${name}/allow`,
    rules: { [`${name}/allow`]: gives('true') },
  });

  test('a bundle that is not active is told apart from one that is and does not answer', async () => {
    const http = await startHttp();
    http.policy.activate({ name: 'silent', rules: { 'silent/other': gives('true') } }, answering('cart'));
    expect(await detail(http, `/crat${ONE}`)).toBe(
      'no bundle crat is active that could answer AuthZEN (cart, shop do)',
    );
    expect(await detail(http, `/silent${MANY}`)).toBe(
      'the bundle silent is active, but does not answer AuthZEN: it serves no rule whose METADATA has ' +
        'custom.authzen: {evaluation: true}, nor a rule allow under its only root (cart, shop do)',
    );
  });

  test('without a name in the path, with none that answers, and with one', async () => {
    const http = await startHttp();
    http.policy.activate({ name: 'shop', rules: {} });
    expect(await detail(http, ONE)).toBe(
      'no active bundle is named to answer AuthZEN without a name in the path: ask under /{bundle}/access/v1/ ' +
        '(no active bundle does), or set authzen.bundle',
    );
    http.policy.activate(answering('cart'));
    expect(await detail(http, `/shop${ONE}`)).toMatch(/ \(cart does\)$/);
  });

  test('of many bundles ten are named, of those that a token is not for none', async () => {
    const tokens = {
      vdt_t: { kind: 'token', name: 't', roles: ['ask'], bundles: ['b07', 'b11', 'none'] },
    } as const;
    const http = await startHttp({ tokens });
    const names = Array.from({ length: 12 }, (_, index) => `b${String(index).padStart(2, '0')}`);
    http.policy.activate(...names.map(answering));
    expect(await detail(http, `/none${ONE}`)).toMatch(/ \(b00, b01, .*, b09 and 3 more do\)$/);
    expect(await detail(http, `/none${ONE}`, { Authorization: 'Bearer vdt_t' })).toMatch(/ \(b07, b11 do\)$/);
  });
});

describe('evaluations', () => {
  const items = (...ids: readonly string[]) => ids.map((id) => ({ subject: { type: 'user', id } }));

  test('evaluations together have a budget, beyond which items are refused and say so', async () => {
    // An evaluation of this rule uses 17 points.
    const { call } = await startHttp({ limits: { batchInstructions: 17 } });
    const answer = await call(MANY, json({ ...alice, evaluations: items('alice', 'bob', 'alice') }));
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual({
      evaluations: [
        { decision: true },
        { decision: false, context: { error: { status: 500, message: expect.stringMatching(/^the batch used up/) } } },
        { decision: true },
      ],
    });
  });

  test('each item is exactly its decision, in the order asked', async () => {
    const { call, audit } = await startHttp();
    const answer = await call(MANY, json({ ...alice, evaluations: items('alice', 'mallory', 'nobody', 'bob') }));
    expect(answer).toMatchObject({
      status: 200,
      body: '{"evaluations":[{"decision":true},{"decision":false},{"decision":false},{"decision":true}]}\n',
    });
    const ids = audit.records.map(({ facts }) => facts.decisionId);
    expect(ids).toHaveLength(4);
    expect(answer.headers['verdict-decision-id']).toBe(ids.join(', '));
    expect(audit.records.every(({ facts }) => facts.wire === 'authzen.evaluations')).toBe(true);
  });

  test('an entity of an item replaces the default whole; what it leaves out comes from the defaults', async () => {
    const { call, audit } = await startHttp();
    const defaults = {
      subject: { type: 'user', id: 'bob', properties: { role: 'admin' } },
      action: { name: 'read' },
      context: { at: 1 },
      unknown: 'top',
    };
    const evaluations = [
      { resource: { type: 'doc', id: '1' } },
      { resource: { type: 'doc', id: '2' }, subject: { type: 'user', id: 'bob' }, extra: [1.0] },
      { resource: { type: 'doc', id: '3' }, context: {}, verdict: 'mine', action: { name: 'write' } },
    ];
    const body = JSON.stringify({ ...defaults, evaluations }).replace('[1]', '[1.0]');
    await call(MANY, json(body));
    expect(audit.records.map(({ input }) => JSON.parse(input ?? ''))).toEqual([
      { resource: { type: 'doc', id: '1' }, subject: defaults.subject, action: { name: 'read' }, context: { at: 1 } },
      {
        resource: { type: 'doc', id: '2' },
        subject: { type: 'user', id: 'bob' },
        extra: [1],
        action: { name: 'read' },
        context: { at: 1 },
      },
      {
        resource: { type: 'doc', id: '3' },
        context: {},
        action: { name: 'write' },
        subject: defaults.subject,
      },
    ]);
    expect(audit.records[1]?.input).toContain('[1.0]');
  });

  test('an empty default entity is no default: items that bring their own are complete', async () => {
    const { call } = await startHttp();
    const body = {
      subject: alice.subject,
      action: alice.action,
      resource: {},
      evaluations: [{ resource: alice.resource }],
    };
    expect(await call(MANY, json(body))).toMatchObject({ status: 200, body: '{"evaluations":[{"decision":true}]}\n' });
  });

  test('an item that is not complete is refused by itself', async () => {
    const { call } = await startHttp();
    const body = {
      ...alice,
      resource: undefined,
      evaluations: [{ resource: alice.resource }, {}, 7, { resource: { id: 1 } }],
    };
    const answer = await call(MANY, json(body));
    expect(answer.status).toBe(200);
    const error = (message: string) => ({ decision: false, context: { error: { status: 400, message } } });
    expect(JSON.parse(answer.body)).toEqual({
      evaluations: [
        { decision: true },
        error('/resource: required, and missing'),
        error('/evaluations/2: must be an object'),
        error('/evaluations/3/resource/type: required, and missing'),
      ],
    });
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  test('an evaluation that fails carries its error, and the others their answers', async () => {
    const { call } = await startHttp();
    const answer = await call(MANY, json({ ...alice, evaluations: items('broken', 'alice') }));
    expect(JSON.parse(answer.body)).toEqual({
      evaluations: [
        { decision: false, context: { error: { status: 500, message: 'over budget' } } },
        { decision: true },
      ],
    });
  });

  test('when nothing could be recorded the whole is a 500', async () => {
    const { call, audit } = await startHttp();
    audit.state.failing = true;
    expect(await call(MANY, json({ ...alice, evaluations: items('alice', 'bob') }))).toMatchObject({ status: 500 });
  });

  test.each([[undefined], [[]]])('evaluations of %j stand for a single evaluation', async (evaluations) => {
    const { call, audit } = await startHttp();
    const answer = await call(MANY, json({ ...as('mallory'), evaluations, options: {}, verdict: 1 }));
    expect(answer).toMatchObject({ status: 200, body: '{"decision":false,"context":{"reasons":["not yours"]}}\n' });
    expect(JSON.parse(audit.records[0]?.input ?? '')).toEqual(as('mallory'));
    expect(await call(MANY, json({ subject: alice.subject, evaluations }))).toMatchObject({ status: 400 });
  });

  test('the decisions of one batch have its id in common, those of another have another', async () => {
    const { call, audit } = await startHttp();
    const batch = json({ ...alice, evaluations: [{}, {}] });
    await call(MANY, batch);
    await call(MANY, batch);
    const ids = audit.records.map(({ facts }) => facts.batchId);
    expect(ids[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(ids).toEqual([ids[0], ids[0], ids[2], ids[2]]);
    expect(ids[2]).not.toBe(ids[0]);
  });

  test.each([
    ['execute_all', ['alice', 'mallory', 'alice'], [true, false, true]],
    ['deny_on_first_deny', ['alice', 'bob', 'mallory', 'alice'], [true, true, false]],
    ['deny_on_first_deny', ['broken', 'alice'], [false]],
    ['deny_on_first_deny', ['alice', 'bob'], [true, true]],
    ['permit_on_first_permit', ['mallory', 'nobody', 'alice', 'bob'], [false, false, true]],
    ['permit_on_first_permit', ['mallory', 'nobody'], [false, false]],
  ])('%s over %j', async (semantic, ids, decisions) => {
    const { call, audit } = await startHttp();
    const options = { evaluations_semantic: semantic, unknown: 1 };
    const answer = await call(MANY, json({ ...alice, options, evaluations: items(...ids) }));
    const { evaluations } = JSON.parse(answer.body) as { evaluations: { decision: boolean }[] };
    expect(evaluations.map(({ decision }) => decision)).toEqual(decisions);
    expect(audit.records).toHaveLength(decisions.length);
  });

  test.each([
    [{ options: { evaluations_semantic: 'first' } }, '/options/evaluations_semantic: must be one of execute_all'],
    [{ options: { evaluations_semantic: 'toString' } }, '/options/evaluations_semantic'],
    [{ options: { evaluations_semantic: 7 } }, '/options/evaluations_semantic'],
    [{ options: [] }, '/options: must be an object, is array'],
    [{ evaluations: {} }, '/evaluations: must be an array'],
    [{ evaluations: null }, '/evaluations: must be an array'],
  ])('%j is a 400', async (more, detail) => {
    const { call } = await startHttp();
    const answer = await call(MANY, json({ ...alice, evaluations: items('alice'), ...more }));
    expect(answer.status).toBe(400);
    expect((JSON.parse(answer.body) as { detail: string }).detail).toContain(detail);
  });

  test.each([
    ['execute_all', [true, true]],
    ['permit_on_first_permit', [false, true]],
    ['deny_on_first_deny', [true, false]],
  ])('%s: an activation between two items does not mix versions', async (semantic, expected) => {
    const { call, policy } = await startHttp();
    const version = (number: number, answers: FakeRule) => ({
      name: 'swap',
      version: number,
      authzen: 'swap/allow',
      rules: { 'swap/allow': answers },
    });
    const [first, second] = expected.map(String);
    let asked = 0;
    const old: FakeRule = (facts) => {
      asked += 1;
      if (asked === 1) policy.activate(version(2, gives(String(first))));
      return gives(String(asked === 1 ? first : second))(facts);
    };
    policy.activate(version(1, old));
    const body = { ...alice, options: { evaluations_semantic: semantic }, evaluations: [{ n: 1 }, { n: 2 }] };
    const answer = await call(`/swap${MANY}`, json(body));
    expect(JSON.parse(answer.body)).toEqual({ evaluations: expected.map((decision) => ({ decision })) });
    expect(answer.headers['verdict-policy']).toBe('swap@1');
    expect(asked).toBe(2);
  });

  test('a batch of costly items lets other requests in between', async () => {
    const { call, policy } = await startHttp();
    const seen: boolean[] = [];
    let othersHadTheirTurn = false;
    const costly: FakeRule = (facts) => {
      seen.push(othersHadTheirTurn);
      setImmediate(() => {
        othersHadTheirTurn = true;
      });
      const until = performance.now() + 100;
      while (performance.now() < until);
      return gives('true')(facts);
    };
    policy.activate({ name: 'costly', authzen: 'costly/allow', rules: { 'costly/allow': costly } });
    const answer = await call(`/costly${MANY}`, json({ ...alice, evaluations: [{ n: 1 }, { n: 2 }] }));
    expect(JSON.parse(answer.body)).toEqual({ evaluations: [{ decision: true }, { decision: true }] });
    expect(seen).toEqual([false, true]);
  });

  test('1,000 items are taken, one more is not, and so is not more input than the batch may have', async () => {
    const { call, audit } = await startHttp();
    const many = (count: number): unknown[] =>
      Array.from({ length: count }, (_, n) => ({ resource: { type: 'doc', id: `${n}` } }));
    const answer = await call(MANY, json({ ...alice, evaluations: many(1_000) }));
    expect(answer.status).toBe(200);
    expect((JSON.parse(answer.body) as { evaluations: unknown[] }).evaluations).toHaveLength(1_000);
    expect(answer.headers['verdict-decision-id']).toBeUndefined();
    expect(audit.records).toHaveLength(1_000);
    expect(await call(MANY, json({ ...alice, evaluations: many(1_001) }))).toMatchObject({ status: 400 });
    const large = { ...alice, context: { text: 'x'.repeat(500_000) }, evaluations: many(100) };
    expect(await call(MANY, json(large))).toMatchObject({ status: 400 });
    expect(audit.records).toHaveLength(1_000);
  });

  test('brackets, commas and quotes inside strings do not split items', async () => {
    const { call, audit } = await startHttp();
    const odd = ['],[', '","', '\\"', '{}', 'a\\\\', '[['];
    const evaluations = odd.map((id) => ({ resource: { type: 'doc', id } }));
    const body = JSON.stringify({ ...alice, evaluations }, null, 3);
    await call(MANY, json(body));
    const ids = audit.records.map(({ input }) => (JSON.parse(input ?? '') as typeof alice).resource.id);
    expect(ids).toEqual(odd);
  });

  test('items are answered from memory one by one, and the whole says the worst of them', async () => {
    const { call, policy } = await startHttp();
    const cache = async (...ids: string[]) =>
      (await call(MANY, json({ ...alice, evaluations: items(...ids) }))).headers['verdict-cache'];
    expect(await cache('alice', 'bob')).toBe('miss');
    expect(await cache('bob', 'alice')).toBe('hit');
    expect(await cache('bob', 'mallory')).toBe('miss');
    expect(await cache('bob', 'broken')).toBe('uncacheable');
    expect(policy.evaluations('shop/authz')).toBe(4);
  });

  test('one bundle is asked under its name', async () => {
    const { call } = await startHttp();
    const answer = await call(`/shop${MANY}`, json({ ...alice, evaluations: items('bob') }));
    expect(answer).toMatchObject({ status: 200, body: '{"evaluations":[{"decision":true}]}\n' });
  });
});
