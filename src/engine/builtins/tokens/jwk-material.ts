import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { type Jwk, refused } from './jwk.ts';
import { importing, type KeyMaterial, materialOf } from './material.ts';

const coordinateBytes: Readonly<Record<string, number>> = { 'P-256': 32, 'P-384': 48, 'P-521': 66 };

// OpenSSL verifies with nothing larger, and arithmetic on a key from the input must end soon.
const largestModulusBytes = 2048;

const bigOf = (jwk: Jwk, member: string): bigint => BigInt(`0x0${jwk.bytes.get(member)?.toString('hex') ?? ''}`);

const base64url = (value: bigint): string => {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex').toString('base64url');
};

const inverse = (value: bigint, modulus: bigint): bigint => {
  let [a, b, x, y] = [value % modulus, modulus, 1n, 0n];
  while (a > 1n && b > 0n) [a, b, x, y] = [b, a % b, y, x - (a / b) * y];
  return ((x % modulus) + modulus) % modulus;
};

const crtMembers = ['dp', 'dq', 'qi'] as const;

/** The members of a sound private key, or undefined. Values that a key brings for faster arithmetic count if all do. */
const privateMembers = (jwk: Jwk, n: bigint, e: bigint): Readonly<Record<string, bigint>> | undefined => {
  const [d, p, q] = [bigOf(jwk, 'd'), bigOf(jwk, 'p'), bigOf(jwk, 'q')];
  if (p <= 1n || q <= 1n || p >= n || q >= n || d >= n || p * q !== n) return undefined;
  if ((e * d) % (p - 1n) !== 1n || (e * d) % (q - 1n) !== 1n) return undefined;
  const crt = { dp: d % (p - 1n), dq: d % (q - 1n), qi: inverse(q, p) };
  const isBrought = crtMembers.every((member) => jwk.bytes.has(member));
  if (isBrought && crtMembers.some((member) => bigOf(jwk, member) !== crt[member])) return undefined;
  return { d, p, q, ...crt };
};

// OpenSSL signs with whatever it is given; Go checks the key first. The public half verifies in either case.
const rsaKey = (jwk: Jwk): KeyObject => {
  const [n, e] = [bigOf(jwk, 'n'), bigOf(jwk, 'e')];
  const open = { kty: 'RSA', n: base64url(n), e: base64url(e) };
  if (!jwk.isPrivate) return createPublicKey({ key: open, format: 'jwk' });
  if (!(jwk.bytes.has('p') && jwk.bytes.has('q'))) throw refused('p or q');
  const members = privateMembers(jwk, n, e);
  if (!members) return createPublicKey({ key: open, format: 'jwk' });
  const secret = Object.fromEntries(Object.entries(members).map(([name, value]) => [name, base64url(value)]));
  return createPrivateKey({ key: { ...open, ...secret }, format: 'jwk' });
};

// As with RSA, Go has no objection to a secret that is not the point's as long as only the point is used.
const ecKey = (jwk: Jwk): KeyObject => {
  const size = coordinateBytes[jwk.curve];
  if (size === undefined) throw refused('crv');
  const member = (name: string): string => {
    const bytes = jwk.bytes.get(name);
    if (bytes?.length !== size) throw refused(name);
    return bytes.toString('base64url');
  };
  const open = { kty: 'EC', crv: jwk.curve, x: member('x'), y: member('y') };
  const publicHalf = createPublicKey({ key: open, format: 'jwk' });
  if (!jwk.isPrivate) return publicHalf;
  const secret = { ...open, d: member('d') };
  try {
    return createPrivateKey({ key: secret, format: 'jwk' });
  } catch {
    return publicHalf;
  }
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
  if (jwk.type === 'RSA' && (jwk.bytes.get('n')?.length ?? 0) > largestModulusBytes) return { kind: 'other' };
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
