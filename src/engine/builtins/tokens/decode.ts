import type { RegoObject, RegoValue } from '../../../rego/index.ts';
import { type Builtin, BuiltinError, type CallScope } from '../model.ts';
import { stringOfBytes } from '../operands.ts';
import { decodeHeader, decodePart, readToken, reportToken } from './token.ts';

const isNested = (header: RegoObject): boolean => {
  const type = header.get('cty');
  if (type !== undefined && typeof type !== 'string') throw new BuiltinError("the token's cty must be a string");
  return type === 'JWT';
};

const isQuote = (char: string | undefined): boolean => char === '"' || char === "'";

// A nested token may stand in quotes: both kinds are taken off, however many there are. No pattern does it: one that
// ends in `+$` takes a time that grows with the square of a run of quotes.
const unquoted = (payload: Buffer): Buffer => {
  const text = payload.toString('latin1');
  let [start, end] = [0, text.length];
  while (start < end && isQuote(text[start])) start++;
  while (end > start && isQuote(text[end - 1])) end--;
  return payload.subarray(start, end);
};

const decodeToken = (scope: CallScope, operand: RegoValue | undefined): RegoValue => {
  const token = readToken(operand);
  const header = decodeHeader(token);
  const payload = decodePart(token.payload, 'payload');
  reportToken(scope, token, { dependsOnNow: true });
  if (isNested(header)) return decodeToken(scope, stringOfBytes(unquoted(payload)));
  return [header, token.claims(), decodePart(token.signature, 'signature').toString('hex')];
};

/** `io.jwt.decode`: header, claims and the signature in hexadecimal. Verifies nothing. */
export const decode: Builtin = (scope, token) => decodeToken(scope, token);
