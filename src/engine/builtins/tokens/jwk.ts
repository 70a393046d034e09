import { X509Certificate } from 'node:crypto';
import type { RegoValue } from '../../../rego/index.ts';
import { RegoObject } from '../../../rego/index.ts';
import { decodeBase64 } from '../base64.ts';
import { BuiltinError } from '../model.ts';
import { importing } from './material.ts';

/** A JSON Web Key whose members have the types that they must have; `jwkMaterial` makes the key itself. */
export interface Jwk {
  readonly type: 'RSA' | 'EC' | 'OKP' | 'oct';
  readonly isPrivate: boolean;
  readonly algorithm: string;
  readonly id: string;
  readonly curve: string;
  readonly bytes: ReadonlyMap<string, Buffer>;
}

const maxKeys = 1000;
const maxChain = 10;
const maxCertificateBytes = 256 * 1024;

// A key whose `alg` is none of these is refused, and the whole set with it.
const knownAlgorithms = new Set(
  [
    'ES256 ES256K ES384 ES512 EdDSA Ed25519 HS256 HS384 HS512 none PS256 PS384 PS512 RS256 RS384 RS512',
    'A128GCMKW A128KW A192GCMKW A192KW A256GCMKW A256KW dir ECDH-ES ECDH-ES+A128KW ECDH-ES+A192KW ECDH-ES+A256KW',
    'PBES2-HS256+A128KW PBES2-HS384+A192KW PBES2-HS512+A256KW RSA1_5 RSA-OAEP RSA-OAEP-256 RSA-OAEP-384 RSA-OAEP-512',
    'A128CBC-HS256 A128GCM A192CBC-HS384 A192GCM A256CBC-HS512 A256GCM',
  ].flatMap((line) => line.split(' ')),
);

const curves = new Set(['Ed25519', 'Ed448', 'X25519', 'X448', 'P-256', 'P-384', 'P-521']);

// Members that hold base64 by key type: the ones a public key must have, those a private key adds, optional ones.
const byteMembers = {
  RSA: { always: ['n', 'e'], secret: ['d'], optional: ['p', 'q', 'dp', 'dq', 'qi'] },
  EC: { always: ['x', 'y'], secret: ['d'], optional: [] },
  OKP: { always: ['x'], secret: ['d'], optional: [] },
  oct: { always: ['k'], secret: [], optional: [] },
} as const;

export const refused = (member: string): BuiltinError =>
  new BuiltinError(`JWK member ${member} is missing or not valid`);

/** `null` counts as the empty string, as it does for Go's decoder. */
const textMember = (jwk: RegoObject, member: string): string | undefined => {
  const value = jwk.get(member);
  if (value === undefined || typeof value === 'string') return value;
  if (value === null) return '';
  throw refused(member);
};

const decodeEither = (text: string): Buffer | undefined => {
  const form = /[+/]/.test(text) ? 'standard' : 'url';
  if (text.endsWith('=')) return decodeBase64(text, form);
  const bare = text.replace(/[\r\n]/g, '');
  return decodeBase64(bare + '='.repeat((4 - (bare.length % 4)) % 4), form);
};

const checkChain = (chain: RegoValue | undefined): void => {
  if (chain === undefined || chain === null) return;
  if (!Array.isArray(chain) || chain.length > maxChain) throw refused('x5c');
  for (const certificate of chain as readonly RegoValue[]) {
    if (typeof certificate !== 'string') throw refused('x5c');
    const der = decodeBase64(certificate.replace(/[ \t\r\n\v\f]/g, ''), 'standard');
    if (!der || der.length > maxCertificateBytes) throw refused('x5c');
    importing('certificate of a JWK', () => new X509Certificate(der));
  }
};

const checkOperations = (operations: RegoValue | undefined): void => {
  if (operations === undefined || operations === null) return;
  const areTexts = Array.isArray(operations) && operations.every((item) => typeof item === 'string' || item === null);
  if (!areTexts) throw refused('key_ops');
};

