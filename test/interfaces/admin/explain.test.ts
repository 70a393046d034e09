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
    },
  });
});
afterAll(async () => {
  await pdp?.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Explained {
  readonly result?: unknown;
  readonly trace: string;
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
