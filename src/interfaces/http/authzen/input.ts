import type { CheckedDocument, CheckedJson, JsonLimits } from '../../../engine/index.ts';
import { sliceChecked } from '../../../engine/index.ts';
import { checkDocument, memberText, objectOf, RequestError, reopen } from '../../wire/index.ts';

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

const missing = (pointer: string, wanted: string): RequestError =>
  new RequestError('member_missing', `${pointer}: ${wanted}`);

/** Checks a body against the limits; throws RequestError with the place. */
export const checkBody = (bytes: Uint8Array, limits: JsonLimits): CheckedDocument => {
  if (bytes.length === 0) throw new RequestError('body_malformed', 'the body is empty: a JSON object is wanted');
  const document = checkDocument(bytes, limits);
  if (document.kind === 'object') return document;
  throw new RequestError('body_malformed', `the body is not a JSON object but ${document.kind}`);
};

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

/** Members that are never input: `verdict` is what Verdict itself says about the caller. */
const RESERVED = 'verdict';

/**
 * The input of one evaluation: what it has itself, unknown members included, and of the four entities those that it
 * leaves out, whole, from the defaults. Spliced out of checked bytes: no text is written that was not sent.
 */
export const spliceInput = (own: CheckedDocument, defaults: CheckedDocument): CheckedJson => {
  const members: Uint8Array[] = [];
  for (const [name, span] of own.members) if (name !== RESERVED) members.push(memberText(own, span));
  for (const name of ENTITIES) {
    const span = own.members.has(name) ? undefined : defaults.members.get(name);
    if (span !== undefined) members.push(memberText(defaults, span));
  }
  return objectOf(members);
};
