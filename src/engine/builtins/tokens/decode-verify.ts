import { RegoNumber, RegoObject, type RegoValue } from '../../../rego/index.ts';
import { type Builtin, BuiltinError, type CallScope } from '../model.ts';
import { objectOperand, stringOfBytes } from '../operands.ts';
import { readHeader } from './header.ts';
import { type VerificationKey, verificationKeys } from './keys.ts';
import { hasReached } from './moments.ts';
import { algorithms, isSignedBy } from './signatures.ts';
import type { Token } from './token.ts';
import { byteString, decodeHeader, decodePart, readToken, reportToken, signedData } from './token.ts';
import { candidates } from './verify.ts';

interface Constraints {
  readonly keys: readonly VerificationKey[];
  /** Empty: any algorithm, any issuer. */
  readonly algorithm: string;
  readonly issuer: string;
  /** Empty: a token that names an audience is for somebody else. */
  readonly audience: string;
  readonly nowNs: number;
  readonly dependsOnNow: boolean;
}

const known = new Set(['cert', 'secret', 'alg', 'iss', 'aud', 'time']);

const textConstraint = (constraints: RegoObject, name: string): string | undefined => {
  const value = constraints.get(name);
  const text = byteString(value);
  if (value !== undefined && text === undefined) throw new BuiltinError(`constraint ${name} must be a string`);
  return text;
};

const timeConstraint = (value: RegoValue): number => {
  const ns = value instanceof RegoNumber ? Number(value.text) : Number.NaN;
  if (!Number.isFinite(ns) || ns < 0) throw new BuiltinError('constraint time must be a number, and not negative');
  return ns;
};

const keysOf = (cert: string | undefined, secret: string | undefined): readonly VerificationKey[] => {
  const certified = cert === undefined ? undefined : verificationKeys(cert);
  if (!secret) {
    if (!certified) throw new BuiltinError('one of the constraints cert and secret is needed');
    return certified;
  }
  if (certified) throw new BuiltinError('only one of the constraints cert and secret may be given');
  return [{ algorithm: '', id: '', material: { kind: 'secret', bytes: Buffer.from(secret, 'latin1') } }];
};

const readConstraints = (scope: CallScope, constraints: RegoObject): Constraints => {
  for (const [name] of constraints.entries) {
    if (typeof name !== 'string' || !known.has(name)) throw new BuiltinError('unknown constraint');
  }
  const time = constraints.get('time');
  return {
    keys: keysOf(textConstraint(constraints, 'cert'), textConstraint(constraints, 'secret')),
    algorithm: textConstraint(constraints, 'alg') ?? '',
    issuer: textConstraint(constraints, 'iss') ?? '',
    audience: textConstraint(constraints, 'aud') ?? '',
    nowNs: time === undefined ? Number(scope.nowNs) : timeConstraint(time),
    dependsOnNow: time === undefined,
  };
};

interface Opened {
  readonly header: RegoObject;
  readonly token: Token;
}

const isSigned = (token: Token, keyId: string, algorithm: string, keys: readonly VerificationKey[]): boolean => {
  const signed = { data: signedData(token), signature: decodePart(token.signature, 'signature') };
  const named = algorithms.get(algorithm);
  if (!named) return false;
  return candidates(keys, { keyId, algorithm }).some(({ material }) => isSignedBy(named, material, signed, 'strict'));
};

/** The innermost token's parts, or undefined when a header or a signature on the way does not hold. */
const open = (scope: CallScope, operand: RegoValue | undefined, constraints: Constraints): Opened | undefined => {
  const token = readToken(operand);
  const decoded = decodeHeader(token);
  const header = readHeader(decoded);
  reportToken(scope, token, constraints);
  if (!header.isValid) return undefined;
  if (constraints.algorithm !== '' && constraints.algorithm !== header.algorithm) return undefined;
  if (!isSigned(token, header.keyId, header.algorithm, constraints.keys)) return undefined;
  if (!/^jwt$/i.test(header.contentType)) return { header: decoded, token };
  return open(scope, stringOfBytes(decodePart(token.payload, 'payload')), constraints);
};

const isFrom = (claims: RegoObject, issuer: string): boolean => {
  const claimed = claims.get('iss');
  if (issuer === '' || claimed === undefined) return issuer === '';
  const text = byteString(claimed);
  if (text === undefined) throw new BuiltinError("the token's iss must be a string");
  return text === issuer;
};

const isFor = (claims: RegoObject, audience: string): boolean => {
  const claimed = claims.get('aud');
  if (claimed === undefined) return audience === '';
  const named = Array.isArray(claimed) ? (claimed as readonly RegoValue[]) : [claimed];
  return named.some((name) => byteString(name) === audience);
};

const isPast = (claims: RegoObject, name: 'exp' | 'nbf', nowNs: number): boolean | undefined => {
  const seconds = claims.get(name);
  if (seconds === undefined) return undefined;
  if (!(seconds instanceof RegoNumber)) throw new BuiltinError(`the token's ${name} must be a number`);
  return hasReached(nowNs, seconds);
};

const holds = (claims: RegoObject, { issuer, audience, nowNs }: Constraints): boolean =>
  isFrom(claims, issuer) &&
  isFor(claims, audience) &&
  isPast(claims, 'exp', nowNs) !== true &&
  isPast(claims, 'nbf', nowNs) !== false;

/**
 * `io.jwt.decode_verify`: `[true, header, claims]` when signature and constraints hold, `[false, {}, {}]` when not.
 * Without a `time` constraint it reads the clock, but only to compare it with the token's times, which are reported
 * as boundaries: until the earliest of them the answer stays the same.
 */
export const decodeVerify: Builtin = (scope, token, constraintsOperand) => {
  const nothing = new RegoObject([]);
  const constraints = readConstraints(scope, objectOperand(constraintsOperand, 2));
  const opened = open(scope, token, constraints);
  if (!opened) return [false, nothing, nothing];
  const claims = opened.token.claims();
  return holds(claims, constraints) ? [true, opened.header, claims] : [false, nothing, nothing];
};
