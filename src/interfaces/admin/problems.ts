import { VerdictError } from '../../canonical/index.ts';
import type { AuditErrorCode } from '../../decision/model.ts';
import type { ModuleErrorCode } from '../../engine/index.ts';
import type { IdentityErrorCode } from '../../identity/index.ts';
import type { PolicyErrorCode } from '../../policy/index.ts';
import type { RegoProblem, ToolchainError } from '../../rego/index.ts';
import type { AdminErrorCode, Problem } from './model.ts';

export type ProblemCode =
  | AdminErrorCode
  | AuditErrorCode
  | IdentityErrorCode
  | ModuleErrorCode
  | PolicyErrorCode
  | ToolchainError['code'];

type Status = 400 | 401 | 403 | 404 | 405 | 409 | 413 | 415 | 422 | 429 | 500;

/** The status and title of every error that the API answers: the one place that knows. */
export const PROBLEMS: { readonly [code in ProblemCode]: readonly [Status, string] } = {
  REQUEST_INVALID: [400, 'The request is not what this route takes'],
  BODY_TOO_LARGE: [413, 'The body is too large'],
  MEDIA_TYPE_UNSUPPORTED: [415, 'The content type is not one that this route takes'],
  ROUTE_UNKNOWN: [404, 'There is no such route'],
  METHOD_NOT_ALLOWED: [405, 'The route takes other methods'],
  DECISION_UNKNOWN: [404, 'There is no such decision'],
  HOST_REFUSED: [403, 'The Host is not a name of this server'],
  ORIGIN_REFUSED: [403, 'Web pages of another origin may not use this API'],
  INTERNAL: [500, 'The server failed'],

  UNAUTHENTICATED: [401, 'A valid token is needed'],
  FORBIDDEN: [403, 'The token may not do this'],
  TOKEN_NAME_INVALID: [400, 'The name cannot be a token’s'],
  TOKEN_ROLE_INVALID: [400, 'The roles cannot be a token’s'],
  TOKEN_BUNDLE_INVALID: [400, 'The bundles cannot be a token’s'],
  TOKEN_EXPIRY_INVALID: [400, 'The expiry cannot be a token’s'],
  TOKEN_EXISTS: [409, 'The name is taken'],
  TOKEN_UNKNOWN: [404, 'There is no such token'],
  TOKEN_STORAGE_FAILED: [500, 'Tokens cannot be stored'],

  ARCHIVE_INVALID: [400, 'The body is no bundle archive'],
  ARCHIVE_TOO_LARGE: [413, 'The archive is too large'],
  BUNDLE_NAME_INVALID: [400, 'The name cannot be a bundle’s'],
  BUNDLE_UNKNOWN: [404, 'There is no such bundle'],
  VERSION_UNKNOWN: [404, 'There is no such version'],
  MANIFEST_INVALID: [422, 'The manifest is not valid'],
  DATA_INVALID: [422, 'The data is not valid'],
  ROOTS_CONFLICT: [409, 'The roots are taken or do not cover the bundle'],
  REGO_INVALID: [422, 'The policy does not compile'],
  SCHEMA_INVALID: [422, 'A schema of the bundle cannot be used'],
  REFERENCE_OUTSIDE_ROOTS: [422, 'A rule refers to reserved data'],
  REFERENCE_UNPROVIDED: [409, 'A rule refers to what no active bundle provides'],
  BUILTIN_UNKNOWN: [422, 'The policy calls a builtin that is not provided'],
  MODULE_INVALID: [422, 'The compiled policy cannot be run'],
  MODULE_FOREIGN: [422, 'The compiled policy cannot be run'],
  MODULE_BUILTIN_UNKNOWN: [422, 'The policy calls a builtin that is not provided'],
  MODULE_DATA_INVALID: [422, 'The data is not valid'],
  TESTS_FAILED: [422, 'The bundle’s own tests fail'],
  OPAQUE_REFUSED: [422, 'Bundles without whole sources are not taken here'],
  NOTHING_TO_ROLL_BACK: [409, 'No version was active before'],
  TOOLCHAIN_FAILED: [422, 'The policy could not be compiled within bounds'],
  STORAGE_FAILED: [500, 'Bundles cannot be stored'],
  EXPLAIN_IMPOSSIBLE: [422, 'This cannot be explained'],
  EXPLAIN_BUSY: [429, 'Too many explanations at once'],
  EVALUATION_CONFLICT: [422, 'Rules or functions produced conflicting values'],
  EVALUATION_FAILED: [422, 'The evaluation fails'],

  TOOLCHAIN_UNAVAILABLE: [500, 'The compiler cannot be loaded'],
  TOOLCHAIN_CRASHED: [500, 'The compiler failed'],
  TOOLCHAIN_DEADLINE: [500, 'The compiler did not finish in time'],
  TOOLCHAIN_MEMORY: [500, 'The compiler ran out of memory'],
  TOOLCHAIN_CLOSED: [500, 'The server is ending'],

  AUDIT_UNWRITABLE: [500, 'The decision log cannot be written'],
  AUDIT_UNUSABLE: [500, 'The decision log cannot be used'],
  AUDIT_CORRUPT: [500, 'The decision log is damaged'],
  AUDIT_CURSOR_INVALID: [400, 'The cursor is none of this log'],
  AUDIT_BUSY: [429, 'Too many searches at once'],
  AUDIT_SEARCH_FAILED: [500, 'The decision log could not be searched'],
};

const isCode = (code: string): code is ProblemCode => Object.hasOwn(PROBLEMS, code);

const UNNAMED = 'the server failed in a way that has no name of its own; its log says more';

const placesOf = (error: VerdictError): readonly RegoProblem[] => {
  const { problems } = error as { readonly problems?: unknown };
  return Array.isArray(problems) ? (problems as RegoProblem[]) : [];
};

const problem = (code: ProblemCode, detail: string, places: readonly RegoProblem[] = []): Problem => {
  const [status, title] = PROBLEMS[code];
  const type = `urn:verdict:problem:${code.toLowerCase().replaceAll('_', '-')}`;
  return { type, title, status, detail, code, ...(places.length > 0 ? { problems: places } : {}) };
};

/** What a thrown error looks like on the wire. Only errors that Verdict raised on purpose show their message. */
export const problemOf = (thrown: unknown): Problem =>
  thrown instanceof VerdictError && isCode(thrown.code)
    ? problem(thrown.code, thrown.message, placesOf(thrown))
    : problem('INTERNAL', UNNAMED);
