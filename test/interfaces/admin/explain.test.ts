import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createExplain } from '../../../src/policy/index.ts';
import { cli } from '../../cli/run.ts';
import { type Pdp, startPdp } from '../../support/pdp.ts';

const shop = `package shop

default allow := false

allow if {
	input.user == data.shop.owner
	input.amount < 12345678901234567890
	data.rates.open
}

echo := input.amount
`;

const hours = `package hours

# METADATA
# schemas:
#   - input: {type: object, required: [user], properties: {user: {type: string}, secret: {}}}
open if {
	input.user == "alice"
	time.now_ns() < 1
}

chance := rand.intn("x", 1000000000)

tell if input.secret == "s"
`;

let folder: string;
let pdp: Pdp;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'verdict-explain-'));
  const write = (name: string, files: { readonly [file: string]: string }): string => {
    mkdirSync(path.join(folder, name));
    for (const [file, text] of Object.entries(files)) writeFileSync(path.join(folder, name, file), text);
    return path.join(folder, name);
  };
  pdp = await startPdp({
    bundles: {
      rates: write('rates', { 'rates.rego': 'package rates\n\nopen if input.user != "mallory"\n' }),
      shop: write('shop', { 'shop.rego': shop, 'data.json': '{"shop":{"owner":"alice"}}' }),
      both: write('both', {
        'both.rego': 'package both\n\nv := "fixed"\n\nv := input.token\n\nsize := units.parse_bytes(input.size)\n',
      }),
      hours: write('hours', { 'hours.rego': hours }),
    },
    sets: ['audit.mask.drop=["/input/secret"]'],
  });
});
afterAll(async () => {
  await pdp?.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Explained {
  readonly result?: unknown;
  readonly trace: string;
  readonly steps?: unknown;
  readonly policy: { readonly name: string; readonly version: number };
}

const explain = async (body: unknown) => {
  const { status, json, text } = await pdp.admin('POST', '/v1/explain', body);
  return { status, text, ...(json as Explained & { readonly detail: string; readonly code: string }) };
};

test('an answer of what is active is explained, as far as it is asked', async () => {
  const input = { user: 'bob', amount: 1 };
  const fails = await explain({ path: 'shop/allow', input, explain: 'fails' });
  expect(fails).toMatchObject({ status: 200, result: false, policy: { name: 'shop', version: 1 } });
  expect(fails.trace).toMatch(/shop\.rego:6 +\| \| Fail input\.user = /);
  expect(fails.trace).not.toContain('Eval');
  expect((await explain({ path: '/shop/allow/', input })).trace).toContain('Eval');
});

test('rules of linked bundles are followed too', async () => {
  const { result, trace } = await explain({ path: 'shop/allow', input: { user: 'alice', amount: 1 } });
  expect(result).toBe(true);
  expect(trace).toContain('Enter data.rates.open');
});

test('numbers keep their digits, and an absent input is undefined', async () => {
  const token = { authorization: `Bearer ${pdp.token}`, 'content-type': 'application/json' };
  const body = '{"path":"shop/echo","input":{"amount":12345678901234567890.50}}';
  const answer = await fetch(`${pdp.urls.admin}/v1/explain`, { method: 'POST', headers: token, body });
  expect(await answer.text()).toMatch(/^\{"result":12345678901234567890\.50?,/);
  expect(await explain({ path: 'shop/echo' })).not.toHaveProperty('result');
});

test('nothing is decided or recorded by it', async () => {
  const before = (await pdp.admin('GET', '/v1/decisions')).json as { decisions: unknown[] };
  await explain({ path: 'shop/allow' });
  expect((await pdp.admin('GET', '/v1/decisions')).json).toMatchObject({ decisions: before.decisions });
});

test.each([
  ['shop/nowhere', 'no active version'],
  ['shop/owner', 'data'],
  ['nowhere', 'no active version'],
])('what no rule answers is not explained: %s', async (where, why) => {
  const { status, code, detail } = await explain({ path: where });
  expect({ status, code }).toEqual({ status: 422, code: 'EXPLAIN_IMPOSSIBLE' });
  expect(detail).toContain(why);
});

test('an opaque version says why it cannot be explained', async () => {
  const version = { name: 'shop', version: 4, opaque: true, links: [] };
  const current = { resolve: () => ({ kind: 'rule', target: { version } }) };
  const one = createExplain({ policy: { current } as never, toolchain: {} as never });
  const question = { path: ['shop', 'allow'], strictErrors: false, level: 'full', checkBundle: () => {} } as const;
  await expect(one(question)).rejects.toMatchObject({
    code: 'EXPLAIN_IMPOSSIBLE',
    message: expect.stringContaining('shop@4 is opaque'),
  });
});

test.each([
  [{}, 'path'],
  [{ path: '/' }, 'path'],
  [{ path: 'shop/allow', explain: 'all' }, 'explain'],
  [{ path: 'shop/allow', strictBuiltinErrors: 1 }, 'strictBuiltinErrors'],
  [{ path: 'shop/allow', colour: 'red' }, 'members'],
  [[], 'object'],
])('a body that is not what it takes is refused: %j', async (body, name) => {
  const { status, detail } = await explain(body);
  expect(status).toBe(400);
  expect(detail).toContain(name);
});

test('a token explains bundles that it holds for, linked ones included', async () => {
  const made = await pdp.admin('POST', '/v1/tokens', { name: 'one', roles: ['author'], bundles: ['shop'] });
  const { secret } = made.json as { secret: string };
  const answer = await fetch(`${pdp.urls.admin}/v1/explain`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body: '{"path":"shop/allow"}',
  });
  expect(answer.status).toBe(403);
});

test('the command explains what a server would answer', async () => {
  const argv = ['eval', 'data.shop.allow', '--server', pdp.urls.admin, '--input', '-', '--explain', 'fails'];
  const { code, stdout, stderr } = await cli(argv, {
    stdin: '{"user": "bob", "amount": 1}',
    env: { VERDICT_TOKEN: pdp.token },
  });
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'false\n' });
  expect(stderr).toMatch(/Fail input\.user = /);
});

