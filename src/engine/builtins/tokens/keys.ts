import { LRUCache } from 'lru-cache';
import { readJson } from '../go-json.ts';
import { BuiltinError } from '../model.ts';
import { type Jwk, readJwk, readJwks } from './jwk.ts';
import { jwkMaterial } from './jwk-material.ts';
import { certificateMaterial, type KeyMaterial, publicKeyMaterial } from './material.ts';
import { firstPemBlock } from './pem.ts';

/** A key to verify with. `algorithm` and `id` are empty where the key does not say: a PEM key never does. */
export interface VerificationKey {
  readonly algorithm: string;
  readonly id: string;
  readonly material: KeyMaterial;
}

/** The algorithms that tokens are signed with in OPA; JWKs for any other are passed over. */
export const tokenAlgorithms: ReadonlySet<string> = new Set(
  'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 HS256 HS384 HS512 EdDSA'.split(' '),
);

const pemKey = (type: string, der: Buffer): KeyMaterial => {
  if (type === 'CERTIFICATE') return certificateMaterial(der);
  if (type === 'PUBLIC KEY') return publicKeyMaterial(der);
  throw new BuiltinError('a PEM key must be a CERTIFICATE or a PUBLIC KEY');
};

/**
 * The keys of a text that is a JWK or a JWK Set. OPA's library looks for a set only where the text is one JSON value
 * and no more, but reads a single key wherever one stands first.
 */
export const readJwkText = (text: string): readonly Jwk[] => {
  const { value, rest } = readJson(Buffer.from(text, 'latin1'));
  return /[^ \t\r\n]/.test(rest) ? [readJwk(value)] : readJwks(value);
};

const parseKeys = (text: string): readonly VerificationKey[] => {
  const block = firstPemBlock(text);
  if (block) {
    if (block.rest !== '') throw new BuiltinError('a PEM key must be followed by nothing');
    return [{ algorithm: '', id: '', material: pemKey(block.type, block.der) }];
  }
  return readJwkText(text)
    .map((jwk) => ({ algorithm: jwk.algorithm, id: jwk.id, material: jwkMaterial(jwk) }))
    .filter(({ algorithm }) => algorithm === '' || tokenAlgorithms.has(algorithm));
};

// The text may come from the input, so what is kept is bounded in number and size.
const parsed = new LRUCache<string, readonly VerificationKey[]>({
  max: 100,
  maxSize: 4 * 1024 * 1024,
  sizeCalculation: (_keys, text) => text.length + 1,
});

/** The keys in a PEM certificate, a PEM public key, a JWK or a JWK Set (as a byte string). Remembered by text. */
export const verificationKeys = (text: string): readonly VerificationKey[] => {
  const known = parsed.get(text);
  if (known) return known;
  const keys = parseKeys(text);
  parsed.set(text, keys);
  return keys;
};
