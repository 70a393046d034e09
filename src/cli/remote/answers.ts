import type { TokenInfo } from '../../identity/index.ts';
import type { VersionInfo } from '../../policy/index.ts';

// The admin API's answers, as far as the commands read them. A server of another version may answer otherwise: what is
// not checked here is not read.

type Fields = { readonly [key: string]: unknown };

const isRecord = (value: unknown): value is Fields => typeof value === 'object' && value !== null;

const isListOf =
  <Item>(fits: (value: unknown) => value is Item) =>
  (value: unknown): value is readonly Item[] =>
    Array.isArray(value) && value.every(fits);

const isText = (value: unknown): value is string => typeof value === 'string';

const isVersion = (value: unknown): value is VersionInfo =>
  isRecord(value) &&
  [value.name, value.digest, value.revision, value.state, value.pushedBy, value.pushedAt].every(isText) &&
  Number.isInteger(value.version) &&
  isListOf(isText)(value.notes) &&
  isListOf(isText)(value.entrypoints) &&
  isRecord(value.tests) &&
  typeof value.tests.passed === 'number';

const isToken = (value: unknown): value is TokenInfo =>
  isRecord(value) && isText(value.name) && isText(value.createdAt) && isListOf(isText)(value.roles);

export interface ActivationAnswer {
  readonly version: VersionInfo;
  readonly epoch: number;
  /** Absent from servers that have none to give. */
  readonly warnings?: readonly string[];
}

export interface PushAnswer extends ActivationAnswer {
  readonly created: boolean;
}

export const isActivationAnswer = (value: unknown): value is ActivationAnswer =>
  isRecord(value) &&
  isVersion(value.version) &&
  typeof value.epoch === 'number' &&
  (value.warnings === undefined || isListOf(isText)(value.warnings));

export const isPushAnswer = (value: unknown): value is PushAnswer =>
  isActivationAnswer(value) && 'created' in value && typeof value.created === 'boolean';

export interface VersionsAnswer {
  readonly versions: readonly VersionInfo[];
  /** Absent when there is nothing to go back to, and from servers that do not say. */
  readonly rollbackTo?: number;
}

export const isVersionsAnswer = (value: unknown): value is VersionsAnswer =>
  isRecord(value) &&
  isListOf(isVersion)(value.versions) &&
  (value.rollbackTo === undefined || Number.isInteger(value.rollbackTo));

export const isTokensAnswer = (value: unknown): value is { readonly tokens: readonly TokenInfo[] } =>
  isRecord(value) && isListOf(isToken)(value.tokens);

export const isTokenAnswer = (value: unknown): value is { readonly token: TokenInfo; readonly secret: string } =>
  isRecord(value) && isToken(value.token) && isText(value.secret);

export const isTokenInfo = isToken;
