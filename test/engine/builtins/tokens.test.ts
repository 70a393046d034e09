import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hmacOf } from '../../../src/engine/builtins/digests.ts';
import { typescriptBuiltins } from '../../../src/engine/builtins/index.ts';
import { BuiltinError } from '../../../src/engine/builtins/model.ts';
import { publicName } from '../../../src/engine/builtins/natives/index.ts';
import { equalValues, RegoBytes, type RegoValue, regoInteger, regoObject } from '../../../src/rego/index.ts';
import { callScope, jsonValue } from './scope.ts';

const second = 1_000_000_000n;
const now = 1_700_000_000n * second;
/** OPA compares doubles: around now they are 256 ns apart, and a time counts as reached 128 ns early. */
const early = 128n;
const endOfClock = 2n ** 63n - 1n;
const secret = 'secret';

const encode = (text: string): string => Buffer.from(text).toString('base64url');

/** A token signed with HMAC; header and claims as JSON text, so that every digit of a time counts. */
const signed = (claims: string, header = '{"alg":"HS256"}'): string => {
  const data = `${encode(header)}.${encode(claims)}`;
  return `${data}.${hmacOf('sha256', Buffer.from(secret), Buffer.from(data)).toString('base64url')}`;
};

const earliest = (moments: readonly bigint[]): bigint | undefined =>
  moments.reduce<bigint | undefined>(
    (first, moment) => (first === undefined || moment < first ? moment : first),
    undefined,
  );

const call = (name: string, nowNs: bigint, ...operands: readonly RegoValue[]) => {
  const { scope, reported } = callScope(nowNs);
  return { answer: typescriptBuiltins.get(name)?.run(scope, ...operands), reported };
};

const withSecret = regoObject([['secret', secret]]);
const withSecretAt = (ns: bigint) =>
  regoObject([
    ['secret', secret],
    ['time', regoInteger(ns)],
  ]);
const isValid = (answer: RegoValue | undefined): boolean => Array.isArray(answer) && answer[0] === true;

describe('what an evaluation rests on', () => {
  test('decoding reports who issued the token, its times, and the digest of its claims', () => {
    const token = signed('{"iss":"i","sub":"s","jti":"j","exp":1700000060,"nbf":1700000010}');
    const { reported } = call('io.jwt.decode', now, token);
    expect(reported.tokens).toMatchObject([
      { issuer: 'i', subject: 's', id: 'j', expires: 1700000060, notBefore: 1700000010 },
    ]);
    expect(reported.tokens[0]?.claimsDigest).toMatch(/^[0-9a-f]{64}$/);
    expect(earliest(reported.boundaries)).toBe(now + 10n * second - early);
    expect(reported.boundaries).toContain(now + 60n * second - early);
    expect(reported.boundaries).toContain(now + 60n * second);
    expect(reported.volatile).toBe(false);
  });

  test('times that are past, missing or no numbers are no boundaries', () => {
    for (const claims of ['{"exp":1,"nbf":1699999999}', '{}', '{"exp":"x","nbf":null}', '{"exp":1e300,"nbf":-1}']) {
      expect(call('io.jwt.decode', now, signed(claims)).reported.boundaries).toEqual([]);
    }
  });

  test.each(['io.jwt.verify_hs256', 'io.jwt.verify_hs512'])('%s reports the token, forged or not', (name) => {
    const { reported } = call(name, now, signed('{"iss":"i","exp":1700000001}'), secret);
    expect(reported.tokens).toMatchObject([{ issuer: 'i' }]);
    expect(earliest(reported.boundaries)).toBe(now + second - early);
  });

  test('verifying with a public key reports the token', () => {
    const key = generateKeyPairSync('ed25519').publicKey.export({ format: 'pem', type: 'spki' }) as string;
    const { answer, reported } = call('io.jwt.verify_eddsa', now, signed('{"jti":"x","exp":1700000001}'), key);
    expect(answer).toBe(false);
    expect(reported.tokens).toMatchObject([{ id: 'x' }]);
    expect(earliest(reported.boundaries)).toBe(now + second - early);
  });

  test('decode_verify with a time of its own does not depend on the clock, but reports the token', () => {
    const { answer, reported } = call(
      'io.jwt.decode_verify',
      now,
      signed('{"exp":1700000060,"jti":"j"}'),
      withSecretAt(now),
    );
    expect(isValid(answer)).toBe(true);
    expect(reported).toMatchObject({ volatile: false, boundaries: [], tokens: [{ id: 'j' }] });
  });

  test('a nested token is reported beside the one around it', () => {
    const inner = signed('{"jti":"inner","exp":1700000005}');
    const { reported } = call('io.jwt.decode', now, signed(inner, '{"alg":"HS256","cty":"JWT"}'));
    expect(reported.tokens.map(({ id }) => id)).toEqual([undefined, 'inner']);
    expect(earliest(reported.boundaries)).toBe(now + 5n * second - early);
  });

  test('the claims digest is of the text in the token, so two encodings of one claims set differ', () => {
    const digestOf = (claims: string) => call('io.jwt.decode', now, signed(claims)).reported.tokens[0]?.claimsDigest;
    expect(digestOf('{"a":1}')).not.toBe(digestOf('{"a": 1}'));
    expect(digestOf('{"a":1}')).toBe(digestOf('{"a":1}'));
  });

  test('the clock itself gives an answer without a known end', () => {
    const { answer, reported } = call('time.now_ns', 1_700_000_000_123_456_789n);
    expect(answer).toMatchObject({ text: '1700000000123456789' });
    expect(reported.volatile).toBe(true);
  });
});

