import type { CheckedDocument, CheckedJson, JsonLimits, MemberSpan } from '../../engine/index.ts';
import { checkJson, JsonError } from '../../engine/index.ts';
import { RequestError } from './errors.ts';
import type { RequestLimits } from './limits.ts';

export const jsonLimits = ({ bodyBytes, depth, keys }: RequestLimits): JsonLimits => ({
  bytes: bodyBytes,
  depth,
  keys,
});

/**
 * Checks a JSON text from outside; throws RequestError with the place: line and column, byte, JSON Pointer.
 *
 * @param what what the text is, as the beginning of the message: `body contains malformed input document: `
 */
export const checkDocument = (bytes: Uint8Array, limits: JsonLimits, what = ''): CheckedDocument => {
  try {
    return checkJson(bytes, limits);
  } catch (thrown) {
    if (!(thrown instanceof JsonError)) throw thrown;
    const { offset, pointer } = thrown.place;
    const code = thrown.code === 'JSON_TOO_LARGE' ? 'body_too_large' : 'body_malformed';
    throw new RequestError(
      code,
      `${what}${thrown.message} (at byte ${offset}${pointer === '' ? '' : `, in ${pointer}`})`,
    );
  }
};

/** Takes a checked value apart again, without limits: they held for the whole of which it is a part. */
export const reopen = (json: CheckedJson): CheckedDocument =>
  checkJson(json, { bytes: Infinity, depth: 512, keys: Infinity });

const RESERVED = Buffer.from('"verdict"');

/** `input.verdict` is what Verdict itself verified about the caller: nobody else may say it. */
export const refuseReserved = (input: CheckedJson): void => {
  // The name could be spelled with escapes: only bytes without it and without a backslash are clear at a glance.
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.length);
  if (!bytes.includes(RESERVED) && !bytes.includes(0x5c)) return;
  if (reopen(input).members.has('verdict')) {
    throw new RequestError('member_reserved', 'the input has a member named verdict, which is reserved');
  }
};

const QUOTE = 0x22;

/** The elements of a checked JSON array. */
export const elementsOf = (array: CheckedJson): CheckedJson[] => {
  const found: CheckedJson[] = [];
  let depth = 0;
  let start = -1;
  for (let at = 1; at < array.length; at++) {
    const byte = array[at];
    const ends = depth === 0 && (byte === 0x2c || byte === 0x5d);
    if (ends) {
      if (start >= 0) found.push(trimmed(array, start, at));
      start = -1;
      continue;
    }
    if (start < 0 && byte !== undefined && byte > 0x20) start = at;
    if (byte === QUOTE) {
      while (array[++at] !== QUOTE) if (array[at] === 0x5c) at++;
    } else if (byte === 0x5b || byte === 0x7b) depth++;
    else if (byte === 0x5d || byte === 0x7d) depth--;
  }
  return found;
};

const trimmed = (array: CheckedJson, start: number, after: number): CheckedJson => {
  let end = after;
  while ((array[end - 1] ?? 0) <= 0x20) end--;
  return array.subarray(start, end) as CheckedJson;
};

/** A member of a checked document as it stands, name and value. */
export const memberText = (document: CheckedDocument, { keyStart, end }: MemberSpan): Uint8Array =>
  document.json.subarray(keyStart, end);

const OPEN = Buffer.from('{');
const COMMA = Buffer.from(',');
const CLOSE = Buffer.from('}');

/** An object out of members that stand in checked texts; their names must differ. */
export const objectOf = (members: readonly Uint8Array[]): CheckedJson => {
  const pieces = members.flatMap((member, index) => (index === 0 ? [member] : [COMMA, member]));
  return Buffer.concat([OPEN, ...pieces, CLOSE]) as Uint8Array as CheckedJson;
};
