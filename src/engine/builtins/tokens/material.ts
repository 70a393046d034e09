import { createPublicKey, type JsonWebKey, type KeyObject, X509Certificate } from 'node:crypto';
import { BuiltinError } from '../model.ts';

/** A key in the forms that tell Go's key types apart; `other` is any key that can verify nothing here. */
export type KeyMaterial =
  | { readonly kind: 'rsa'; readonly key: KeyObject; readonly isPrivate: boolean; readonly sizeBytes: number }
  | { readonly kind: 'ec'; readonly key: KeyObject; readonly isPrivate: boolean; readonly sizeBytes: number }
  | { readonly kind: 'ed25519'; readonly key: KeyObject; readonly isPrivate: boolean }
  | { readonly kind: 'secret'; readonly bytes: Uint8Array }
  | { readonly kind: 'other' };

const coordinateBytes: Readonly<Record<string, number>> = {
  secp224r1: 28,
  prime256v1: 32,
  secp384r1: 48,
  secp521r1: 66,
};

/** What node:crypto throws says more about the key than a policy should see: it becomes `cause`. */
export const importing = <T>(what: string, make: () => T): T => {
  try {
    return make();
  } catch (cause) {
    throw new BuiltinError(`${what} cannot be read`, { cause });
  }
};

// Go verifies nothing with moduli under 1,024 bits or even ones, nor with exponents that are even, 1 or over 31 bits.
const isUsableRsa = ({ n = '', e = '' }: JsonWebKey, bits: number): boolean => {
  const modulus = Buffer.from(n, 'base64url');
  const exponent = BigInt(`0x0${Buffer.from(e, 'base64url').toString('hex')}`);
  const isOdd = ((modulus.at(-1) ?? 0) & 1) === 1;
  return bits >= 1024 && isOdd && exponent % 2n === 1n && exponent >= 3n && exponent < 1n << 31n;
};

const ecMaterial = (key: KeyObject, isPrivate: boolean): KeyMaterial => {
  const sizeBytes = coordinateBytes[key.asymmetricKeyDetails?.namedCurve ?? ''];
  if (sizeBytes === undefined) throw new BuiltinError('unsupported elliptic curve');
  return { kind: 'ec', key, isPrivate, sizeBytes };
};

/** The material of a public key, or of a private one whose public half verifies. */
export const materialOf = (key: KeyObject, isPrivate: boolean): KeyMaterial => {
  if (key.asymmetricKeyType === 'rsa') {
    const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
    const publicHalf = key.type === 'private' ? createPublicKey(key) : key;
    if (!isUsableRsa(publicHalf.export({ format: 'jwk' }), bits)) return { kind: 'other' };
    return { kind: 'rsa', key, isPrivate, sizeBytes: Math.ceil(bits / 8) };
  }
  if (key.asymmetricKeyType === 'ec') return ecMaterial(key, isPrivate);
  return key.asymmetricKeyType === 'ed25519' ? { kind: 'ed25519', key, isPrivate } : { kind: 'other' };
};

export const certificateMaterial = (der: Buffer): KeyMaterial =>
  materialOf(
    importing('certificate', () => new X509Certificate(der).publicKey),
    false,
  );

const publicKeyTypes = ['rsa', 'ec', 'ed25519', 'x25519', 'dsa'];

/** A PEM block `PUBLIC KEY` (SubjectPublicKeyInfo). */
export const publicKeyMaterial = (der: Buffer): KeyMaterial => {
  const key = importing('public key', () => createPublicKey({ key: der, format: 'der', type: 'spki' }));
  // OpenSSL passes over what Go refuses: parameters of another kind, bytes behind the end.
  const isExact = key.export({ format: 'der', type: 'spki' }).equals(der);
  if (!isExact || !publicKeyTypes.includes(key.asymmetricKeyType ?? '')) throw new BuiltinError('unknown public key');
  return materialOf(key, false);
};
