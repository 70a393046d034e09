import type { BuiltinEntry } from '../model.ts';
import { decode } from './decode.ts';
import { decodeVerify } from './decode-verify.ts';
import { encodeSign, encodeSignRaw } from './sign.ts';
import { verifyWithKey, verifyWithSecret } from './verify.ts';

const keyed = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];

/** The builtins of `io.jwt`. */
export const tokenBuiltins: readonly (readonly [string, BuiltinEntry])[] = [
  ['io.jwt.decode', { run: decode }],
  ...keyed.map((name) => [`io.jwt.verify_${name.toLowerCase()}`, { run: verifyWithKey(name) }] as const),
  ...([256, 384, 512] as const).map(
    (size) => [`io.jwt.verify_hs${size}`, { run: verifyWithSecret(`sha${size}`) }] as const,
  ),
  ['io.jwt.decode_verify', { run: decodeVerify, nonDeterministic: true }],
  ['io.jwt.encode_sign', { run: encodeSign, nonDeterministic: true }],
  ['io.jwt.encode_sign_raw', { run: encodeSignRaw, nonDeterministic: true }],
];
