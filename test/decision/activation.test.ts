import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Answer } from '../../src/decision/index.ts';
import type { Evaluation } from '../../src/engine/index.ts';
import type { FakeRule } from '../support/decision.ts';
import { ask, askTwice, basis, gives, query, repeat, startCore } from '../support/decision.ts';

const shop = (version: number, json: string) => ({ name: 'shop', version, rules: { 'shop/allow': gives(json) } });

/** A rule whose evaluations end when the test says so. */
const slow = () => {
  const waiting: ((evaluation: Evaluation) => void)[] = [];
  const rule: FakeRule = () => new Promise((resolve) => waiting.push(resolve));
  const finish = async (evaluation: Evaluation): Promise<void> => {
    waiting.shift()?.(evaluation);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { rule, finish, waiting };
};

const defined = (json: string, more: Parameters<typeof basis>[1] = {}): Evaluation => ({
  kind: 'defined',
  json,
  basis: basis(0n, more),
});

test('after an activation no old answer is given, raw or canonical', async () => {
  const { decisions, policy } = startCore();
  policy.activate(shop(1, 'true'));
  await askTwice(decisions, 'shop/allow', { rawKey: 'k' });
  policy.activate(shop(2, 'false'));
  expect(repeat(decisions, 'k')).toBeUndefined();
  expect(await askTwice(decisions, 'shop/allow', { rawKey: 'k' })).toMatchObject({
    cache: 'miss',
    outcome: 'refuse',
    policies: [{ version: 2 }],
  });
  expect(repeat(decisions, 'k')).toMatchObject({ outcome: 'refuse', policies: [{ version: 2 }] });
});

test('new data under the same digest ends the answers', async () => {
  const { decisions, policy } = startCore();
  policy.activate({ ...shop(1, 'true'), dataRevision: 'one' });
  await askTwice(decisions, 'shop/allow', { rawKey: 'k' });
  policy.activate({ ...shop(1, 'true'), dataRevision: 'two' });
  expect(repeat(decisions, 'k')).toBeUndefined();
});

test('an activation of another bundle costs no entry', async () => {
  const { decisions, policy } = startCore();
  policy.activate(shop(1, 'true'));
  await askTwice(decisions, 'shop/allow', { rawKey: 'k' });
  policy.activate({ name: 'todo', rules: { 'todo/allow': gives('true') } });
  expect(repeat(decisions, 'k')).toMatchObject({ cache: 'hit' });
  expect(await ask(decisions, 'shop/allow')).toMatchObject({ cache: 'hit' });
  expect(policy.evaluations('shop/allow')).toBe(1);
});

test('a path that another bundle has come to share is answered anew', async () => {
  const { decisions, policy } = startCore();
  policy.activate({ name: 'a', rules: { 'org/a': gives('1') } });
  expect(await askTwice(decisions, 'org', { rawKey: 'k' })).toMatchObject({ verdict: { result: '{"a":1}' } });
  policy.activate({ name: 'b', rules: { 'org/b': gives('2') } });
  expect(repeat(decisions, 'k')).toBeUndefined();
  expect(await ask(decisions, 'org')).toMatchObject({ verdict: { result: '{"a":1,"b":2}' } });
  policy.remove('a');
  expect(await ask(decisions, 'org')).toMatchObject({ verdict: { result: '{"b":2}' } });
});

test('a bundle that is gone is not answered from memory', async () => {
  const { decisions, policy } = startCore();
  policy.activate(shop(1, 'true'), { name: 'todo' });
  await askTwice(decisions, 'shop/allow', { rawKey: 'k' });
  policy.remove('shop');
  expect(repeat(decisions, 'k')).toBeUndefined();
  expect(await ask(decisions, 'shop/allow')).toMatchObject({ unknownPath: true });
});

test('an evaluation that an activation overtakes answers from its own version and is thrown away', async () => {
  const { decisions, policy, audit } = startCore();
  const { rule, finish } = slow();
  policy.activate({ name: 'shop', version: 1, rules: { 'shop/allow': rule } });
  const late = ask(decisions, 'shop/allow', { rawKey: 'k' });
  policy.activate(shop(2, 'false'));
  expect(await askTwice(decisions, 'shop/allow', { rawKey: 'k2' })).toMatchObject({ policies: [{ version: 2 }] });
  const before = decisions.cacheSize().entries;
  await finish(defined('true'));
  expect(await late).toMatchObject({ outcome: 'permit', policies: [{ version: 1 }] });
  expect(decisions.cacheSize().entries).toBe(before);
  expect(repeat(decisions, 'k')).toBeUndefined();
  expect(await ask(decisions, 'shop/allow')).toMatchObject({ outcome: 'refuse', cache: 'hit' });
  expect(audit.records.map(({ facts }) => facts.policies[0]?.version)).toEqual([2, 2, 1, 2]);
});

test('an evaluation that an unrelated activation overtakes is kept', async () => {
  const { decisions, policy } = startCore();
  const { rule, finish } = slow();
  policy.activate({ name: 'shop', rules: { 'shop/allow': rule } });
  const late = ask(decisions, 'shop/allow', { rawKey: 'k' });
  policy.activate({ name: 'todo', rules: {} });
  await finish(defined('true'));
  expect(await late).toMatchObject({ cache: 'miss' });
  expect(await ask(decisions, 'shop/allow', { rawKey: 'k' })).toMatchObject({ cache: 'hit' });
  expect(repeat(decisions, 'k')).toMatchObject({ cache: 'hit' });
});

test('whatever is activated in between, every answer is that of the version active when it was asked', async () => {
  const step = fc.oneof(
    fc.record({ activate: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ ask: fc.constantFrom('1', '2') }),
    fc.constant('other' as const),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const { decisions, policy } = startCore();
      let active = 1;
      policy.activate(shop(active, '1'));
      for (const now of steps) {
        if (now === 'other') policy.activate({ name: 'other', version: 1, rules: {} });
        else if ('activate' in now) {
          active = now.activate;
          policy.activate(shop(active, String(active)));
        } else {
          const answer =
            repeat(decisions, now.ask) ??
            (await askTwice(decisions, 'shop/allow', { input: now.ask, rawKey: now.ask }));
          expect(answer).toMatchObject({ verdict: { result: String(active) }, policies: [{ version: active }] });
        }
      }
    }),
  );
});

