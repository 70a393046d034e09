import type { RegoBytes, RegoValue } from '../../../rego/index.ts';
import { resultJson } from '../../values/result-json.ts';
import { decodeBase64, decodeBase64Url } from '../base64.ts';
import { decodeUtf8 } from '../format/byte-text.ts';
import { parseJson } from '../go-json.ts';
import type { Builtin } from '../model.ts';
import { BuiltinError } from '../model.ts';
import { byteOperand, byteStringOperand, isText, stringOfBytes } from '../operands.ts';

const decoded = (bytes: Buffer | undefined): string | RegoBytes => {
  if (bytes === undefined) throw new BuiltinError('illegal base64 data');
  return stringOfBytes(bytes);
};

export const base64Decode: Builtin = (_scope, text) => decoded(decodeBase64(byteStringOperand(text, 1), 'standard'));

export const base64UrlDecode: Builtin = (_scope, text) => decoded(decodeBase64Url(byteStringOperand(text, 1)));

export const base64IsValid: Builtin = (_scope, text) =>
  isText(text) && decodeBase64(byteStringOperand(text, 1), 'standard') !== undefined;

/** `json.marshal`: keys sorted, and the characters escaped that Go escapes for HTML. */
export const jsonMarshal: Builtin = (_scope, value) => resultJson(value as RegoValue);

export const jsonUnmarshal: Builtin = (_scope, text) => parseJson(Buffer.from(byteOperand(text, 1)));

const deepest = 10_000;

/** Go stops at this depth of nesting; only texts longer than it can be so deep. */
const isTooDeep = (text: string): boolean => {
  if (text.length <= deepest) return false;
  let depth = 0;
  for (const [mark] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[{\]}]/g)) {
    if (mark === '[' || mark === '{') depth++;
    else if (mark === ']' || mark === '}') depth--;
    if (depth > deepest) return true;
  }
  return false;
};

export const jsonIsValid: Builtin = (_scope, text) => {
  if (!isText(text)) return false;
  const json = decodeUtf8(byteOperand(text, 1), () => '\ufffd');
  try {
    JSON.parse(json);
    return !isTooDeep(json);
  } catch {
    return false;
  }
};
