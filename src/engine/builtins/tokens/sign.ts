import { RegoNumber, RegoObject, RegoSet, type RegoValue } from '../../../rego/index.ts';
import { byteOf, bytesOfText, textOf } from '../format/byte-text.ts';
import { parseJson, readJson } from '../go-json.ts';
import { type Builtin, BuiltinError, type CallScope } from '../model.ts';
import { byteOperand, byteStringOperand, isText } from '../operands.ts';
import { type Jwk, readJwks } from './jwk.ts';
import { jwkMaterial } from './jwk-material.ts';
import { readJwkText, tokenAlgorithms } from './keys.ts';
import { algorithms, signWith } from './signatures.ts';
import { byteString } from './token.ts';

const escapes: Readonly<Record<string, string>> = { '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

const escapeOf = (char: string): string => {
  if (char === '"' || char === '\\') return `\\${char}`;
  if (byteOf(char) !== undefined) return '\\ufffd';
  return escapes[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
};

const escaped = /["\\\u0000-\u001f<>&\u2028\u2029]|(?<![\ud800-\udbff])[\udc80-\udcff]/g;

const quote = (text: string): string => `"${text.replace(escaped, escapeOf)}"`;

const memberName = (key: RegoValue): string => (isText(key) ? textOf(key) : goJson(key));

/** JSON as Go's encoder writes it: members sorted by bytes, sets as arrays, `<`, `>` and `&` escaped. */
export const goJson = (value: RegoValue): string => {
  if (value instanceof RegoNumber) return value.text;
  if (value instanceof RegoSet) return goJson(value.items);
  if (Array.isArray(value)) return `[${value.map(goJson).join(',')}]`;
  if (isText(value)) return quote(textOf(value));
  if (!(value instanceof RegoObject)) return String(value);
  const members = [...new Map(value.entries.map(([key, item]) => [memberName(key), goJson(item)] as const))];
  members.sort(([a], [b]) => Buffer.compare(bytesOfText(a), bytesOfText(b)));
  return `{${members.map(([name, item]) => `${quote(name)}:${item}`).join(',')}}`;
};

const isJson = (bytes: Buffer): boolean => {
  try {
    return /^[ \t\r\n]*$/.test(readJson(bytes).rest);
  } catch (error) {
    if (error instanceof BuiltinError) return false;
    throw error;
  }
};

const randomised = new Set(['pss', 'ecdsa']);

const signToken = (scope: CallScope, header: Buffer, payload: Buffer, jwks: readonly Jwk[]): string => {
  const [jwk] = jwks;
  if (!jwk) throw new BuiltinError('a JWK set to sign with must have a key');
  const members = parseJson(header);
  const member = (name: string) => (members instanceof RegoObject ? byteString(members.get(name)) : undefined);
  const name = member('alg') ?? '';
  const algorithm = tokenAlgorithms.has(name) ? algorithms.get(name) : undefined;
  if (!algorithm) throw new BuiltinError('the header must name an algorithm for signing');
  const type = member('typ');
  if ((type === undefined || type === 'JWT') && !isJson(payload)) throw new BuiltinError('the payload must be JSON');
  if (randomised.has(algorithm.family)) scope.markVolatile();
  const data = `${header.toString('base64url')}.${payload.toString('base64url')}`;
  return `${data}.${signWith(algorithm, jwkMaterial(jwk), Buffer.from(data)).toString('base64url')}`;
};

/** `io.jwt.encode_sign`: header, payload and key as objects. */
export const encodeSign: Builtin = (scope, header, payload, key) => {
  if (header === undefined || payload === undefined || key === undefined) throw new BuiltinError('3 operands needed');
  const jwks = readJwks(parseJson(Buffer.from(goJson(key))));
  return signToken(scope, Buffer.from(goJson(header)), Buffer.from(goJson(payload)), jwks);
};

/** `io.jwt.encode_sign_raw`: header, payload and key as text, which is signed byte for byte. */
export const encodeSignRaw: Builtin = (scope, header, payload, key) => {
  const jwks = readJwkText(byteStringOperand(key, 3));
  return signToken(scope, Buffer.from(byteOperand(header, 1)), Buffer.from(byteOperand(payload, 2)), jwks);
};
