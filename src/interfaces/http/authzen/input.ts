import type { CheckedDocument, CheckedJson, JsonLimits, MemberSpan } from '../../../engine/index.ts';
import { checkJson, JsonError, sliceChecked } from '../../../engine/index.ts';
import { HttpError } from '../errors.ts';

/** The members that an evaluation takes from the defaults of its batch when it leaves them out. */
export const ENTITIES = ['subject', 'action', 'resource', 'context'] as const;
export type Entity = (typeof ENTITIES)[number];

/** Members that an entity must have, each a string. */
const required: { readonly [name in Entity]: readonly string[] } = {
  subject: ['type', 'id'],
  action: ['name'],
  resource: ['type', 'id'],
  context: [],
};

const missing = (pointer: string, wanted: string): HttpError =>
  new HttpError('member_missing', `${pointer}: ${wanted}`);

/** Checks a body against the limits; throws HttpError with the place. */
export const checkBody = (bytes: Uint8Array, limits: JsonLimits): CheckedDocument => {
  if (bytes.length === 0) throw new HttpError('body_malformed', 'the body is empty: a JSON object is wanted');
  try {
    const document = checkJson(bytes, limits);
    if (document.kind === 'object') return document;
    throw new HttpError('body_malformed', `the body is not a JSON object but ${document.kind}`);
  } catch (thrown) {
    if (!(thrown instanceof JsonError)) throw thrown;
    const { offset, pointer } = thrown.place;
    const code = thrown.code === 'JSON_TOO_LARGE' ? 'body_too_large' : 'body_malformed';
    throw new HttpError(code, `${thrown.message} (at byte ${offset}${pointer === '' ? '' : `, in ${pointer}`})`);
  }
};

/** Takes a checked value apart again, without limits: they held for the whole of which it is a part. */
export const reopen = (json: CheckedJson): CheckedDocument =>
  checkJson(json, { bytes: Infinity, depth: 512, keys: Infinity });

const QUOTE = 0x22;

/** Refuses an entity that is no object or lacks what the standard requires of it. */
export const checkEntity = (name: Entity, json: CheckedJson | undefined, at = ''): void => {
  const pointer = `${at}/${name}`;
  if (json === undefined) {
    if (name !== 'context') throw missing(pointer, 'required, and missing');
    return;
  }
  const entity = reopen(json);
  if (entity.kind !== 'object') throw missing(pointer, `must be an object, is ${entity.kind}`);
  for (const member of required[name]) {
    const value = sliceChecked(entity, member);
    if (value === undefined) throw missing(`${pointer}/${member}`, 'required, and missing');
    if (value[0] !== QUOTE) throw missing(`${pointer}/${member}`, 'must be a string');
  }
  if (name === 'context') return;
  const properties = sliceChecked(entity, 'properties');
  if (properties !== undefined && properties[0] !== 0x7b) throw missing(`${pointer}/properties`, 'must be an object');
};

/** Refuses a single evaluation request that is not complete. */
export const checkEvaluation = (document: CheckedDocument): void => {
  for (const name of ENTITIES) checkEntity(name, sliceChecked(document, name));
};

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

/** Members that are never input: `verdict` is what Verdict itself says about the caller. */
const RESERVED = 'verdict';

/** A member of a checked document as it stands, name and value. */
const memberText = (document: CheckedDocument, { keyStart, end }: MemberSpan): Uint8Array =>
  document.json.subarray(keyStart, end);

const COMMA = Buffer.from(',');

/**
 * The input of one evaluation: what it has itself, unknown members included, and of the four entities those that it
 * leaves out, whole, from the defaults. Spliced out of checked bytes: no text is written that was not sent.
 */
export const spliceInput = (own: CheckedDocument, defaults: CheckedDocument): CheckedJson => {
  const pieces: Uint8Array[] = [Buffer.from('{')];
  const add = (piece: Uint8Array): void => {
    if (pieces.length > 1) pieces.push(COMMA);
    pieces.push(piece);
  };
  for (const [name, span] of own.members) if (name !== RESERVED) add(memberText(own, span));
  for (const name of ENTITIES) {
    const span = own.members.has(name) ? undefined : defaults.members.get(name);
    if (span !== undefined) add(memberText(defaults, span));
  }
  pieces.push(Buffer.from('}'));
  return Buffer.concat(pieces) as Uint8Array as CheckedJson;
};