test('questions that are equal are evaluated once while the evaluation runs, and each has its record', async () => {
  const { decisions, policy, audit } = startCore();
  const { rule, finish } = slow();
  policy.activate({ name: 'shop', rules: { 'shop/allow': rule } });
  const asked = [1, 2, 2].map((n) =>
    ask(decisions, 'shop/allow', { input: `{"a":1,${' '.repeat(n)}"b":2}`, rawKey: `${n}` }),
  );
  const other = ask(decisions, 'shop/allow', { input: '{"a":2}' });
  expect(policy.evaluations('shop/allow')).toBe(2);
  await finish(defined('true'));
  await finish(defined('false'));
  const answers = await Promise.all(asked);
  expect(answers.map(({ cache, outcome }) => `${cache} ${outcome}`)).toEqual([
    'miss permit',
    'hit permit',
    'hit permit',
  ]);
  expect(new Set(answers.map(({ decisionId }) => decisionId)).size).toBe(3);
  expect(await other).toMatchObject({ outcome: 'refuse' });
  expect(audit.records).toHaveLength(4);
  expect(repeat(decisions, '1')).toBeUndefined();
  expect(repeat(decisions, '2')).toMatchObject({ outcome: 'permit' });
  expect(policy.evaluations('shop/allow')).toBe(2);
});

test('those who wait for an evaluation that fails are told so, and the next one tries again', async () => {
  const { decisions, policy } = startCore();
  const { rule, finish } = slow();
  policy.activate({ name: 'shop', rules: { 'shop/allow': rule } });
  const asked = [ask(decisions, 'shop/allow'), ask(decisions, 'shop/allow')];
  await finish({ kind: 'failed', code: 'deadline_exceeded', message: 'too slow', basis: basis(0n) });
  for (const answer of await Promise.all(asked)) {
    expect(answer).toMatchObject({ verdict: { error: { code: 'deadline_exceeded' } }, cache: 'uncacheable' });
  }
  const next = ask(decisions, 'shop/allow');
  await finish(defined('true'));
  expect(await next).toMatchObject({ outcome: 'permit' });
  expect(policy.evaluations('shop/allow')).toBe(2);
});

test('those who wait for an answer that must not be used again get one of their own', async () => {
  const { decisions, policy } = startCore();
  const { rule, finish, waiting } = slow();
  policy.activate({ name: 'shop', rules: { 'shop/random': rule } });
  const asked = [1, 2, 3].map(() => ask(decisions, 'shop/random'));
  expect(waiting).toHaveLength(1);
  await finish(defined('1', { volatile: true }));
  expect(waiting).toHaveLength(2);
  await finish(defined('2', { volatile: true }));
  await finish(defined('3', { volatile: true }));
  const answers = await Promise.all(asked);
  expect(answers.map((answer: Answer) => answer.verdict.kind === 'decided' && answer.verdict.result)).toEqual([
    '1',
    '2',
    '3',
  ]);
  expect(answers.every(({ cache }) => cache === 'uncacheable')).toBe(true);
});

test('one who waits is not given an answer whose time ended while it was made', async () => {
  const { decisions, policy, clock } = startCore({ cache: { maxAgeSeconds: 1 } });
  const { rule, finish, waiting } = slow();
  policy.activate({ name: 'shop', rules: { 'shop/allow': rule } });
  const asked = [ask(decisions, 'shop/allow'), ask(decisions, 'shop/allow')];
  clock.advance(1_000);
  await finish(defined('true'));
  expect(waiting).toHaveLength(1);
  await finish(defined('false'));
  expect((await Promise.all(asked)).map(({ outcome }) => outcome)).toEqual(['permit', 'refuse']);
});

test('one who waits while its bundle is exchanged is answered by the new version or by the old, never by a mix', async () => {
  const { decisions, policy, audit } = startCore();
  const { rule, finish } = slow();
  policy.activate({ name: 'shop', version: 1, rules: { 'shop/allow': rule } });
  const answers: Answer[] = [];
  for (const _n of [1, 2]) decisions.decide(query('shop/allow'), (answer) => answers.push(answer));
  policy.activate(shop(2, 'false'));
  await finish(defined('true', { volatile: true }));
  expect(answers.map(({ outcome, policies }) => [outcome, policies[0]?.version])).toEqual([
    ['permit', 1],
    ['refuse', 2],
  ]);
  expect(audit.records.map(({ facts }) => facts.epoch)).toEqual([2, 3]);
});
