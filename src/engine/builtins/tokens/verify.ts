import { type DigestName, equalBytes, hmacOf } from '../digests.ts';
import type { Builtin } from '../model.ts';
import { byteOperand, byteStringOperand } from '../operands.ts';
import { readHeader } from './header.ts';
import { type VerificationKey, verificationKeys } from './keys.ts';
import { algorithms, isSignedBy } from './signatures.ts';
import { decodeHeader, decodePart, readToken, reportToken, signedData } from './token.ts';

/**
 * The keys to try, in order: the first with the token's `kid` alone, when there is one; else those without an
 * algorithm and those with the token's.
 */
export const candidates = (
  keys: readonly VerificationKey[],
  header: { readonly keyId: string; readonly algorithm: string },
): readonly VerificationKey[] => {
  const named = header.keyId === '' ? undefined : keys.find(({ id }) => id === header.keyId);
  return named ? [named] : keys.filter(({ algorithm }) => algorithm === '' || algorithm === header.algorithm);
};

/**
 * `io.jwt.verify_*` with a public key: the builtin's name chooses the algorithm, whatever the token's header says.
 * The claims are not looked at.
 */
export const verifyWithKey = (name: string): Builtin => {
  const algorithm = algorithms.get(name);
  if (!algorithm) throw new TypeError(`no such algorithm: ${name}`);
  return (scope, tokenOperand, keyOperand) => {
    const token = readToken(tokenOperand);
    const keys = verificationKeys(byteStringOperand(keyOperand, 2));
    const signature = decodePart(token.signature, 'signature');
    const header = readHeader(decodeHeader(token));
    reportToken(scope, token, { dependsOnNow: true });
    const signed = { data: signedData(token), signature };
    return candidates(keys, header).some(({ material }) => isSignedBy(algorithm, material, signed, 'loose'));
  };
};

/** `io.jwt.verify_hs*`: the secret is the string's bytes; the header is not looked at. */
export const verifyWithSecret =
  (digest: DigestName): Builtin =>
  (scope, tokenOperand, secret) => {
    byteStringOperand(tokenOperand, 1);
    const key = byteOperand(secret, 2);
    const token = readToken(tokenOperand);
    const signature = decodePart(token.signature, 'signature');
    reportToken(scope, token, { dependsOnNow: true });
    return equalBytes(signature, hmacOf(digest, key, signedData(token)));
  };
