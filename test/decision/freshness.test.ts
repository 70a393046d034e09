import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cacheSchema, defaultCacheSettings } from '../../src/decision/index.ts';
import type { FakeRule } from '../support/decision.ts';
import { ask, askTwice, basis, gives, repeat, startCore } from '../support/decision.ts';

/** A core whose rule gives `json` with a boundary `afterNs` after the evaluation's clock. */
const bounded = (afterNs: bigint, json = 'true') => {
  const core = startCore();
  const rule: FakeRule = ({ nowNs }) => ({
    kind: 'defined',
    json,
    basis: basis(nowNs, { boundaryNs: nowNs + afterNs }),
  });
  core.policy.activate({ name: 'shop', rules: { 'shop/allow': rule } });
  return core;
};

const seconds = (count: number): bigint => BigInt(count) * 1_000_000_000n;

test('an answer is served for the age that is configured, and no longer', async () => {
  const { decisions, policy, clock } = startCore({ cache: { maxAgeSeconds: 2 } });
  policy.activate({ name: 'shop', rules: { 'shop/allow': gives('true') } });
  expect(await askTwice(decisions, 'shop/allow', { rawKey: 'k' })).toMatchObject({ freshMs: 2_000 });
  clock.advance(1_999);
  expect(repeat(decisions, 'k')).toMatchObject({ ageMs: 1_999, freshMs: 1 });
  expect(await ask(decisions, 'shop/allow')).toMatchObject({ cache: 'hit', freshMs: 1 });
  clock.advance(1);
  expect(repeat(decisions, 'k')).toBeUndefined();
  expect(await ask(decisions, 'shop/allow')).toMatchObject({ cache: 'miss', ageMs: 0 });
});

test('an answer ends at the boundary that the evaluation reported', async () => {
  const { decisions, clock, audit } = bounded(seconds(10));
  expect(await askTwice(decisions, 'shop/allow', { rawKey: 'k' })).toMatchObject({ freshMs: 10_000 });
  expect(audit.records[0]?.facts.freshUntilMs).toBe(clock.nowMs() + 10_000);
  clock.advance(9_999);
  expect(repeat(decisions, 'k')).toMatchObject({ freshMs: 1 });
  clock.advance(1);
  expect(repeat(decisions, 'k')).toBeUndefined();
});

test('a boundary within the same millisecond makes an answer uncacheable', async () => {
  const { decisions } = bounded(999_999n);
  expect(await ask(decisions, 'shop/allow')).toMatchObject({ cache: 'uncacheable', freshMs: 0 });
});

test('a wall clock that steps past the boundary ends the answer, and stepping back does not revive it', async () => {
  const { decisions, clock } = bounded(seconds(10));
  await askTwice(decisions, 'shop/allow', { rawKey: 'k' });
  clock.stepWall(10_000);
  expect(repeat(decisions, 'k')).toBeUndefined();
  clock.stepWall(-10_000);
  expect(repeat(decisions, 'k')).toBeUndefined();
});

test('a wall clock that steps back stretches nothing: the monotonic clock ends the answer', async () => {
  const { decisions, clock } = bounded(seconds(10));
  await askTwice(decisions, 'shop/allow', { rawKey: 'k' });
  clock.advance(5_000);
  clock.stepWall(-4_000);
  expect(repeat(decisions, 'k')).toMatchObject({ freshMs: 5_000 });
  clock.advance(5_000);
  expect(repeat(decisions, 'k')).toBeUndefined();
});

test('a wall clock that stands before the evaluation ends an answer that rests on time, and no other', async () => {
  const timed = bounded(seconds(10));
  const timeless = startCore();
  timeless.policy.activate({ name: 'shop', rules: { 'shop/allow': gives('true') } });
  for (const { decisions, clock } of [timed, timeless]) {
    await askTwice(decisions, 'shop/allow', { rawKey: 'k' });
    clock.stepWall(-1_000);
  }
  expect(repeat(timed.decisions, 'k')).toBeUndefined();
  expect(repeat(timeless.decisions, 'k')).toMatchObject({ cache: 'hit' });
});

test('whatever both clocks do, an answer is served only inside the time in which it is true', async () => {
  const move = fc.record({ advance: fc.nat(4_000), step: fc.integer({ min: -4_000, max: 4_000 }) });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 9_000 }), fc.array(move, { maxLength: 8 }), async (holdMs, moves) => {
      const { decisions, clock } = bounded(BigInt(holdMs) * 1_000_000n);
      const from = clock.nowMs();
      await askTwice(decisions, 'shop/allow', { rawKey: 'k' });
      let elapsed = 0;
      let dead = false;
      for (const { advance, step } of moves) {
        clock.advance(advance);
        clock.stepWall(step);
        elapsed += advance;
        const wall = clock.nowMs();
        dead ||= elapsed >= holdMs || wall >= from + holdMs || wall < from;
        expect(repeat(decisions, 'k') === undefined).toBe(dead);
      }
    }),
  );
});

