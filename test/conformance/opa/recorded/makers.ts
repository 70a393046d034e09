// Keys made afresh at every recording, and tokens signed with them in every way that the cases need.
import { execFileSync } from 'node:child_process';
import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hmacOf } from '../../../../src/engine/builtins/digests.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** One question: which builtin, with which operands. */
export type Ask = (name: string, builtin: string, ...operands: readonly Json[]) => void;

export const b64 = (value: Json | Buffer): string =>
  (Buffer.isBuffer(value) ? value : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))).toString(
    'base64url',
  );

export const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
export const otherRsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
export const smallRsa = generateKeyPairSync('rsa', { modulusLength: 1016 });
export const ec = {
  256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  512: generateKeyPairSync('ec', { namedCurve: 'P-521' }),
};
export const koblitz = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
export const ed = generateKeyPairSync('ed25519');
export const x25519 = generateKeyPairSync('x25519');
export const secret = 'a secret of some length, not very long';

export const pem = (key: KeyObject): string => key.export({ format: 'pem', type: 'spki' }) as string;
export const jwk = (key: KeyObject, more: { readonly [key: string]: Json } = {}): { readonly [key: string]: Json } => ({
  ...(key.export({ format: 'jwk' }) as { readonly [key: string]: Json }),
  ...more,
});
export const text = (value: Json): string => JSON.stringify(value);
export const set = (...keys: readonly Json[]): string => text({ keys });

export const certificate = (key: KeyObject): string => {
  const folder = mkdtempSync(join(tmpdir(), 'verdict-certificate-'));
  const file = join(folder, 'key.pem');
  try {
    writeFileSync(file, key.export({ format: 'pem', type: 'pkcs8' }));
    return execFileSync('openssl', ['req', '-x509', '-new', '-key', file, '-subj', '/CN=t', '-days', '9000'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
};

export type Size = 256 | 384 | 512;
export type Signer = (data: Buffer) => Buffer;

export const rs =
  (size: Size, key = rsa.privateKey): Signer =>
  (data) =>
    sign(`sha${size}`, data, { key, padding: constants.RSA_PKCS1_PADDING });
export const ps =
  (size: Size, saltLength: number = constants.RSA_PSS_SALTLEN_DIGEST): Signer =>
  (data) =>
    sign(`sha${size}`, data, { key: rsa.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
export const es =
  (size: Size, key = ec[size].privateKey): Signer =>
  (data) =>
    sign(`sha${size}`, data, { key, dsaEncoding: 'ieee-p1363' });
export const hs =
  (size: Size, key: string = secret): Signer =>
  (data) =>
    hmacOf(`sha${size}`, Buffer.from(key), data);
export const eddsa: Signer = (data) => sign(null, data, ed.privateKey);
export const unsigned: Signer = () => Buffer.alloc(0);

export const claims = { iss: 'issuer', sub: 'alice', jti: 'id-1', groups: ['a', 'b'] };

export const token = (header: Json, payload: Json | Buffer, signer: Signer): string => {
  const data = `${b64(header)}.${b64(payload)}`;
  return `${data}.${b64(signer(Buffer.from(data)))}`;
};

export const families: Readonly<Record<string, { readonly signer: Signer; readonly key: KeyObject }>> = {
  RS256: { signer: rs(256), key: rsa.publicKey },
  RS384: { signer: rs(384), key: rsa.publicKey },
  RS512: { signer: rs(512), key: rsa.publicKey },
  PS256: { signer: ps(256), key: rsa.publicKey },
  PS384: { signer: ps(384), key: rsa.publicKey },
  PS512: { signer: ps(512), key: rsa.publicKey },
  ES256: { signer: es(256), key: ec[256].publicKey },
  ES384: { signer: es(384), key: ec[384].publicKey },
  ES512: { signer: es(512), key: ec[512].publicKey },
  EdDSA: { signer: eddsa, key: ed.publicKey },
};
export const verifyName = (alg: string): string => `io.jwt.verify_${alg.toLowerCase()}`;

export const flipped = (value: string): string => {
  const [header, payload, signature = ''] = value.split('.');
  const bytes = Buffer.from(signature, 'base64url');
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  return `${header}.${payload}.${b64(bytes)}`;
};
export const withSignature = (value: string, change: (bytes: Buffer) => Buffer): string => {
  const [header, payload, signature = ''] = value.split('.');
  return `${header}.${payload}.${b64(change(Buffer.from(signature, 'base64url')))}`;
};

export const jwkOct = (value: string): { readonly [key: string]: Json } => ({ kty: 'oct', k: b64(value) });

/** The plain token of most cases, and the public key that verifies it. */
export const good = token({ alg: 'RS256' }, claims, rs(256));
export const spki = pem(rsa.publicKey);

/** The plain token with an ECDSA signature. */
export const p256 = token({ alg: 'ES256' }, claims, es(256));