describe('boundaries of decode_verify', () => {
  const anyTime = fc.oneof(
    fc.integer({ min: 1_600_000_000, max: 1_800_000_000 }).map(String),
    fc.tuple(fc.integer({ min: 1_600_000_000, max: 1_800_000_000 }), fc.nat(999_999_999)).map(([s, f]) => `${s}.${f}`),
    fc.integer({ min: 0, max: 9_000_000_000 }).map((s) => `${s}e0`),
    fc
      .tuple(fc.integer({ min: 1_600_000_000, max: 1_800_000_000 }), fc.nat(999), fc.constantFrom('0', '9'))
      .map(([s, f, tail]) => `${s}.${f}${tail.repeat(90)}1`),
  );

  test('until the first boundary the answer stays the same, and behind the last one it is what it stays for ever', () => {
    const far = fc.bigInt({ min: 1_500_000_000n * second, max: 1_900_000_000n * second });
    const near = fc.bigInt({ min: -3000n, max: 3000n });
    const anyWhich = fc.constantFrom('exp', 'nbf', 'both');
    fc.assert(
      fc.property(fc.oneof(far, near), anyTime, anyTime, anyWhich, (clock, exp, nbf, which) => {
        const at = clock > 3000n ? clock : BigInt(Math.floor(Number(exp) * 1e9)) + clock;
        fc.pre(at >= 0n);
        const claims = { exp: `{"exp":${exp}}`, nbf: `{"nbf":${nbf}}`, both: `{"exp":${exp},"nbf":${nbf}}` }[which];
        const token = signed(claims);
        const validAt = (ns: bigint) => isValid(call('io.jwt.decode_verify', ns, token, withSecret).answer);
        const { answer, reported } = call('io.jwt.decode_verify', at, token, withSecret);
        const end = earliest(reported.boundaries);
        if (end === undefined) {
          expect(validAt(endOfClock)).toBe(isValid(answer));
          return;
        }
        expect(end > at).toBe(true);
        expect(validAt(end - 1n)).toBe(isValid(answer));
        expect(validAt((at + end) / 2n)).toBe(isValid(answer));
        const last = reported.boundaries.reduce((a, b) => (a > b ? a : b));
        expect(validAt(last + 4096n)).toBe(validAt(endOfClock));
      }),
      { numRuns: 1000 },
    );
  });

  test('the clock and the same moment as a constraint give the same answer', () => {
    fc.assert(
      fc.property(anyTime, fc.bigInt({ min: -2000n, max: 2000n }), (exp, by) => {
        const at = BigInt(Math.floor(Number(exp) * 1e9)) + by;
        fc.pre(at >= 0n);
        const token = signed(`{"exp":${exp}}`);
        const byClock = call('io.jwt.decode_verify', at, token, withSecret).answer;
        expect(isValid(byClock)).toBe(isValid(call('io.jwt.decode_verify', 1n, token, withSecretAt(at)).answer));
      }),
    );
  });
});

describe('hostile tokens', () => {
  test('a cty or iss that is no string is an error, where OPA itself would crash', () => {
    expect(() => call('io.jwt.decode', now, signed('{}', '{"alg":"HS256","cty":5}'))).toThrow(BuiltinError);
    const constraints = regoObject([
      ['secret', secret],
      ['iss', 'i'],
    ]);
    expect(() => call('io.jwt.decode_verify', now, signed('{"iss":5}'), constraints)).toThrow(BuiltinError);
    expect(() => call('io.jwt.decode_verify', now, signed('{}'), regoObject([[1 as never, secret]]))).toThrow(
      BuiltinError,
    );
  });

  test('claims nested without end are an error, not a crash', () => {
    const depth = 100_000;
    const token = signed(`{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`);
    expect(() => call('io.jwt.decode', now, token)).toThrow(BuiltinError);
  });

  test('tokens nested in tokens end where the text ends', () => {
    let token = signed('{"jti":"innermost"}');
    for (let depth = 0; depth < 20; depth++) token = signed(token, '{"alg":"HS256","cty":"JWT"}');
    const { answer } = call('io.jwt.decode_verify', now, token, withSecret);
    expect(isValid(answer)).toBe(true);
  });

  // Each of these took minutes with a pattern or an arithmetic that grows with the square of what it is given.
  test('long runs of quotes, of END lines, of digits, and huge keys are done with at once', () => {
    const quotes = signed(`${'"'.repeat(500_000)}x`, '{"alg":"HS256","cty":"JWT"}');
    expect(() => call('io.jwt.decode', now, quotes)).toThrow(BuiltinError);
    const ends = '-----BEGIN X-----\n'.padEnd(700_000, '\n-----END X');
    expect(() => call('io.jwt.verify_rs256', now, signed('{}'), ends)).toThrow(BuiltinError);
    const spaces = `-----BEGIN X-----\n${' '.repeat(500_000)}x\n-----END X-----\n`;
    expect(() => call('io.jwt.verify_rs256', now, signed('{}'), spaces)).toThrow(BuiltinError);
    const exp = signed(`{"exp":1700000060.${'0'.repeat(300_000)}1}`);
    expect(earliest(call('io.jwt.decode', now, exp).reported.boundaries)).toBe(now + 60n * second);
    const key = {
      kty: 'RSA',
      e: 'AQAB',
      n: 'B'.repeat(400_000),
      d: 'B'.repeat(400_000),
      p: 'AQ',
      q: 'B'.repeat(400_000),
    };
    expect(call('io.jwt.verify_rs256', now, signed('{}'), JSON.stringify(key)).answer).toBe(false);
  });

  test('an error names no part of the token or the key', () => {
    for (const [name, operands] of [
      ['io.jwt.decode', ['c2VjcmV0.c2VjcmV0.c2VjcmV0']],
      ['io.jwt.verify_rs256', [signed('{}'), '-----BEGIN PUBLIC KEY-----\nc2VjcmV0\n-----END PUBLIC KEY-----\n']],
      ['io.jwt.decode_verify', [signed('{}'), regoObject([['topsecret', 'c2VjcmV0']])]],
    ] as const) {
      expect(() => call(name, now, ...operands)).toThrow(
        expect.not.objectContaining({ message: expect.stringMatching(/secret|c2Vj/) }),
      );
    }
  });
});

