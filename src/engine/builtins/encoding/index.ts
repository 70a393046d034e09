import type { Builtin, BuiltinEntry } from '../model.ts';
import { BuiltinError } from '../model.ts';
import { byteOperand, byteStringOperand, stringOfBytes } from '../operands.ts';
import { urlqueryDecode, urlqueryDecodeObject, urlqueryEncode, urlqueryEncodeObject } from './urlquery.ts';

const encodeAs =
  (encoding: 'hex' | 'base64url'): Builtin =>
  (_scope, text) =>
    Buffer.from(byteOperand(text, 1)).toString(encoding);

const hexDecode: Builtin = (_scope, text) => {
  const digits = byteStringOperand(text, 1);
  if (!/^(?:[0-9A-Fa-f]{2})*$/.test(digits)) throw new BuiltinError('invalid hexadecimal');
  return stringOfBytes(Buffer.from(digits, 'hex'));
};

/** What writes bytes as text, and reads them back. */
export const encodingBuiltins: readonly (readonly [string, BuiltinEntry])[] = [
  ['base64url.encode_no_pad', { run: encodeAs('base64url') }],
  ['hex.decode', { run: hexDecode }],
  ['hex.encode', { run: encodeAs('hex') }],
  ['urlquery.decode', { run: urlqueryDecode }],
  ['urlquery.decode_object', { run: urlqueryDecodeObject }],
  ['urlquery.encode', { run: urlqueryEncode }],
  ['urlquery.encode_object', { run: urlqueryEncodeObject }],
];
