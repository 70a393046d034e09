import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rawKey } from '../../src/decision/index.ts';
import { ask, askTwice, gives, givesInput, repeat, startCore } from '../support/decision.ts';

const echo = (cache = {}) => {
  const core = startCore({ cache });
  core.policy.activate({ name: 'shop', rules: { 'shop/echo': givesInput, 'shop/other': givesInput } });
  return core;
};

describe('the footprint key', () => {
  test.each([
    ['white space and the order of members', '{"a":1,"b":[2,3]}', ' { "b" : [2, 3],\n"a":1 } '],
    ['escapes', '{"a":"\u00e9/"}', '{"\\u0061":"\\u00e9\\/"}'],
  ])('%s do not cost a hit', async (_what, first, second) => {
    const { decisions } = echo();
    expect(await ask(decisions, 'shop/echo', { input: first })).toMatchObject({ cache: 'miss' });
    expect(await ask(decisions, 'shop/echo', { input: second })).toMatchObject({ cache: 'hit' });
  });

  const different = ['1', '1.0', '1e0', '"1"', 'null', '{}', '[]', '{"a":null}', '-0', '0', '9007199254740993'];
  test('different values never share an answer: number text, kinds, null and absent', async () => {
    const { decisions } = echo();
    const inputs = [undefined, ...different, '9007199254740992', '{"a":1}', '{"a":"1"}', '["ab","c"]', '["a","bc"]'];
    for (const input of inputs) {
      const answer = await ask(decisions, 'shop/echo', input === undefined ? {} : { input });
      expect(answer.cache).toBe('miss');
      expect(answer.verdict).toEqual(input === undefined ? { kind: 'undefined' } : { kind: 'decided', result: input });
    }
  });

  test('what the rules cannot read costs no hit, and what they can does', async () => {
    const { decisions, policy } = startCore();
    const reads = { 'shop/allow': [{ path: ['user', 'role'] }, { path: ['debug'], shape: true }] };
    policy.activate({ name: 'shop', rules: { 'shop/allow': gives('true'), 'shop/other': gives('true') }, reads });
    const cached = async (input: string, path = 'shop/allow') => (await ask(decisions, path, { input })).cache;
    expect(await cached('{"user":{"role":"a"},"id":1,"debug":7}')).toBe('miss');
    expect(await cached('{"id":2,"debug":8,"user":{"name":"x","role":"a"}}')).toBe('hit');
    expect(await cached('{"id":2,"user":{"role":"a"}}')).toBe('miss');
    expect(await cached('{"user":{"role":["a"]},"debug":7}')).toBe('miss');
    expect(await cached('{"user":{"role":"b"},"debug":7}')).toBe('miss');
    expect(await cached('{"user":{"role":"a"},"id":1,"debug":7}', 'shop/other')).toBe('miss');
    expect(await cached('{"user":{"role":"a"},"id":2,"debug":7}', 'shop/other')).toBe('miss');
  });

  test('a body that hits by what the rules read has a record of its own input', async () => {
    const { decisions, policy, audit } = startCore();
    policy.activate({ name: 'shop', rules: { 'shop/allow': gives('true') }, reads: { 'shop/allow': [] } });
    for (const input of ['{"id":1}', '{"id":2}']) await ask(decisions, 'shop/allow', { input });
    expect(audit.records.map(({ facts, input }) => [facts.cache, input])).toEqual([
      ['miss', '{"id":1}'],
      ['hit', '{"id":2}'],
    ]);
  });

  test('a moment that the input names counts, read or not, in arrays too', async () => {
    const { decisions, policy, clock } = startCore({ cache: { expiryPaths: ['/token/exp', '/until/0'] } });
    policy.activate({ name: 'shop', rules: { 'shop/allow': gives('true') }, reads: { 'shop/allow': [] } });
    const at = (seconds: number): number => Math.floor(clock.nowMs() / 1000) + seconds;
    const cached = async (input: object) => ask(decisions, 'shop/allow', { input: JSON.stringify(input) });
    expect(await cached({ token: { exp: at(30) } })).toMatchObject({ cache: 'miss' });
    expect(await cached({ token: { exp: at(5) } })).toMatchObject({ cache: 'miss' });
    expect(await cached({ until: [at(20)] })).toMatchObject({ cache: 'miss' });
    expect(await cached({ until: [at(10)] })).toMatchObject({ cache: 'miss' });
    clock.advance(15_000);
    expect(await cached({ until: [at(-5)] })).toMatchObject({ cache: 'miss' });
    expect(await cached({ until: [at(5)] })).toMatchObject({ cache: 'hit' });
  });

  test('strict errors, another path and a path below have answers of their own', async () => {
    const { decisions } = echo();
    await ask(decisions, 'shop/echo', { input: '1' });
    expect(await ask(decisions, 'shop/echo', { input: '1', strictErrors: true })).toMatchObject({ cache: 'miss' });
    expect(await ask(decisions, 'shop/other', { input: '1' })).toMatchObject({ cache: 'miss' });
    expect(await ask(decisions, 'shop/echo/a/b', { input: '1' })).toMatchObject({ cache: 'miss' });
    expect(await ask(decisions, 'shop/echo/ab', { input: '1' })).toMatchObject({ cache: 'miss' });
  });

  test('equal inputs hit however they are written, unequal ones miss', async () => {
    const shuffled = (value: unknown, reverse: boolean): string => {
      if (Array.isArray(value)) return `[ ${value.map((item) => shuffled(item, reverse)).join(' ,')}]`;
      if (value === null || typeof value !== 'object') return JSON.stringify(value);
      const members = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)} :${shuffled(item, reverse)}`);
      return `{${(reverse ? members.reverse() : members).join(',\n')} }`;
    };
    const value = fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' });
    await fc.assert(
      fc.asyncProperty(value, value, async (a, b) => {
        const { decisions } = echo();
        await ask(decisions, 'shop/echo', { input: shuffled(a, false) });
        expect((await ask(decisions, 'shop/echo', { input: shuffled(a, true) })).cache).toBe('hit');
        const same = shuffled(sorted(a), false) === shuffled(sorted(b), false);
        expect((await ask(decisions, 'shop/echo', { input: shuffled(b, true) })).cache).toBe(same ? 'hit' : 'miss');
      }),
      { numRuns: 150 },
    );
  });
});

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).map(([key, item]): [string, unknown] => [key, sorted(item)]);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
};

describe('the raw key', () => {
  const parts = {
    wire: 'opa.v1',
    path: '/v1/data/a',
    options: '',
    contentType: 'application/json',
    contentCoding: '',
    body: Buffer.from('{}'),
  } as const;

  test('is one text for equal parts and another for every part that differs', () => {
    const keys = [
      parts,
      { ...parts, wire: 'opa.v0' as const },
      { ...parts, path: '/v1/data/b' },
      { ...parts, options: 'strict' },
      { ...parts, contentType: '' },
      { ...parts, contentCoding: 'gzip' },
      { ...parts, body: Buffer.from('{} ') },
      { ...parts, body: Buffer.alloc(100_000) },
      { ...parts, body: Buffer.alloc(100_001) },
    ].map(rawKey);
    expect(new Set(keys).size).toBe(keys.length);
    expect(rawKey({ ...parts, body: Buffer.from('{}') })).toBe(keys[0]);
  });

  test('bodies that differ in a single bit have different keys, whatever their size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_500 }), fc.nat(), fc.nat(7), (size, at, bit) => {
        const body = Buffer.alloc(size, 0xc3);
        const other = Buffer.from(body);
        other[at % size] = 0xc3 ^ (1 << bit);
        expect(rawKey({ ...parts, body })).not.toBe(rawKey({ ...parts, body: other }));
        expect(rawKey({ ...parts, body: Buffer.from(body) })).toBe(rawKey({ ...parts, body }));
      }),
    );
  });

  test('no part can be pushed into its neighbour', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'grapheme' }), { minLength: 4, maxLength: 4 }),
        fc.nat(6),
        (texts, cut) => {
          const [path = '', options = '', contentType = '', contentCoding = ''] = texts;
          const key = rawKey({ ...parts, path, options, contentType, contentCoding });
          const moved = { path: path + options.slice(0, cut), options: options.slice(cut) };
          const other = rawKey({ ...parts, ...moved, contentType, contentCoding });
          expect(other === key).toBe(moved.path === path);
        },
      ),
    );
  });

  test('a body that came twice is answered without its bytes from then on, with a record of its own', async () => {
    const { decisions, audit, clock, policy } = echo();
    expect(repeat(decisions, 'k')).toBeUndefined();
    const first = await ask(decisions, 'shop/echo', { input: '{"u":1}', rawKey: 'k' });
    expect(repeat(decisions, 'k')).toBeUndefined();
    await ask(decisions, 'shop/echo', { input: '{"u":1}', rawKey: 'k' });
    clock.advance(1_500);
    const again = repeat(decisions, 'k');
    expect(again).toMatchObject({ cache: 'hit', ageMs: 1_500, freshMs: 58_500, verdict: { result: '{"u":1}' } });
    expect(again?.decisionId).not.toBe(first.decisionId);
    expect(policy.evaluations('shop/echo')).toBe(1);
    // Each body that was read was prepared; the one that was not read was not.
    expect(audit.state.prepared).toBe(2);
    expect(audit.records).toHaveLength(3);
    expect(audit.records[2]).toMatchObject({
      input: '{"u":1}',
      result: '{"u":1}',
      facts: { decisionId: again?.decisionId, cache: 'hit', ageMs: 1_500, requestedBy: '127.0.0.1:51423' },
    });
  });

  test('a body that shares an answer takes no room until it comes again', async () => {
    const { decisions, policy } = startCore();
    policy.activate({ name: 'shop', rules: { 'shop/allow': gives('true') }, reads: { 'shop/allow': [] } });
    const body = (n: number) => ({ input: `{"request":${n}}`, rawKey: `body ${n}` });
    for (let n = 0; n < 200; n++) await ask(decisions, 'shop/allow', body(n));
    expect(decisions.cacheSize().entries).toBe(1);
    expect(repeat(decisions, 'body 7')).toBeUndefined();
    expect(await ask(decisions, 'shop/allow', body(7))).toMatchObject({ cache: 'hit' });
    expect(decisions.cacheSize().entries).toBe(2);
    expect(repeat(decisions, 'body 7')).toMatchObject({ cache: 'hit' });
    expect(repeat(decisions, 'body 8')).toBeUndefined();
  });

  test('two spellings of one input share the evaluation, and each is recorded as it came', async () => {
    const { decisions, audit, policy } = echo();
    await askTwice(decisions, 'shop/echo', { input: '{"a":1,"b":2}', rawKey: 'one' });
    await askTwice(decisions, 'shop/echo', { input: '{"b":2,"a":1}', rawKey: 'two' });
    repeat(decisions, 'one');
    repeat(decisions, 'two');
    expect(policy.evaluations('shop/echo')).toBe(1);
    expect(audit.records.map(({ input }) => input)).toEqual([
      '{"a":1,"b":2}',
      '{"a":1,"b":2}',
      '{"b":2,"a":1}',
      '{"b":2,"a":1}',
      '{"a":1,"b":2}',
      '{"b":2,"a":1}',
    ]);
  });
});

describe('what is kept', () => {
  test('bypassing neither reads nor stores, and still says how long the answer holds', async () => {
    const { decisions, policy } = echo();
    const bypass = { input: '1', rawKey: 'k', bypassCache: true };
    expect(await ask(decisions, 'shop/echo', bypass)).toMatchObject({ cache: 'bypass', ageMs: 0, freshMs: 60_000 });
    expect(repeat(decisions, 'k')).toBeUndefined();
    expect(await ask(decisions, 'shop/echo', { input: '1' })).toMatchObject({ cache: 'miss' });
    expect(await ask(decisions, 'shop/echo', bypass)).toMatchObject({ cache: 'bypass' });
    expect(policy.evaluations('shop/echo')).toBe(3);
  });

  test.each([{ enabled: false }, { maxBytes: 0 }, { maxAgeSeconds: 0 }])('%o keeps nothing', async (cache) => {
    const { decisions } = echo(cache);
    for (const _time of [1, 2]) {
      const answer = await askTwice(decisions, 'shop/echo', { input: '1', rawKey: 'k' });
      expect(answer).toMatchObject({ cache: 'uncacheable', freshMs: 0 });
    }
    expect(decisions.cacheSize().entries).toBe(0);
  });

  test('the bytes stay within their bound, whatever is asked', async () => {
    const maxBytes = 200_000;
    const { decisions, audit } = echo({ maxBytes });
    for (let at = 0; at < 2_000; at++) {
      await askTwice(decisions, 'shop/echo', { input: `"${at}${'x'.repeat(at % 1_000)}"`, rawKey: `k${at}` });
      expect(decisions.cacheSize().bytes).toBeLessThanOrEqual(maxBytes);
    }
    expect(decisions.cacheSize().entries).toBeGreaterThan(50);
    expect(audit.records).toHaveLength(4_000);
  });

  test('an answer larger than a tenth of the bound is answered and not kept', async () => {
    const { decisions } = echo({ maxBytes: 20_000 });
    const input = `"${'x'.repeat(3_000)}"`;
    expect(await ask(decisions, 'shop/echo', { input })).toMatchObject({ verdict: { result: input } });
    expect(decisions.cacheSize().entries).toBe(0);
  });

  test('characters that take two bytes are counted as two', async () => {
    const narrow = echo();
    const wide = echo();
    await ask(narrow.decisions, 'shop/echo', { input: `"${'x'.repeat(10_000)}"` });
    await ask(wide.decisions, 'shop/echo', { input: `"${'\u4e00'.repeat(10_000)}"` });
    expect(wide.decisions.cacheSize().bytes - narrow.decisions.cacheSize().bytes).toBeGreaterThan(9_990);
  });
});

test('a hit reports the clock, the tokens and the entrypoint of the evaluation that made it', async () => {
  const { decisions, policy, clock, audit } = startCore();
  const token = { claimsDigest: 'c0ffee', issuer: 'https://idp' };
  policy.activate({ name: 'shop', rules: { 'shop/allow': gives('true', { tokens: [token] }) } });
  const nowNs = clock.nowNs();
  await askTwice(decisions, 'shop/allow', { rawKey: 'k' });
  clock.advance(10);
  repeat(decisions, 'k');
  for (const { facts } of audit.records)
    expect(facts).toMatchObject({ nowNs, tokens: [token], entrypoint: 'shop/allow' });
  expect(audit.records.map(({ facts }) => facts.instructions)).toEqual([17, undefined, undefined]);
});