const readBytes = (jwk: RegoObject, type: Jwk['type'], isPrivate: boolean): ReadonlyMap<string, Buffer> => {
  const { always, secret, optional } = byteMembers[type];
  const required: readonly string[] = isPrivate ? [...always, ...secret] : always;
  const found = new Map<string, Buffer>();
  for (const member of isPrivate ? [...required, ...optional] : required) {
    const text = textMember(jwk, member);
    const bytes = text === undefined ? undefined : decodeEither(text);
    const isRequired = required.includes(member);
    if (text === undefined ? isRequired : bytes === undefined) throw refused(member);
    if (bytes) found.set(member, bytes);
  }
  for (const member of required) if (found.get(member)?.length === 0) throw refused(member);
  return found;
};

/** Go matches the members that choose the key's type without regard to case. */
const probe = (jwk: RegoObject, member: string): RegoValue | undefined => {
  let found: RegoValue | undefined;
  for (const [name, value] of jwk.entries) {
    if (typeof name === 'string' && name.toLowerCase() === member) found = value;
  }
  return found;
};

const checkRsa = (bytes: ReadonlyMap<string, Buffer>): void => {
  const exponent = BigInt(`0x0${bytes.get('e')?.toString('hex') ?? ''}`);
  const modulus = bytes.get('n');
  if (!modulus?.some((byte) => byte !== 0)) throw refused('n');
  if (exponent % 2n === 0n || exponent >= 1n << 63n) throw refused('e');
};

const readCurve = (jwk: RegoObject, type: 'EC' | 'OKP', bytes: ReadonlyMap<string, Buffer>): string => {
  const curve = textMember(jwk, 'crv') ?? '';
  if (!curves.has(curve)) throw refused('crv');
  const isShort = curve === 'Ed25519' || curve === 'X25519';
  if (type === 'OKP' && isShort) {
    if (bytes.get('x')?.length !== 32) throw refused('x');
    if (bytes.has('d') && bytes.get('d')?.length !== 32) throw refused('d');
  }
  return curve;
};

/** One key out of a JSON value. Throws for a key that OPA would not read. */
export const readJwk = (jwk: RegoValue): Jwk => {
  if (!(jwk instanceof RegoObject)) throw new BuiltinError('a JWK must be an object');
  const type = probe(jwk, 'kty');
  if (typeof type !== 'string' || !Object.hasOwn(byteMembers, type)) throw refused('kty');
  if ((textMember(jwk, 'kty') ?? type) !== type) throw refused('kty');
  const known = type as Jwk['type'];
  const isPrivate = known !== 'oct' && probe(jwk, 'd') !== undefined;
  const algorithm = textMember(jwk, 'alg');
  if (algorithm !== undefined && !knownAlgorithms.has(algorithm)) throw refused('alg');
  for (const member of ['use', 'x5t', 'x5t#S256', 'x5u']) textMember(jwk, member);
  checkOperations(jwk.get('key_ops'));
  checkChain(jwk.get('x5c'));
  const bytes = readBytes(jwk, known, isPrivate);
  if (known === 'RSA') checkRsa(bytes);
  const curve = known === 'EC' || known === 'OKP' ? readCurve(jwk, known, bytes) : '';
  return { type: known, isPrivate, algorithm: algorithm ?? '', id: textMember(jwk, 'kid') ?? '', curve, bytes };
};

/** The keys of a JWK Set, or the one key that the value is. A single bad key refuses the whole set. */
export const readJwks = (value: RegoValue): readonly Jwk[] => {
  const keys = value instanceof RegoObject ? value.get('keys') : undefined;
  if (keys === undefined) return [readJwk(value)];
  if (!Array.isArray(keys)) throw new BuiltinError('the keys of a JWK set must be an array');
  if (keys.length > maxKeys) throw new BuiltinError(`a JWK set has at most ${maxKeys} keys`);
  return (keys as readonly RegoValue[]).map(readJwk);
};