test('the steps say what each rule stopped at, and with which values', async () => {
  const { steps, trace } = await explain({ path: 'shop/allow', input: { user: 'bob', amount: 1 }, explain: 'steps' });
  expect(trace).toBeUndefined();
  expect(steps).toMatchObject([
    {
      rule: 'data.shop.allow',
      held: false,
      file: 'shop.rego',
      row: 5,
      steps: [
        {
          text: 'input.user == data.shop.owner',
          row: 6,
          values: [{ name: 'input.user', value: '"bob"' }, { value: '"alice"' }],
        },
      ],
    },
    { rule: 'data.shop.allow', default: true, held: true },
  ]);
});

test('an input that the schema of a rule refuses is explained by it: no rule is asked', async () => {
  const found = await explain({ path: 'hours/open', input: { user: 7 } });
  expect(found).toMatchObject({ status: 200, refused: expect.stringContaining('/user') });
  expect(found).not.toHaveProperty('result');
  const argv = ['eval', 'hours/open', '--server', pdp.urls.admin, '--input', '-', '--explain', 'steps'];
  const { code, stderr } = await cli(argv, { stdin: '{"user": 7}', env: { VERDICT_TOKEN: pdp.token } });
  expect({ code, told: stderr.includes('no rule is asked') }).toEqual({ code: 1, told: true });
});

const idOf = async (where: string, input: unknown): Promise<string> => {
  const { headers } = await pdp.ask(`/v1/data/${where}`, { input });
  return headers.get('verdict-decision-id') ?? '';
};

const why = async (id: string) => (await pdp.admin('GET', `/v1/decisions/${id}/explain`)).json;

test('a recorded decision is explained by what it was made from', async () => {
  const id = await idOf('shop/allow', { user: 'bob', amount: 12 });
  expect(await why(id)).toMatchObject({
    decision_id: id,
    path: 'shop/allow',
    result: false,
    same: true,
    steps: [{}, {}],
  });
  expect(await why(await idOf('shop/echo', { amount: 2 }))).toMatchObject({ result: 2, same: true });
  expect(await why(await idOf('shop/echo', {}))).toMatchObject({ same: true, steps: [{ held: false }] });
});

test('chance and the clock are those of the record', async () => {
  expect(await why(await idOf('hours/chance', {}))).toMatchObject({ same: true });
  expect(await why(await idOf('hours/open', { user: 'alice' }))).toMatchObject({ same: true });
});

test('what a rule can read has to be in the record, and what it cannot read has not', async () => {
  const gone = { status: 422, code: 'EXPLAIN_IMPOSSIBLE', detail: expect.stringContaining('/input/secret') };
  expect(await why(await idOf('hours/tell', { secret: 's', user: 'a' }))).toMatchObject(gone);
  expect(await why(await idOf('hours/open', { secret: 's', user: 'a' }))).toMatchObject({ same: true });
});

test('what no rule answered is not explained, and says why', async () => {
  const failed = await why(await idOf('hours/open', { user: 7 }));
  expect(failed).toMatchObject({ status: 422, detail: expect.stringContaining('input_invalid') });
  expect(await why(await idOf('nowhere', {}))).toMatchObject({ status: 422, code: 'EXPLAIN_IMPOSSIBLE' });
});

