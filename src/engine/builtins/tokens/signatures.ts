import { constants, type KeyObject, sign, verify } from 'node:crypto';
import { type DigestName, equalBytes, hmacOf } from '../digests.ts';
import { BuiltinError } from '../model.ts';
import type { KeyMaterial } from './material.ts';

export type Family = 'rsa' | 'pss' | 'ecdsa' | 'eddsa' | 'hmac';

export interface Algorithm {
  readonly family: Family;
  readonly digest: DigestName;
}

const sizes = [256, 384, 512] as const;
const curveOf = { 256: 'P256', 384: 'P384', 512: 'P521' } as const;

// Beside the names of RFC 7518, OPA's library answers to names of its own: a token that bears one verifies there.
const families: readonly (readonly [Family, (size: 256 | 384 | 512) => readonly string[]])[] = [
  ['rsa', (size) => [`RS${size}`, `RSA_PKCS1v15_WITH_SHA${size}`]],
  ['pss', (size) => [`PS${size}`, `RSA_PSS_WITH_SHA${size}`]],
  ['ecdsa', (size) => [`ES${size}`, `ECDSA_WITH_${curveOf[size]}_AND_SHA${size}`]],
  ['hmac', (size) => [`HS${size}`, `HMAC_WITH_SHA${size}`]],
];

/** What each `alg` of a token's header stands for. `none` stands for nothing. */
export const algorithms: ReadonlyMap<string, Algorithm> = new Map([
  ...families.flatMap(([family, names]) =>
    sizes.flatMap((size) =>
      names(size).map((name): [string, Algorithm] => [name, { family, digest: `sha${size}` as const }]),
    ),
  ),
  ...['EdDSA', 'Ed25519'].map((name): [string, Algorithm] => [name, { family: 'eddsa', digest: 'sha512' }]),
]);

/** Two numbers of the curve's size out of a signature's halves, or undefined when one cannot be of the curve. */
const evenHalves = (signature: Buffer, size: number): Buffer | undefined => {
  const middle = Math.floor(signature.length / 2);
  const even = Buffer.alloc(size * 2);
  for (const [half, end] of [
    [signature.subarray(0, middle), size],
    [signature.subarray(middle), size * 2],
  ] as const) {
    const start = half.findIndex((byte) => byte !== 0);
    const digits = start < 0 ? Buffer.alloc(0) : half.subarray(start);
    if (digits.length === 0 || digits.length > size) return undefined;
    digits.copy(even, end - digits.length);
  }
  return even;
};

const rsaOptions = (key: KeyObject, family: 'rsa' | 'pss', saltLength: number) =>
  family === 'rsa'
    ? { key, padding: constants.RSA_PKCS1_PADDING }
    : { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength };

/**
 * How strict a builtin is. `loose`, the `verify_*` builtins: any PSS salt, ECDSA signatures cut in the middle whatever
 * their length, public keys only. `strict`, `decode_verify`: salts as long as the digest, signatures exactly as long
 * as the curve asks, private keys by their public half, secrets for HMAC.
 */
export type Rigour = 'loose' | 'strict';

const verifiers: Readonly<
  Record<Family, (rigour: Rigour, digest: DigestName, material: KeyMaterial, data: Buffer, mark: Buffer) => boolean>
> = {
  rsa: (_rigour, digest, material, data, mark) =>
    material.kind === 'rsa' &&
    mark.length === material.sizeBytes &&
    verify(digest, data, rsaOptions(material.key, 'rsa', 0), mark),
  pss: (rigour, digest, material, data, mark) => {
    if (material.kind !== 'rsa' || mark.length !== material.sizeBytes) return false;
    const salt = rigour === 'loose' ? constants.RSA_PSS_SALTLEN_AUTO : constants.RSA_PSS_SALTLEN_DIGEST;
    return verify(digest, data, rsaOptions(material.key, 'pss', salt), mark);
  },
  ecdsa: (rigour, digest, material, data, mark) => {
    if (material.kind !== 'ec') return false;
    if (rigour === 'strict' && mark.length !== material.sizeBytes * 2) return false;
    const even = evenHalves(mark, material.sizeBytes);
    return even !== undefined && verify(digest, data, { key: material.key, dsaEncoding: 'ieee-p1363' }, even);
  },
  eddsa: (_rigour, _digest, material, data, mark) =>
    material.kind === 'ed25519' && mark.length === 64 && verify(null, data, material.key, mark),
  hmac: (_rigour, digest, material, data, mark) =>
    material.kind === 'secret' && equalBytes(hmacOf(digest, material.bytes, data), mark),
};

/** Whether the signature is the key's over the data. A key of another kind is a plain no. */
export const isSignedBy = (
  { family, digest }: Algorithm,
  material: KeyMaterial,
  signed: { readonly data: Buffer; readonly signature: Buffer },
  rigour: Rigour,
): boolean => {
  if (rigour === 'loose' && 'isPrivate' in material && material.isPrivate) return false;
  return verifiers[family](rigour, digest, material, signed.data, signed.signature);
};

/** In Go an Ed25519 key is its bytes, so OPA makes an HMAC with one when it is asked to; so must we. */
const secretOf = (material: KeyMaterial): Uint8Array => {
  if (material.kind === 'secret') return material.bytes;
  if (material.kind !== 'ed25519') throw new BuiltinError('the key is not of the kind that the algorithm needs');
  const { d = '', x = '' } = material.key.export({ format: 'jwk' });
  return Buffer.concat([Buffer.from(d, 'base64url'), Buffer.from(x, 'base64url')]);
};

/** A signature as tokens carry it. Throws for a key that does not fit the algorithm. */
export const signWith = ({ family, digest }: Algorithm, material: KeyMaterial, data: Buffer): Buffer => {
  if (family === 'hmac') return hmacOf(digest, secretOf(material), data);
  if (!('key' in material) || material.key.type !== 'private') throw new BuiltinError('the key cannot sign');
  const { kind, key } = material;
  if ((family === 'rsa' || family === 'pss') && kind === 'rsa') {
    return sign(digest, data, rsaOptions(key, family, constants.RSA_PSS_SALTLEN_DIGEST));
  }
  if (family === 'ecdsa' && kind === 'ec') return sign(digest, data, { key, dsaEncoding: 'ieee-p1363' });
  if (family === 'eddsa' && kind === 'ed25519') return sign(null, data, key);
  throw new BuiltinError('the key is not of the kind that the algorithm needs');
};