describe('keys and signatures', () => {
  const algorithms = [
    ['RS256', generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['PS384', generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
    ['ES512', generateKeyPairSync('ec', { namedCurve: 'P-521' })],
    ['EdDSA', generateKeyPairSync('ed25519')],
  ] as const;

  test.each(algorithms)('what encode_sign signs with %s, decode_verify accepts, and no other key does', (alg, pair) => {
    const jwk = jsonValue(JSON.stringify(pair.privateKey.export({ format: 'jwk' })));
    const { answer, reported } = call(
      'io.jwt.encode_sign',
      now,
      regoObject([['alg', alg]]),
      regoObject([['a', 'ä']]),
      jwk,
    );
    const cert = (key: typeof pair.publicKey) =>
      regoObject([['cert', key.export({ format: 'pem', type: 'spki' }) as string]]);
    expect(isValid(call('io.jwt.decode_verify', now, answer ?? null, cert(pair.publicKey)).answer)).toBe(true);
    for (const [other, { publicKey }] of algorithms) {
      if (other !== alg)
        expect(isValid(call('io.jwt.decode_verify', now, answer ?? null, cert(publicKey)).answer)).toBe(false);
    }
    expect(reported.volatile).toBe(alg.startsWith('PS') || alg.startsWith('ES'));
  });

  test('strings that are no UTF-8 are hashed and compared as their bytes', () => {
    const bytes = new RegoBytes(Uint8Array.from([0xff, 0x00, 0x80]));
    expect(call('crypto.sha256', now, bytes).answer).toBe(
      'ef192b7af54e943f206ab27075ec1805384c972c9959fc5820f1fa7d5268fcef',
    );
    expect(call('crypto.hmac.equal', now, bytes, bytes).answer).toBe(true);
    expect(call('crypto.hmac.equal', now, bytes, '\ufffd\u0000\ufffd').answer).toBe(false);
  });

  test('one key text gives one answer, however often and in whatever order it is used', () => {
    const texts = algorithms.map(([, pair]) => pair.publicKey.export({ format: 'pem', type: 'spki' }) as string);
    const many = fc.array(fc.constantFrom(...texts, 'junk', ...Array.from({ length: 150 }, (_, at) => `junk ${at}`)));
    const token = signed('{}');
    fc.assert(
      fc.property(many, (keys) => {
        for (const key of keys) {
          if (key.startsWith('junk')) expect(() => call('io.jwt.verify_es256', now, token, key)).toThrow(BuiltinError);
          else expect(call('io.jwt.verify_es256', now, token, key).answer).toBe(false);
        }
      }),
      { numRuns: 20 },
    );
  });

  test('the flag of non-determinism is where OPA has it', () => {
    const flagged = [...typescriptBuiltins]
      .filter(([, { nonDeterministic }]) => nonDeterministic)
      .map(([name]) => publicName(name));
    expect([...new Set(flagged)].sort()).toEqual([
      'io.jwt.decode_verify',
      'io.jwt.encode_sign',
      'io.jwt.encode_sign_raw',
      'opa.runtime',
      'rand.intn',
      'time.now_ns',
      'uuid.rfc4122',
    ]);
  });

  test('a claims object keeps every member, whatever its name', () => {
    const { answer } = call('io.jwt.decode', now, signed('{"__proto__":{"a":1},"constructor":2}'));
    const claims = Array.isArray(answer) ? (answer[1] as RegoValue) : null;
    expect(equalValues(claims, jsonValue('{"constructor":2,"__proto__":{"a":1}}'))).toBe(true);
  });
});
