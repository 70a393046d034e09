import type { BuiltinEntry, CallCost } from '../model.ts';
import { decode } from './decode.ts';
import { decodeVerify } from './decode-verify.ts';
import { encodeSign, encodeSignRaw } from './sign.ts';
import { verifyWithKey, verifyWithSecret } from './verify.ts';

const keyed = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];

// A signature of RSA takes some 0.1 ms to check and 1 ms to make; each key of a set may have to be tried.
const verifying: CallCost = { call: 100_000, byte: 250 };
const signing: CallCost = { call: 1_000_000, byte: 250 };

/** The builtins of `io.jwt`. */
export const tokenBuiltins: readonly (readonly [string, BuiltinEntry])[] = [
  ['io.jwt.decode', { run: decode }],
  ...keyed.map(
    (name) => [`io.jwt.verify_${name.toLowerCase()}`, { run: verifyWithKey(name), cost: verifying }] as const,
  ),
  ...([256, 384, 512] as const).map(
    (size) => [`io.jwt.verify_hs${size}`, { run: verifyWithSecret(`sha${size}`) }] as const,
  ),
  ['io.jwt.decode_verify', { run: decodeVerify, cost: verifying, nonDeterministic: true }],
  ['io.jwt.encode_sign', { run: encodeSign, cost: signing, nonDeterministic: true }],
  ['io.jwt.encode_sign_raw', { run: encodeSignRaw, cost: signing, nonDeterministic: true }],
];
