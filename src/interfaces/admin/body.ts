import type { FastifyInstance } from 'fastify';
import { messageOf, valueFromJson } from '../../canonical/index.ts';
import type { Role } from '../../decision/model.ts';
import { checkJson, defaultJsonLimits } from '../../engine/index.ts';
import type { ExplainQuestion } from '../../policy/index.ts';
import { EXPLAIN_LEVELS, RegoObject, regoFromJson } from '../../rego/index.ts';
import { AdminError, type TokenRequest } from './model.ts';

/** Bytes of a JSON body: an input to explain may be as large as one to decide on. */
const JSON_BYTES = 1 << 20;
/** Bytes of what is asked about a token: its name, roles and bundles. */
const TOKEN_BYTES = 65_536;

const ARCHIVE_TYPES = ['application/gzip', 'application/x-gzip', 'application/octet-stream'];

/**
 * Replaces Fastify's parsers: JSON up to 1 MiB, archives up to `archiveBytes` as they came. A body without a content
 * type (curl -T) is an archive; any other type is refused.
 */
export const readBodies = (server: FastifyInstance, archiveBytes: number): void => {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser(ARCHIVE_TYPES, { parseAs: 'buffer', bodyLimit: archiveBytes }, (_, body, done) =>
    done(null, body),
  );
  server.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: archiveBytes }, (request, body, done) =>
    request.headers['content-type'] === undefined
      ? done(null, body)
      : done(new AdminError('MEDIA_TYPE_UNSUPPORTED', TYPES)),
  );
  server.addContentTypeParser('application/json', { parseAs: 'buffer', bodyLimit: JSON_BYTES }, (_, body, done) => {
    try {
      done(null, body.length === 0 ? undefined : { json: parse(body as Buffer), text: body.toString() });
    } catch (error) {
      done(new AdminError('REQUEST_INVALID', `the body is not the JSON that was wanted: ${messageOf(error)}`));
    }
  });
};

// Checked first: a member that stands twice, or a lone surrogate, is refused here as it is everywhere.
const parse = (bytes: Buffer): unknown => {
  checkJson(bytes, { ...defaultJsonLimits, bytes: JSON_BYTES });
  return valueFromJson(bytes.toString());
};

const TYPES = 'wanted application/gzip or application/octet-stream for a bundle, application/json elsewhere';

/** The archive that a request brought. */
export const archiveOf = (body: unknown): Uint8Array => {
  if (body instanceof Uint8Array) return body;
  if (body === undefined || body === null)
    throw new AdminError('REQUEST_INVALID', 'wanted a bundle archive as the body');
  throw new AdminError('MEDIA_TYPE_UNSUPPORTED', 'a bundle is sent as application/gzip or application/octet-stream');
};

const jsonOf = (body: unknown): unknown => {
  if (body instanceof Uint8Array) throw new AdminError('MEDIA_TYPE_UNSUPPORTED', 'this route takes application/json');
  return (body as { readonly json?: unknown } | null | undefined)?.json;
};

const textOf = (body: unknown): string => (body as { readonly text?: string } | null | undefined)?.text ?? '';

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

const optional = (value: unknown, fits: (value: unknown) => boolean): boolean => value === undefined || fits(value);

const MEMBERS = ['name', 'roles', 'bundles', 'expiresInSeconds'];

/** What POST /v1/tokens takes; which names and roles there are is for the token store to say. */
export const tokenRequestOf = (body: unknown): TokenRequest => {
  const value = jsonOf(body);
  if (textOf(body).length > TOKEN_BYTES)
    throw new AdminError('BODY_TOO_LARGE', `the body is larger than ${TOKEN_BYTES} bytes`);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new AdminError('REQUEST_INVALID', 'wanted a JSON object with name and roles');
  const { name, roles, bundles, expiresInSeconds } = value as { readonly [key: string]: unknown };
  const fits =
    Object.keys(value).every((key) => MEMBERS.includes(key)) &&
    typeof name === 'string' &&
    isTexts(roles) &&
    optional(bundles, isTexts) &&
    optional(expiresInSeconds, Number.isSafeInteger);
  if (!fits)
    throw new AdminError(
      'REQUEST_INVALID',
      'wanted {"name": text, "roles": [text], "bundles": [text], "expiresInSeconds": whole number}, the last two optional',
    );
  return {
    name: name as string,
    roles: roles as readonly Role[],
    ...(bundles === undefined ? {} : { bundles: bundles as readonly string[] }),
    ...(expiresInSeconds === undefined ? {} : { expiresInSeconds: expiresInSeconds as number }),
  };
};

const EXPLAIN_MEMBERS = ['path', 'input', 'explain', 'strictBuiltinErrors'];

const explainMembers = (body: unknown): ReadonlyMap<unknown, unknown> => {
  jsonOf(body);
  const text = textOf(body);
  const value = text === '' ? undefined : regoFromJson(text);
  if (!(value instanceof RegoObject)) throw new AdminError('REQUEST_INVALID', 'wanted a JSON object with a path');
  const members = new Map<unknown, unknown>(value.entries);
  if ([...members.keys()].some((key) => !EXPLAIN_MEMBERS.includes(String(key))))
    throw new AdminError('REQUEST_INVALID', `wanted no members but ${EXPLAIN_MEMBERS.join(', ')}`);
  return members;
};

/** What POST /v1/explain takes: a path below data, an input with its numbers as they are written, a level. */
export const explainRequestOf = (body: unknown): Omit<ExplainQuestion, 'checkBundle'> => {
  const members = explainMembers(body);
  const path = members.get('path');
  if (typeof path !== 'string' || path.length > 2_048 || !/[^/]/.test(path))
    throw new AdminError('REQUEST_INVALID', 'path: wanted a path below data, such as todo/allow');
  const level = EXPLAIN_LEVELS.find((each) => each === (members.get('explain') ?? 'full'));
  if (level === undefined)
    throw new AdminError('REQUEST_INVALID', `explain: wanted one of ${EXPLAIN_LEVELS.join(', ')}`);
  const strictErrors = members.get('strictBuiltinErrors') ?? false;
  if (typeof strictErrors !== 'boolean')
    throw new AdminError('REQUEST_INVALID', 'strictBuiltinErrors: wanted true or false');
  const input = members.get('input') as ExplainQuestion['input'];
  const segments = path.replace(/^\/+|\/+$/g, '').split('/');
  return { path: segments, level, strictErrors, ...(members.has('input') ? { input: input ?? null } : {}) };
};
