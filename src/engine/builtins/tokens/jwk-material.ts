import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { type Jwk, refused } from './jwk.ts';
import { importing, type KeyMaterial, materialOf } from './material.ts';

const curveBits: Readonly<Record<string, number>> = { 'P-256': 256, 'P-384': 384, 'P-521': 521 };

const bigOf = (jwk: Jwk, member: string): bigint => BigInt(`0x0${jwk.bytes.get(member)?.toString('hex') ?? ''}`);

const base64url = (value: bigint, sizeBytes?: number): string => {
  const hex = value.toString(16);
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  return Buffer.from(sizeBytes === undefined ? even : even.padStart(sizeBytes * 2, '0'), 'hex').toString('base64url');
};

const inverse = (value: bigint, modulus: bigint): bigint => {
  let [a, b, x, y] = [value % modulus, modulus, 1n, 0n];
  while (a > 1n && b > 0n) [a, b, x, y] = [b, a % b, y, x - (a / b) * y];
  return ((x % modulus) + modulus) % modulus;
};

// OpenSSL signs with whatever it is given; Go checks the key first. The public half verifies in either case.
const rsaKey = (jwk: Jwk): KeyObject => {
  const [n, e, d, p, q] = [bigOf(jwk, 'n'), bigOf(jwk, 'e'), bigOf(jwk, 'd'), bigOf(jwk, 'p'), bigOf(jwk, 'q')];
  const open = { kty: 'RSA', n: base64url(n), e: base64url(e) };
  if (jwk.isPrivate && !(jwk.bytes.has('p') && jwk.bytes.has('q'))) throw refused('p or q');
  const isSound = p > 1n && q > 1n && p * q === n && (e * d) % (p - 1n) === 1n && (e * d) % (q - 1n) === 1n;
  if (!jwk.isPrivate || !isSound) return createPublicKey({ key: open, format: 'jwk' });
  const numbers = { d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi: inverse(q, p) };
  const secret = Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, base64url(value)]));
  return createPrivateKey({ key: { ...open, ...secret }, format: 'jwk' });
};

const ecKey = (jwk: Jwk): KeyObject => {
  const bits = curveBits[jwk.curve];
  if (bits === undefined) throw refused('crv');
  const size = Math.ceil(bits / 8);
  const coordinate = (member: string): string => {
    const value = bigOf(jwk, member);
    if (value >> BigInt(bits) !== 0n) throw refused(member);
    return base64url(value, size);
  };
  const key = { kty: 'EC', crv: jwk.curve, x: coordinate('x'), y: coordinate('y') };
  return jwk.isPrivate
    ? createPrivateKey({ key: { ...key, d: coordinate('d') }, format: 'jwk' })
    : createPublicKey({ key, format: 'jwk' });
};

const edKey = (jwk: Jwk): KeyObject => {
  const x = jwk.bytes.get('x')?.toString('base64url') ?? '';
  const d = jwk.bytes.get('d')?.toString('base64url') ?? '';
  if (!jwk.isPrivate) return createPublicKey({ key: { kty: 'OKP', crv: jwk.curve, x }, format: 'jwk' });
  const key = createPrivateKey({ key: { kty: 'OKP', crv: jwk.curve, x, d }, format: 'jwk' });
  if (createPublicKey(key).export({ format: 'jwk' }).x !== x) throw refused('x');
  return key;
};

/** The key itself. Throws for a key that Go could not make either: a point off the curve, an unknown curve. */
export const jwkMaterial = (jwk: Jwk): KeyMaterial => {
  if (jwk.type === 'oct') return { kind: 'secret', bytes: jwk.bytes.get('k') ?? Buffer.alloc(0) };
  if (jwk.type === 'OKP' && jwk.curve === 'X25519') return { kind: 'other' };
  if (jwk.type === 'OKP' && jwk.curve !== 'Ed25519') throw refused('crv');
  const makers = { RSA: rsaKey, EC: ecKey, OKP: edKey };
  const make = makers[jwk.type];
  return materialOf(
    importing('JWK', () => make(jwk)),
    jwk.isPrivate,
  );
};
