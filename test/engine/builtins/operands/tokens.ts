import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { typescriptBuiltins } from '../../../../src/engine/builtins/index.ts';
import { type RegoValue, regoInteger, regoObject } from '../../../../src/rego/index.ts';
import { callScope, jsonValue } from '../scope.ts';
import { anyValue, number, type OperandTable, operand } from './values.ts';

const { strings } = JSON.parse(readFileSync(new URL('../tokens.recorded.json', import.meta.url), 'utf8')) as {
  readonly strings: readonly string[];
};

/** The moment at which both sides stand. */
export const nowNs = 1_700_000_000_000_000_000n;
const tokens = strings.filter((text) => text.split('.').length === 3);
const keys = strings.filter((text) => !text.includes('.'));
// Go refuses certificates that are damaged anywhere, OpenSSL only where it looks: those are left as they are.
const alterable = keys.filter((text) => !/BEGIN CERT|x5c/.test(text));

/** A known token or key with one stretch of it replaced. */
const altered = (from: readonly string[]) =>
  fc
    .tuple(fc.constantFrom(...from), fc.nat(), fc.nat(4), fc.string({ maxLength: 4 }))
    .map(([whole, place, length, put]) => {
      const at = place % (whole.length + 1);
      return whole.slice(0, at) + put + whole.slice(at + length);
    });

const headerJson = fc
  .record(
    {
      alg: fc.constantFrom('HS256', 'RS256', 'PS384', 'ES256', 'EdDSA', 'none'),
      typ: fc.constantFrom<string | number>('JWT', 'x', 1),
      cty: fc.constantFrom('JWT', 'jwt', 'x'),
      kid: fc.constantFrom('a', 'b', ''),
      crit: fc.constantFrom<unknown>(['x'], [], ['kid'], 'x'),
    },
    { requiredKeys: [] },
  )
  .map((header) => JSON.stringify(header));
const claimsJson = fc.oneof(
  fc
    .record(
      {
        iss: fc.constantFrom('i', 'j'),
        aud: fc.constantFrom<unknown>('a', ['a', 'b'], [], 1),
        exp: fc.constantFrom<unknown>(1_700_000_000, 1_700_000_001, 1.5, 'x'),
        nbf: fc.constantFrom<unknown>(1_700_000_000, 1_700_000_001, null),
      },
      { requiredKeys: [] },
    )
    .map((claims) => JSON.stringify(claims)),
  fc.json(),
  fc.string(),
);
const base64url = (value: string): string => Buffer.from(value).toString('base64url');
const secretOf = 'secret';
const madeToken = fc.tuple(headerJson, claimsJson, fc.boolean()).map(([header, claims, isTrue]) => {
  const data = `${base64url(header)}.${base64url(claims)}`;
  const mark = typescriptBuiltins.get('crypto.hmac.sha256')?.run(callScope().scope, data, isTrue ? secretOf : 'other');
  return `${data}.${Buffer.from(String(mark), 'hex').toString('base64url')}`;
});

const token = fc.oneof(fc.constantFrom(...tokens), altered(tokens), madeToken);
const key = fc.oneof(fc.constantFrom(...keys), altered(alterable), fc.constant(secretOf));
const constraints = fc
  .record<Record<string, RegoValue>>(
    {
      cert: key,
      secret: fc.constantFrom(secretOf, '', 'other'),
      alg: fc.constantFrom('HS256', 'RS256', ''),
      iss: fc.constantFrom('i', ''),
      aud: fc.constantFrom('a', 'c', ''),
      time: fc.oneof(number, fc.constant(regoInteger(nowNs))),
      other: anyValue,
    },
    { requiredKeys: [] },
  )
  .map((members) => regoObject(Object.entries(members)));
const secretOnly = fc.constantFrom(regoObject([['secret', secretOf]]));
const keyOnly = key.map((cert) => regoObject([['cert', cert]]));

const isObject = (text: string): boolean => {
  try {
    return JSON.parse(text) instanceof Object;
  } catch {
    return false;
  }
};
const parsed = (json: string): RegoValue => jsonValue(json);
const claims = fc.oneof(claimsJson.filter(isObject).map(parsed), anyValue);
const jwk = fc.constantFrom(
  ...keys.filter(isObject).map(parsed),
  parsed(JSON.stringify({ kty: 'oct', k: base64url(secretOf) })),
);

const signed = [...typescriptBuiltins.keys()].filter((name) => name.startsWith('io.jwt.verify_'));

export const tokenOperands: OperandTable = new Map<string, fc.Arbitrary<readonly RegoValue[]>>([
  ['io.jwt.decode', fc.tuple(operand(token))],
  ['io.jwt.decode_verify', fc.tuple(operand(token), operand(fc.oneof(constraints, secretOnly, keyOnly)))],
  ...signed.map((name) => [name, fc.tuple(operand(token), operand(key))] as const),
  ['io.jwt.encode_sign_raw', fc.tuple(operand(headerJson), operand(claimsJson), operand(key))],
  ['io.jwt.encode_sign', fc.tuple(operand(headerJson.map(parsed)), operand(claims), operand(jwk))],
]);
