import { hash, timingSafeEqual } from 'node:crypto';
import type { Builtin } from './model.ts';
import { byteOperand } from './operands.ts';

export type DigestName = 'md5' | 'sha1' | 'sha256' | 'sha384' | 'sha512';

const blockBytes: Readonly<Record<DigestName, number>> = { md5: 64, sha1: 64, sha256: 64, sha384: 128, sha512: 128 };

/** `crypto.md5`, `crypto.sha1`, `crypto.sha256`: lower-case hexadecimal of the string's bytes. */
export const digest =
  (name: DigestName): Builtin =>
  (_scope, text) =>
    hash(name, byteOperand(text, 1), 'hex');

/**
 * HMAC (RFC 2104) from two plain digests: `createHmac` sets up a stream object per call and takes several times as
 * long for the short messages that policies have.
 */
export const hmacOf = (name: DigestName, key: Uint8Array, message: Uint8Array): Buffer => {
  const block = blockBytes[name];
  const short = key.length > block ? hash(name, key, 'buffer') : key;
  const inner = Buffer.alloc(block + message.length, 0x36);
  const outer = Buffer.alloc(block, 0x5c);
  for (let at = 0; at < short.length; at++) {
    const byte = short[at] ?? 0;
    inner[at] = byte ^ 0x36;
    outer[at] = byte ^ 0x5c;
  }
  inner.set(message, block);
  return hash(name, Buffer.concat([outer, hash(name, inner, 'buffer')]), 'buffer');
};

/** `crypto.hmac.*`: message first, then key. */
export const hmac =
  (name: DigestName): Builtin =>
  (_scope, message, key) =>
    hmacOf(name, byteOperand(key, 2), byteOperand(message, 1)).toString('hex');

/** Equality in a time that does not depend on where the bytes differ. */
export const equalBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && timingSafeEqual(a, b);

/** `crypto.hmac.equal`. */
export const hmacEqual: Builtin = (_scope, a, b) => equalBytes(byteOperand(a, 1), byteOperand(b, 2));
