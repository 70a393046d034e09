import { expect, test } from 'vitest';
import { ask, fails, gives, givesNothing, startCore } from '../support/decision.ts';

test('a path above several documents is the object of them, keys in the order of their bytes', async () => {
  const { decisions, policy } = startCore();
  policy.activate(
    {
      name: 'a',
      rules: { 'org/z/allow': gives('true'), 'org/\u{1f600}/x': gives('1'), 'org/\uffee/x': gives('2') },
      data: { 'org/limits': '{"max":1e2}' },
    },
    { name: 'b', rules: { 'org/b/deny': gives('[]') } },
  );
  expect(await ask(decisions, 'org')).toMatchObject({
    verdict: {
      kind: 'decided',
      result: '{"b":{"deny":[]},"limits":{"max":1e2},"z":{"allow":true},"\uffee":{"x":2},"\u{1f600}":{"x":1}}',
    },
    outcome: 'data',
    ruleAtPath: false,
    policies: [{ name: 'a' }, { name: 'b' }],
  });
});

test('undefined parts are left out while the packages above them stay', async () => {
  const { decisions, policy } = startCore();
  policy.activate({ name: 'a', rules: { 'a/b/x': givesNothing, 'a/c/y': gives('1') } });
  expect(await ask(decisions, 'a')).toMatchObject({ verdict: { result: '{"b":{},"c":{"y":1}}' } });
});

test('a part inside the object of another is put into it', async () => {
  const { decisions, policy } = startCore();
  policy.activate({
    name: 'a',
    data: { 'a/b': '{"c":{"kept":"<1>"},"d":2}' },
    rules: { 'a/b2/c/x': gives('true') },
  });
  policy.activate({ name: 'b', rules: { 'a/b/c/x': gives('true'), 'a/b/a': gives('0') } });
  expect(await ask(decisions, 'a')).toMatchObject({
    verdict: { result: '{"b":{"a":0,"c":{"kept":"\\u003c1\\u003e","x":true},"d":2},"b2":{"c":{"x":true}}}' },
  });
});

test('a name that HTML would read is escaped as Go does it', async () => {
  const { decisions, policy } = startCore();
  policy.activate({ name: 'a', rules: { 'a/<b>&\u2028': gives('1') } });
  expect(await ask(decisions, 'a')).toMatchObject({ verdict: { result: '{"\\u003cb\\u003e\\u0026\\u2028":1}' } });
});

test('one failed part fails the whole', async () => {
  const { decisions, policy } = startCore();
  policy.activate({ name: 'a', rules: { 'a/x': gives('true'), 'a/y': fails('budget_exceeded', 'too long') } });
  expect(await ask(decisions, 'a')).toMatchObject({
    verdict: { kind: 'failed', error: { code: 'budget_exceeded' } },
    cache: 'uncacheable',
  });
});

test('a whole that is evaluated late and in part on a worker is assembled the same', async () => {
  const { decisions, policy } = startCore();
  policy.activate({
    name: 'a',
    rules: { 'a/x': gives('true'), 'a/y': async (asked) => gives('2')(asked) },
  });
  expect(await ask(decisions, 'a')).toMatchObject({ verdict: { result: '{"x":true,"y":2}' }, cache: 'miss' });
  expect(await ask(decisions, 'a')).toMatchObject({ cache: 'hit' });
});

test('the whole ends when the first of its parts does, and is volatile when one is', async () => {
  const { decisions, policy, clock } = startCore();
  const in10s = clock.nowNs() + 10_000_000_000n;
  const in20s = clock.nowNs() + 20_000_000_000n;
  policy.activate({
    name: 'a',
    rules: {
      'a/x': gives('1', { boundaryNs: in20s }),
      'a/y': gives('2', { boundaryNs: in10s }),
      'b/x': gives('1'),
      'b/y': gives('2', { volatile: true }),
    },
    ttlsMs: { 'b/x': 5_000 },
  });
  expect(await ask(decisions, 'a')).toMatchObject({ freshMs: 10_000 });
  expect(await ask(decisions, 'b')).toMatchObject({ cache: 'uncacheable', freshMs: 0 });
});

test('an isResult mark says nothing about the object of which the result is a part', async () => {
  const { decisions, policy } = startCore();
  policy.activate({ name: 'a', rules: { 'a/allow': gives('true') }, results: ['a', 'a/allow'] });
  expect(await ask(decisions, 'a')).toMatchObject({ verdict: { result: '{"allow":true}' }, outcome: 'data' });
});
