import { expect, test } from 'vitest';
import type { Caller } from '../../src/decision/index.ts';
import { ask, fails, gives, givesInput, givesNothing, repeat, startCore } from '../support/decision.ts';

const one = (rules: Parameters<typeof gives>[0], results: readonly string[] = []) => {
  const core = startCore();
  core.policy.activate({ name: 'shop', rules: { 'shop/allow': gives(rules) }, results });
  return core;
};

test.each([
  ['true', 'permit'],
  ['false', 'refuse'],
  ['null', 'refuse'],
  ['1', 'refuse'],
  ['"true"', 'refuse'],
  ['{"allow":true}', 'refuse'],
  ['[true]', 'refuse'],
])('a rule that gives %s is a %s', async (json, outcome) => {
  const { decisions } = one(json);
  expect(await ask(decisions, 'shop/allow')).toMatchObject({ verdict: { kind: 'decided', result: json }, outcome });
});

test.each([
  ['{"allow":true}', 'permit', undefined],
  ['{"allow":true,"reasons":["owner"]}', 'permit', '{"reasons":["owner"]}'],
  ['{"allow":false,"reasons":{"n":1.0}}', 'refuse', '{"reasons":{"n":1.0}}'],
  ['{"allow":"true"}', 'refuse', undefined],
  ['{"allow":1}', 'refuse', undefined],
  ['{"reasons":[]}', 'refuse', '{"reasons":[]}'],
  ['{"x":{"allow":true}}', 'refuse', undefined],
  ['true', 'permit', undefined],
  ['["allow"]', 'refuse', undefined],
])('a rule marked as a result that gives %s is a %s', async (json, outcome, context) => {
  const { decisions } = one(json, ['shop/allow']);
  const answer = await ask(decisions, 'shop/allow');
  expect(answer.outcome).toBe(outcome);
  expect(answer.context).toBe(context);
});

test('below a result its names mean nothing: only the value itself counts', async () => {
  const { decisions } = one('{"allow":true,"reasons":["x"]}', ['shop/allow']);
  const answer = await ask(decisions, 'shop/allow/nested');
  expect(answer).toMatchObject({ outcome: 'refuse' });
  expect(answer.context).toBeUndefined();
});

test('undefined is neither a permit nor a refusal, and tells that a rule stands there', async () => {
  const { decisions, policy } = startCore();
  policy.activate({ name: 'shop', rules: { 'shop/allow': givesNothing } });
  const answer = await ask(decisions, 'shop/allow');
  expect(answer).toMatchObject({ verdict: { kind: 'undefined' }, outcome: 'undefined', ruleAtPath: true });
  expect(answer.unknownPath).toBe(false);
});

test('a path that nothing provides is undefined, says so, and is never kept', async () => {
  const { decisions } = one('true');
  const answer = await ask(decisions, 'shop/nope', { rawKey: 'k' });
  expect(answer).toMatchObject({
    verdict: { kind: 'undefined' },
    unknownPath: true,
    ruleAtPath: false,
    policies: [],
    cache: 'uncacheable',
    freshMs: 0,
  });
  expect(repeat(decisions, 'k')).toBeUndefined();
  expect(decisions.cacheSize().entries).toBe(0);
});

test('data answers without an evaluation, and is kept', async () => {
  const { decisions, policy } = startCore();
  policy.activate({ name: 'shop', data: { 'shop/limits': '{"max":10}' } });
  expect(await ask(decisions, 'shop/limits')).toMatchObject({
    verdict: { kind: 'decided', result: '{"max":10}' },
    outcome: 'data',
    cache: 'miss',
    ruleAtPath: false,
    policies: [{ name: 'shop', version: 1 }],
  });
  expect(await ask(decisions, 'shop/limits')).toMatchObject({ cache: 'hit' });
});

test('data is written as Go writes it, whatever HTML would make of it', async () => {
  const { decisions, policy } = startCore();
  policy.activate({ name: 'shop', data: { 'shop/text': '{"<a>&\u2028":1e2}' } });
  expect(await ask(decisions, 'shop/text')).toMatchObject({
    verdict: { result: '{"\\u003ca\\u003e\\u0026\\u2028":1e2}' },
  });
});

