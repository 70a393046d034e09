import type { RegoObject, RegoValue } from '../../../rego/index.ts';
import { type Builtin, BuiltinError, type CallScope } from '../model.ts';
import { stringOfBytes } from '../operands.ts';
import { decodeHeader, decodePart, jsonObject, readToken, reportToken } from './token.ts';

const isNested = (header: RegoObject): boolean => {
  const type = header.get('cty');
  if (type !== undefined && typeof type !== 'string') throw new BuiltinError("the token's cty must be a string");
  return type === 'JWT';
};

// A nested token may stand in quotes: both kinds are taken off, however many there are.
const unquoted = (payload: Buffer): Buffer =>
  Buffer.from(payload.toString('latin1').replace(/^["']+|["']+$/g, ''), 'latin1');

const decodeToken = (scope: CallScope, operand: RegoValue | undefined): RegoValue => {
  const token = readToken(operand);
  const header = decodeHeader(token);
  const payload = decodePart(token.payload, 'payload');
  reportToken(scope, token, { dependsOnNow: true });
  if (isNested(header)) return decodeToken(scope, stringOfBytes(unquoted(payload)));
  const claims = jsonObject(payload, 'payload');
  return [header, claims, decodePart(token.signature, 'signature').toString('hex')];
};

/** `io.jwt.decode`: header, claims and the signature in hexadecimal. Verifies nothing. */
export const decode: Builtin = (scope, token) => decodeToken(scope, token);