test('a conflict names its values to those who may see them, and its place to all', async () => {
  const input = { token: 'hush-hush' };
  const asked = async (query: string, headers = {}) => {
    const { status, json, text } = await pdp.ask(`/v1/data/both/v${query}`, { input }, headers);
    const { errors } = json as { errors: { code: string; message: string }[] };
    expect({ status, code: errors[0]?.code }).toEqual({ status: 500, code: 'eval_conflict_error' });
    return { text, message: errors[0]?.message };
  };
  const values =
    'rule data.both.v produced conflicting values:\n  "fixed" at both.rego:3\n  "hush-hush" at both.rego:5';
  for (const query of ['', '?explain=fails']) {
    const { message, text } = await asked(query);
    expect(message).toBe('both.rego:5:1: a rule or function produced conflicting values');
    expect(text).not.toContain('hush');
  }
  const authorization = { authorization: `Bearer ${pdp.token}` };
  expect((await asked('', authorization)).text).not.toContain('hush');
  expect((await asked('?explain=fails', authorization)).message).toBe(values);
  expect(await why(await idOf('both/v', input))).toMatchObject({
    status: 422,
    code: 'EVALUATION_CONFLICT',
    detail: expect.stringContaining(values),
  });
});

test('an evaluation that fails says so by its title, not that it cannot be explained', async () => {
  const conflict = await pdp.admin('POST', '/v1/explain', { path: 'both/v', input: { token: 'other' } });
  expect(conflict.json).toMatchObject({
    status: 422,
    code: 'EVALUATION_CONFLICT',
    title: 'Rules or functions produced conflicting values',
    problems: [{ code: 'eval_conflict_error' }],
  });
  const strict = { path: 'both/size', input: { size: 'x' }, strictBuiltinErrors: true };
  expect((await pdp.admin('POST', '/v1/explain', strict)).json).toMatchObject({
    status: 422,
    code: 'EVALUATION_FAILED',
    title: 'The evaluation fails',
    detail: expect.stringContaining('units.parse_bytes'),
    problems: [{ code: 'eval_builtin_error' }],
  });
});

test('a version that is active no more still explains what it answered', async () => {
  const id = await idOf('rates/open', { user: 'mallory' });
  writeFileSync(path.join(folder, 'rates', 'rates.rego'), 'package rates\n\nopen := true\n');
  const pushed = await cli(['push', 'rates', path.join(folder, 'rates'), '--activate', '--server', pdp.urls.admin], {
    env: { VERDICT_TOKEN: pdp.token },
  });
  expect(pushed.code).toBe(0);
  expect(await why(id)).toMatchObject({ same: true, steps: [{ rule: 'data.rates.open', held: false }] });
});

test('the command prints the tree of a decision', async () => {
  const id = await idOf('shop/allow', { user: 'bob', amount: 13 });
  const argv = ['decisions', 'explain', id, '--server', pdp.urls.admin];
  const { code, stdout, stderr } = await cli(argv, { env: { VERDICT_TOKEN: pdp.token } });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toBe(`data.shop.allow did not hold  shop.rego:5
  stopped at input.user == data.shop.owner  shop.rego:6
      input.user = "bob"
      data.shop.owner = "alice"
data.shop.allow (default) held  shop.rego:3
shop/allow = false
`);
});

const explained = async (query: string, input: unknown, token?: string) => {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const { json } = await pdp.ask(`/v1/data/shop/${query}`, { input }, headers);
  return json as {
    readonly result?: unknown;
    readonly explanation?: readonly ({ readonly op: string; readonly node: unknown } | string)[];
    readonly warning?: { readonly code: string; readonly message: string };
  };
};

test('the Data API explains an answer in the shape that OPA has, to those who may see sources and data', async () => {
  const input = { user: 'bob', amount: 14 };
  const full = await explained('allow?explain=full', input, pdp.token);
  expect(full.result).toBe(false);
  expect(full.explanation?.[0]).toMatchObject({ op: 'enter', query_id: 0, type: 'body', locals: [] });
  const pretty = await explained('allow?explain=fails&pretty', input, pdp.token);
  expect(pretty.explanation?.at(-1)).toMatch(/Fail/);
  const stranger = await explained('allow?explain=full', input);
  expect(stranger.explanation).toBeUndefined();
  expect(stranger.warning).toMatchObject({ code: 'explain_unavailable', message: expect.stringContaining('auditor') });
});

test('an undefined document is explained in full or not at all', async () => {
  expect((await explained('echo?explain=fails', {}, pdp.token)).explanation).toBeUndefined();
  expect((await explained('echo?explain=full', {}, pdp.token)).explanation).not.toHaveLength(0);
});