test('an evaluation that fails, throws or rejects is a failed verdict, never cached', async () => {
  const { decisions, policy } = startCore();
  policy.activate({
    name: 'shop',
    rules: {
      'shop/conflict': fails('conflict', 'two values'),
      'shop/throws': () => {
        throw new Error('boom');
      },
      'shop/rejects': () => Promise.reject(new Error('late boom')),
    },
  });
  for (const [path, code, message] of [
    ['shop/conflict', 'conflict', 'two values'],
    ['shop/throws', 'engine_error', 'boom'],
    ['shop/rejects', 'engine_error', 'late boom'],
  ] as const) {
    for (const time of [1, 2]) {
      const answer = await ask(decisions, path, { rawKey: path });
      expect(answer).toMatchObject({ verdict: { kind: 'failed', error: { code, message } }, outcome: 'failed' });
      expect(answer).toMatchObject({ cache: 'uncacheable', freshMs: 0 });
      if (path !== 'shop/throws') expect(policy.evaluations(path)).toBe(time);
    }
  }
  expect(decisions.cacheSize().entries).toBe(0);
});

test('nothing active is not_ready', async () => {
  const { decisions } = startCore();
  expect(await ask(decisions, 'shop/allow')).toMatchObject({
    verdict: { kind: 'failed', error: { code: 'not_ready' } },
    cache: 'uncacheable',
  });
});

const named = (more: Partial<Caller>): Caller => ({ kind: 'token', name: 'ci', roles: ['ask'], ...more });

test.each([
  ['a caller without the role ask', named({ roles: ['author', 'auditor'] })],
  ['a caller of other bundles', named({ bundles: ['todo'] })],
  ['a caller of no bundle', named({ bundles: [] })],
])('%s is forbidden, on a miss as on a hit, and evaluates nothing', async (_who, caller) => {
  const { decisions, policy, audit } = one('true');
  const refused = { verdict: { kind: 'failed', error: { code: 'forbidden' } }, policies: [] };
  expect(await ask(decisions, 'shop/allow', { caller, rawKey: 'k' })).toMatchObject(refused);
  expect(policy.evaluations('shop/allow')).toBe(0);
  await ask(decisions, 'shop/allow', { rawKey: 'k' });
  expect(repeat(decisions, 'k', caller)).toBeUndefined();
  expect(await ask(decisions, 'shop/allow', { caller, rawKey: 'k' })).toMatchObject(refused);
  expect(audit.records.map(({ facts }) => facts.outcome)).toEqual(['failed', 'permit', 'failed']);
});

test('a caller of the bundle is answered; a path above several bundles wants all of them', async () => {
  const { decisions, policy } = startCore();
  policy.activate(
    { name: 'a', rules: { 'org/a/allow': gives('true') } },
    { name: 'b', rules: { 'org/b/allow': gives('true') } },
  );
  expect(await ask(decisions, 'org/a/allow', { caller: named({ bundles: ['a'] }) })).toMatchObject({
    outcome: 'permit',
  });
  expect(await ask(decisions, 'org', { caller: named({ bundles: ['a'] }) })).toMatchObject({ outcome: 'failed' });
  expect(await ask(decisions, 'org', { caller: named({ bundles: ['a', 'b'] }) })).toMatchObject({ outcome: 'data' });
});

test('names of the prototype are names like any other', async () => {
  const { decisions, policy } = startCore();
  policy.activate({
    name: 'constructor',
    rules: { '__proto__/toString': givesInput, 'constructor/prototype': gives('true') },
  });
  expect(await ask(decisions, 'constructor/prototype')).toMatchObject({ outcome: 'permit' });
  expect(await ask(decisions, '__proto__/toString', { input: '{"__proto__":{"allow":true}}' })).toMatchObject({
    verdict: { result: '{"__proto__":{"allow":true}}' },
  });
  for (const path of ['toString', '__proto__/valueOf', 'hasOwnProperty', 'constructor/constructor']) {
    expect(await ask(decisions, path)).toMatchObject({ unknownPath: true });
  }
  expect(await ask(decisions, '__proto__')).toMatchObject({ verdict: { result: '{}' } });
  expect(({} as { allow?: unknown }).allow).toBeUndefined();
});
