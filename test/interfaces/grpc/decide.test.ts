import { Metadata, status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import type { Caller } from '../../../src/decision/index.ts';
import { CacheState } from '../../../src/interfaces/grpc/gen/verdict/v1/decisions_pb.ts';
import { fails, gives } from '../../support/decision.ts';
import { callBytes, DECIDE, json, resultOf, startGrpc } from '../../support/decision-grpc.ts';
import { shop } from '../../support/decision-http.ts';

const ALLOW = 'shop/orders/allow';
const ECHO = 'shop/orders/echo';

describe('every kind of verdict', () => {
  test('a permit is decided, and says so', async () => {
    const { decide } = await startGrpc();
    const decision = await decide({ path: ALLOW, input: json('{"user":"u1"}') });
    expect(resultOf(decision)).toBe('true');
    expect(decision).toMatchObject({
      verdict: { value: { permit: true } },
      cache: CacheState.MISS,
      unknownPath: false,
    });
    expect(decision.decisionId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(decision.policies).toMatchObject([
      { name: 'shop', version: 3n, digest: 'digest of shop@3', revision: 'r42' },
    ]);
  });

  test('a refusal is decided too, and is no permit', async () => {
    const { decide } = await startGrpc();
    const decision = await decide({ path: ALLOW, input: json('{"user":"u2"}') });
    expect(resultOf(decision)).toBe('false');
    expect(decision).toMatchObject({ verdict: { value: { permit: false } } });
  });

  test('an object whose allow is true is a permit where the rule is a result, and elsewhere not', async () => {
    const { decide, policy } = await startGrpc();
    const asked = { path: 'shop/authz', input: json('{"subject":{"id":"alice"}}') };
    expect(await decide(asked)).toMatchObject({ verdict: { case: 'decided', value: { permit: true } } });
    policy.activate({ ...shop, results: [] });
    expect(await decide(asked)).toMatchObject({ verdict: { case: 'decided', value: { permit: false } } });
  });

  test('data that is read is decided, is no permit, and is recorded as what it was', async () => {
    const { decide, audit } = await startGrpc();
    const decision = await decide({ path: 'd' });
    expect(resultOf(decision)).toMatch(/^\{"list":\[10,20\]/);
    expect(decision).toMatchObject({ verdict: { case: 'decided', value: { permit: false } }, unknownPath: false });
    expect(audit.records[0]?.facts.outcome).toBe('data');
  });

  test('undefined is a kind of its own', async () => {
    const { decide, audit } = await startGrpc();
    const decision = await decide({ path: 'shop/orders/undef', input: json('{}') });
    expect(decision).toMatchObject({ verdict: { case: 'undefined' }, unknownPath: false });
    expect(audit.records[0]?.facts).toMatchObject({ outcome: 'undefined', wire: 'verdict.decide' });
  });

  test('an unknown path is undefined, and said to be unknown', async () => {
    const { decide } = await startGrpc();
    expect(await decide({ path: 'no/where' })).toMatchObject({
      verdict: { case: 'undefined' },
      unknownPath: true,
      policies: [],
      cache: CacheState.UNCACHEABLE,
      freshMs: 0n,
    });
  });

  test.each([
    ['conflict', 'two values for one document'],
    ['budget_exceeded', 'over budget'],
  ] as const)('a failure is an answer with its code: %s', async (code, message) => {
    const { decide, policy, audit } = await startGrpc();
    policy.activate({ ...shop, rules: { broken: fails(code, message) } });
    const decision = await decide({ path: 'broken', input: json('{}') });
    expect(decision).toMatchObject({ verdict: { case: 'failed', value: { code, message } } });
    expect(audit.records[0]?.facts).toMatchObject({ outcome: 'failed', decisionId: decision.decisionId });
  });

  test('with nothing active it failed: not_ready', async () => {
    const { decide, policy } = await startGrpc();
    policy.remove('shop');
    expect(await decide({ path: ALLOW })).toMatchObject({ verdict: { case: 'failed', value: { code: 'not_ready' } } });
  });

  test('an answer that cannot be recorded does not leave', async () => {
    const { decide, audit } = await startGrpc();
    audit.state.failing = true;
    expect(await decide({ path: ALLOW, input: json('{"user":"u1"}') })).toMatchObject({
      verdict: { case: 'failed', value: { code: 'audit_failed' } },
    });
  });

  test('an answer leaves after its record is where it should be', async () => {
    const { decide, audit } = await startGrpc();
    audit.state.holding = true;
    let answered = false;
    const asked = decide({ path: ALLOW, input: json('{"user":"u1"}') }).finally(() => {
      answered = true;
    });
    while (audit.records.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(answered).toBe(false);
    audit.release();
    expect(resultOf(await asked)).toBe('true');
  });
});

describe('inputs', () => {
  test('JSON bytes reach the policy with every digit, a value with those of a double', async () => {
    const { decide, audit } = await startGrpc();
    const text = '{"big":12345678901234567890,"one":1.0}';
    expect(resultOf(await decide({ path: ECHO, input: json(text) }))).toBe(text);
    const value = { fields: { one: { kind: { case: 'numberValue', value: 1 } } } } as const;
    const input = { input: { case: 'value', value: { kind: { case: 'structValue', value } } } } as const;
    expect(resultOf(await decide({ path: ECHO, input }))).toBe('{"one":1}');
    expect(audit.records.map((record) => record.input)).toEqual([text, '{"one":1}']);
  });

  test('absent is undefined and null is null', async () => {
    const { decide } = await startGrpc();
    expect(resultOf(await decide({ path: ECHO }))).toBe('undefined');
    expect(resultOf(await decide({ path: ECHO, input: {} }))).toBe('undefined');
    expect(resultOf(await decide({ path: ECHO, input: json('null') }))).toBe('null');
    const nothing = { input: { case: 'value', value: { kind: { case: 'nullValue', value: 0 } } } } as const;
    expect(resultOf(await decide({ path: ECHO, input: nothing }))).toBe('null');
  });

  test('strict errors end an evaluation', async () => {
    const { decide } = await startGrpc();
    const asked = { path: 'shop/orders/strict', input: json('{}') };
    expect(resultOf(await decide(asked))).toBe('undefined');
    expect(resultOf(await decide({ ...asked, options: { strictErrors: true } }))).toBe('failed');
  });

  test('a result comes as a value when one is wanted, from memory too', async () => {
    const { decide, policy } = await startGrpc();
    policy.activate({ ...shop, rules: { all: gives('{"a":[1,2.5,"x",true,null,{}],"__proto__":{"b":-1e300}}') } });
    const options = { resultAsValue: true };
    for (const cache of [CacheState.MISS, CacheState.HIT, CacheState.HIT]) {
      const decision = await decide({ path: 'all', input: json('{}'), options });
      expect(decision.cache).toBe(cache);
      const { verdict } = decision;
      if (verdict.case !== 'decided' || verdict.value.result.case !== 'value') throw new Error('no value');
      const { toJson } = await import('@bufbuild/protobuf');
      const { ValueSchema } = await import('@bufbuild/protobuf/wkt');
      const found = toJson(ValueSchema, verdict.value.result.value);
      expect(JSON.stringify(found)).toBe('{"a":[1,2.5,"x",true,null,{}],"__proto__":{"b":-1e+300}}');
      expect(resultOf(await decide({ path: 'all', input: json('{}') }))).toMatch(/^\{"a"/);
    }
  });
});

describe('the cache', () => {
  test('the same request is answered from memory, the third time by its bytes alone', async () => {
    const { decide, policy, clock } = await startGrpc();
    const asked = { path: ALLOW, input: json('{"user":"u1"}') };
    const first = await decide(asked);
    expect(first).toMatchObject({ cache: CacheState.MISS, ageMs: 0n });
    expect(Number(first.freshMs)).toBeGreaterThan(1000);
    const until = Number(first.freshUntil?.seconds) * 1000 + Number(first.freshUntil?.nanos) / 1e6;
    expect(until).toBe(clock.nowMs() + Number(first.freshMs));
    clock.advance(700);
    for (let times = 0; times < 3; times++) {
      const again = await decide(asked);
      expect(again).toMatchObject({ cache: CacheState.HIT, ageMs: 700n });
      expect(again.freshMs).toBe(first.freshMs - 700n);
      expect(resultOf(again)).toBe('true');
    }
    expect(policy.evaluations(ALLOW)).toBe(1);
  });

  test('an activation in between is answered by what is active then', async () => {
    const { decide, policy } = await startGrpc();
    const asked = { path: ALLOW, input: json('{"user":"u1"}') };
    for (let times = 0; times < 3; times++) expect(resultOf(await decide(asked))).toBe('true');
    policy.activate({ ...shop, version: 4, rules: { [ALLOW]: gives('false') } });
    const after = await decide(asked);
    expect(resultOf(after)).toBe('false');
    expect(after.policies).toMatchObject([{ version: 4n }]);
  });

  test('a question may go round it', async () => {
    const { decide, policy } = await startGrpc();
    const asked = { path: ALLOW, input: json('{"user":"u1"}'), options: { bypassCache: true } };
    for (let times = 0; times < 3; times++) {
      expect(await decide(asked)).toMatchObject({ cache: CacheState.BYPASS, ageMs: 0n });
    }
    expect(policy.evaluations(ALLOW)).toBe(3);
  });

  test('what is remembered for one is not for one who may not ask', async () => {
    const other: Caller = { kind: 'token', name: 'other', roles: ['ask'], bundles: ['todo'] };
    const { decide, audit } = await startGrpc({ tokens: { vdt_other: other } });
    const asked = { path: ALLOW, input: json('{"user":"u1"}') };
    for (let times = 0; times < 3; times++) expect(resultOf(await decide(asked))).toBe('true');
    const metadata = new Metadata();
    metadata.set('authorization', 'Bearer vdt_other');
    expect(await decide(asked, metadata)).toMatchObject({ verdict: { case: 'failed', value: { code: 'forbidden' } } });
    expect(audit.records.at(-1)?.facts).toMatchObject({ caller: other });
    expect(audit.records.at(-1)?.facts.requestedBy).toMatch(/^127\.0\.0\.1:\d+$/);
    metadata.set('authorization', 'Bearer eyJ.of.another');
    expect(resultOf(await decide(asked, metadata))).toBe('true');
  });

  test('a token that is not valid ends the call', async () => {
    const { decide, decideBatch, audit, refusals, grpcWarnings } = await startGrpc();
    const input = json('{"user":"u1"}');
    const metadata = new Metadata();
    metadata.set('authorization', 'Bearer vdt_unknown');
    const questions = { case: 'variants' as const, value: { variants: [input] } };
    for (const asked of [decide({ path: ALLOW, input }, metadata), decideBatch({ path: ALLOW, questions }, metadata)]) {
      const error = (await asked.catch((thrown: unknown) => thrown)) as { details: string; metadata: Metadata };
      expect(error).toMatchObject({ code: status.UNAUTHENTICATED });
      expect(error.metadata.get('verdict-error')).toEqual(['token_invalid']);
      expect(error.details).toMatch(/^the token is not known here/);
      expect(error.details).not.toContain('vdt_');
    }
    expect(refusals).toEqual(['token_invalid', 'token_invalid']);
    expect(audit.records).toHaveLength(0);
    expect(grpcWarnings).toEqual([]);
  });
});

test('a request stands in the trace that it came with', async () => {
  const { decide, audit } = await startGrpc();
  const metadata = new Metadata();
  metadata.set('traceparent', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01');
  await decide({ path: ALLOW, input: json('{"user":"u1"}') }, metadata);
  expect(audit.records[0]?.facts.trace).toMatchObject({ traceId: '4bf92f3577b34da6a3ce929d0e0e4736' });
});

describe('what is no question', () => {
  const refused = async (asked: Parameters<Awaited<ReturnType<typeof startGrpc>>['decide']>[0], limits = {}) => {
    const { decide, audit } = await startGrpc({ limits });
    const error = await decide(asked).catch((thrown: unknown) => thrown);
    expect(audit.records).toHaveLength(0);
    const { code, details, metadata } = error as { code: number; details: string; metadata: Metadata };
    return { status: status[code], code: metadata?.get('verdict-error')[0], details };
  };

  test.each([
    ['{"a":1,}', 'body_malformed', 'input.json: line 1, column 8: expected a member name in double quotes (at byte 7'],
    ['{"a":[1,{"b":tru}]}', 'body_malformed', '(at byte 13, in /a/1/b)'],
    ['{"a":1,"\\u0061":2}', 'body_malformed', 'the same member name twice in one object'],
    ['{"a":"\\ud800"}', 'body_malformed', 'an escaped surrogate without its other half'],
    ['', 'body_malformed', 'expected a value'],
    ['{"verdict":{}}', 'member_reserved', 'the input has a member named verdict'],
    [`${'['.repeat(65)}${']'.repeat(65)}`, 'body_malformed', 'nested deeper than 64'],
  ])('the JSON %j is refused with its place', async (text, code, details) => {
    expect(await refused({ path: ALLOW, input: json(text) })).toEqual({
      status: 'INVALID_ARGUMENT',
      code,
      details: expect.stringContaining(details),
    });
  });

  test('more members than the limit, and a longer path, are refused', async () => {
    expect(await refused({ path: ALLOW, input: json('{"a":1,"b":2,"c":3}') }, { keys: 2 })).toMatchObject({
      details: expect.stringContaining('more than 2 members'),
    });
    expect(await refused({ path: 'a'.repeat(2049) })).toMatchObject({
      code: 'path_invalid',
      details: 'invalid path: 2049 bytes, at most 2048',
    });
    expect(await refused({ path: 'a/%ff' })).toMatchObject({ code: 'path_invalid', status: 'INVALID_ARGUMENT' });
    expect(await refused({ path: 'a/"' })).toMatchObject({ code: 'path_invalid' });
  });

  test.each(['', '/', '//'])('the path %j, which would be all data of all bundles, is none', async (path) => {
    const missing = {
      status: 'INVALID_ARGUMENT',
      code: 'member_missing',
      details: 'path: required, and missing',
    };
    expect(await refused({ path, input: json('{}') })).toEqual(missing);
    const { client, decideBatch, refusals, audit } = await startGrpc();
    const questions = { case: 'variants' as const, value: { variants: [json('{}')] } };
    await expect(decideBatch({ path, questions })).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: missing.details,
    });
    // As it comes from a client that wrote `pfad` and whose library drops what it does not know.
    await expect(callBytes(client, DECIDE, new Uint8Array())).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
    expect(refusals).toEqual(['member_missing', 'member_missing']);
    expect(audit.records).toHaveLength(0);
  });

  test('a larger message ends its call, and the connection goes on', async () => {
    const { decide, audit } = await startGrpc({ limits: { bodyBytes: 1000 } });
    const large = decide({ path: ALLOW, input: json(`"${'x'.repeat(1000)}"`) });
    await expect(large).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    expect(resultOf(await decide({ path: ALLOW, input: json('{"user":"u1"}') }))).toBe('true');
    expect(audit.records).toHaveLength(1);
  });
});
