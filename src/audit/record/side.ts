import { hash, randomFillSync } from 'node:crypto';

/** A value that lies beside the log. `payload` is its frame's text in the side file. */
export interface SideValue {
  readonly sha256: string;
  readonly payload: string;
}

const SALT_BYTES = 16;
const pool = Buffer.allocUnsafe(SALT_BYTES * 256);
let used = pool.length;

const nextSalt = (): Buffer => {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += SALT_BYTES;
  return pool.subarray(used - SALT_BYTES, used);
};

/** SHA-256 over the salt's bytes and the value's text: a guessed value cannot be tried against the log alone. */
export const commitment = (salt: Uint8Array, value: string): string =>
  hash('sha256', Buffer.concat([salt, Buffer.from(value)]), 'hex');

/** The side value of a JSON text, and the text that stands for it in the record. */
export const toSide = (value: string): { readonly side: SideValue; readonly reference: string } => {
  const salt = nextSalt();
  const sha256 = commitment(salt, value);
  return {
    side: { sha256, payload: `{"sha256":"${sha256}","salt":"${salt.toString('hex')}","value":${value}}` },
    reference: `{"sha256":"${sha256}","bytes":${Buffer.byteLength(value)}}`,
  };
};