test('volatile answers are not cached, unless their rule declares a ttl, which shortens the others', async () => {
  const { decisions, policy, clock } = startCore();
  policy.activate({
    name: 'shop',
    rules: {
      'shop/random': gives('1', { volatile: true }),
      'shop/declared': gives('1', { volatile: true }),
      'shop/plain': gives('1'),
      'shop/long': gives('1'),
    },
    ttlsMs: { 'shop/declared': 3_000, 'shop/plain': 4_000, 'shop/long': 3_600_000 },
  });
  expect(await ask(decisions, 'shop/random')).toMatchObject({ cache: 'uncacheable', freshMs: 0 });
  expect(await ask(decisions, 'shop/random')).toMatchObject({ cache: 'uncacheable' });
  expect(await ask(decisions, 'shop/declared')).toMatchObject({ cache: 'miss', freshMs: 3_000 });
  expect(await ask(decisions, 'shop/plain')).toMatchObject({ cache: 'miss', freshMs: 4_000 });
  expect(await ask(decisions, 'shop/long')).toMatchObject({ freshMs: 60_000 });
  clock.advance(3_000);
  expect(await ask(decisions, 'shop/declared')).toMatchObject({ cache: 'miss' });
});

test.each([
  ['{"allow":true,"ttl":5}', 5_000],
  ['{"allow":true,"ttl":0.5}', 500],
  ['{"allow":true,"ttl":3600}', 60_000],
  ['{"allow":true,"ttl":1e400}', 60_000],
  ['{"allow":true,"ttl":0}', 0],
  ['{"allow":true,"ttl":-1}', 0],
  ['{"allow":true,"ttl":"5"}', 0],
  ['{"allow":true,"ttl":null}', 0],
])('a result %s is fresh for %i ms', async (json, freshMs) => {
  const { decisions, policy } = startCore();
  policy.activate({ name: 'shop', rules: { 'shop/allow': gives(json) }, results: ['shop/allow'] });
  const answer = await ask(decisions, 'shop/allow');
  expect(answer).toMatchObject({ freshMs, cache: freshMs === 0 ? 'uncacheable' : 'miss' });
});

test('a ttl in the object of a rule that is no result means nothing', async () => {
  const { decisions, policy } = startCore();
  policy.activate({ name: 'shop', rules: { 'shop/allow': gives('{"ttl":1}') } });
  expect(await ask(decisions, 'shop/allow')).toMatchObject({ freshMs: 60_000 });
});

// The fake clock starts at this second.
const NOW = 1_800_000_000;

test.each([
  [`{"token":{"exp":${NOW + 30}}}`, 30_000],
  [`{"tok\\u0065n":{"\\u0065xp":${NOW + 30}}}`, 30_000],
  [`{"subject":{"properties":{"exp":${NOW + 7.5}}}}`, 7_500],
  [`{"context":{"token":{"exp":${NOW + 20}}},"token":{"exp":${NOW + 10}}}`, 10_000],
  [`{"token":{"exp":${NOW + 0.0005}}}`, 0],
  [`{"token":{"exp":${NOW - 5}}}`, 60_000],
  [`{"token":{"exp":"${NOW + 30}"}}`, 60_000],
  ['{"token":{"exp":1e400}}', 60_000],
  [`{"other":{"exp":${NOW + 30}}}`, 60_000],
  [`{"token":[{"exp":${NOW + 30}}]}`, 60_000],
  [`{"__proto__":{"token":{"exp":${NOW + 30}}}}`, 60_000],
])('an input %s holds an answer for %i ms', async (input, freshMs) => {
  const { decisions, policy } = startCore();
  policy.activate({ name: 'shop', rules: { 'shop/allow': gives('true') } });
  expect((await ask(decisions, 'shop/allow', { input })).freshMs).toBe(freshMs);
});

test('a moment whose name is escaped ends an answer, whatever keys came before', async () => {
  const { decisions, policy } = startCore();
  policy.activate({ name: 'shop', rules: { 'shop/allow': gives('true') } });
  const fresh = async (token: string) => (await ask(decisions, 'shop/allow', { input: `{"token":${token}}` })).freshMs;
  expect(await fresh('{"jti":1,"\\\\u0":1}')).toBe(60_000);
  expect(await fresh(`{"jti":1,"\\u0065xp":${NOW + 30}}`)).toBe(30_000);
});

test('expiry paths are configurable, escapes of JSON Pointer included', async () => {
  const { decisions, policy } = startCore({ cache: { expiryPaths: ['/a~1b/~0', '/list/0'] } });
  policy.activate({ name: 'shop', rules: { 'shop/allow': gives('true') } });
  const fresh = async (input: string): Promise<number> => (await ask(decisions, 'shop/allow', { input })).freshMs;
  expect(await fresh(`{"a/b":{"~":${NOW + 3}}}`)).toBe(3_000);
  expect(await fresh(`{"token":{"exp":${NOW + 3}}}`)).toBe(60_000);
});

test('the schema of the section names every setting, with a default and a description', () => {
  expect(Object.keys(cacheSchema.properties)).toEqual(Object.keys(defaultCacheSettings));
  for (const [key, property] of Object.entries(cacheSchema.properties)) {
    expect(property.default).toEqual(defaultCacheSettings[key as keyof typeof defaultCacheSettings]);
    expect(property.description.length).toBeGreaterThan(40);
  }
});
