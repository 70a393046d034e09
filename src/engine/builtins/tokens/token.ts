import { sha256Hex } from '../../../canonical/index.ts';
import { bytesOf, RegoBytes, RegoNumber, RegoObject, type RegoValue } from '../../../rego/index.ts';
import type { SeenToken } from '../../model.ts';
import { decodeBase64Url } from '../base64.ts';
import { parseJson } from '../go-json.ts';
import { BuiltinError, type CallScope } from '../model.ts';
import { byteStringOperand } from '../operands.ts';
import { remembered } from '../remembered.ts';
import { momentsOf } from './moments.ts';

/** The three parts of a compact token, as byte strings, still encoded. */
export interface Token {
  readonly header: string;
  readonly payload: string;
  readonly signature: string;
  /** The claims, decoded once. Throws when the payload is no JSON object in base64url. */
  readonly claims: () => RegoObject;
}

const once = <T>(make: () => T): (() => T) => {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
};

/** Cuts a token operand at its periods. A token must have exactly two. */
export const readToken = (operand: RegoValue | undefined): Token => {
  const parts = byteStringOperand(operand, 1).split('.');
  const [header, payload, signature] = parts;
  if (header === undefined || payload === undefined || signature === undefined || parts.length > 3) {
    throw new BuiltinError(`a token must have 3 parts, not ${parts.length}`);
  }
  return { header, payload, signature, claims: once(() => jsonObject(decodePart(payload, 'payload'), 'payload')) };
};

export const decodePart = (part: string, name: 'header' | 'payload' | 'signature'): Buffer => {
  const bytes = decodeBase64Url(part);
  if (!bytes) throw new BuiltinError(`the token's ${name} must be base64url`);
  return bytes;
};

export const jsonObject = (bytes: Buffer, name: 'header' | 'payload'): RegoObject => {
  const value = parseJson(bytes);
  if (value instanceof RegoObject) return value;
  throw new BuiltinError(`the token's ${name} must be a JSON object`);
};

// Tokens of one issuer have the same header as long as it signs with one key.
const headerOf = remembered((part) => jsonObject(decodePart(part, 'header'), 'header'));

export const decodeHeader = (token: Token): RegoObject => {
  const header = headerOf(token.header);
  if (header.get('enc') !== undefined) throw new BuiltinError('encrypted tokens (JWE) are not supported');
  return header;
};

/** What is signed: header and payload as they stand in the token. */
export const signedData = (token: Token): Buffer => Buffer.from(`${token.header}.${token.payload}`, 'latin1');

/** A Rego string's bytes as a byte string, or undefined for any other value. */
export const byteString = (value: RegoValue | undefined): string | undefined =>
  typeof value === 'string' || value instanceof RegoBytes ? Buffer.from(bytesOf(value)).toString('latin1') : undefined;

const textClaim = (claims: RegoObject | undefined, name: string): string | undefined => {
  const value = claims?.get(name);
  return typeof value === 'string' ? value : undefined;
};

const timeClaim = (claims: RegoObject | undefined, name: string): number | undefined => {
  const value = claims?.get(name);
  const seconds = value instanceof RegoNumber ? Number(value.text) : Number.NaN;
  return Number.isFinite(seconds) ? seconds : undefined;
};

const claimsOf = (token: Token): RegoObject | undefined => {
  try {
    return token.claims();
  } catch (error) {
    if (error instanceof BuiltinError) return undefined;
    throw error;
  }
};

const seenToken = (token: Token, claims: RegoObject | undefined): SeenToken => {
  const optional = {
    issuer: textClaim(claims, 'iss'),
    subject: textClaim(claims, 'sub'),
    id: textClaim(claims, 'jti'),
    expires: timeClaim(claims, 'exp'),
    notBefore: timeClaim(claims, 'nbf'),
  };
  const present = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined));
  return { claimsDigest: sha256Hex(Buffer.from(token.payload, 'latin1')), ...present };
};

/**
 * Reports a token that an evaluation has looked at, forged or not: what a record and revocation need, and, unless the
 * caller has a clock of its own, the moments at which it becomes valid or expires.
 */
export const reportToken = (scope: CallScope, token: Token, { dependsOnNow }: { readonly dependsOnNow: boolean }) => {
  const claims = claimsOf(token);
  scope.addToken(seenToken(token, claims));
  if (!dependsOnNow) return;
  for (const name of ['exp', 'nbf']) {
    const seconds = claims?.get(name);
    if (!(seconds instanceof RegoNumber)) continue;
    for (const moment of momentsOf(seconds)) if (moment > scope.nowNs) scope.addBoundary(moment);
  }
};
