import { VerdictError } from '../../canonical/index.ts';
import type { Role } from '../../decision/model.ts';
import type { TokenInfo } from '../../identity/index.ts';
import type { ActivationResult, BundleInfo, PushResult, VersionInfo } from '../../policy/index.ts';
import type { RegoProblem } from '../../rego/index.ts';

// What the admin API answers, body by body. Errors are Problem, as application/problem+json.

/** PUT /v1/bundles/{name}: 201 for a new version, 200 when the same digest was there. */
export type PushAnswer = PushResult;

/** POST .../activate and .../rollback: 200. */
export type ActivationAnswer = ActivationResult;

/** GET /v1/bundles. One bundle is a BundleInfo, one version a VersionInfo, as they stand. */
export interface BundlesAnswer {
  readonly bundles: readonly BundleInfo[];
}

/** GET /v1/bundles/{name}/versions, newest first. */
export interface VersionsAnswer {
  readonly versions: readonly VersionInfo[];
  /** What a rollback would make active; absent when there is nothing to go back to. */
  readonly rollbackTo?: number;
}

/** GET /v1/tokens. DELETE /v1/tokens/{name} answers the revoked TokenInfo. */
export interface TokensAnswer {
  readonly tokens: readonly TokenInfo[];
}

/** POST /v1/tokens takes this ... */
export interface TokenRequest {
  readonly name: string;
  readonly roles: readonly Role[];
  readonly bundles?: readonly string[];
  readonly expiresInSeconds?: number;
}

/** ... and answers this with 201: the only time that the secret is shown. */
export interface TokenAnswer {
  readonly token: TokenInfo;
  readonly secret: string;
}

/** GET /health/ready: 200 when there are no reasons against it, 503 otherwise. GET /health/live: 200. */
export interface HealthAnswer {
  readonly status: 'ok' | 'unavailable';
  readonly reasons: readonly string[];
}

/** RFC 9457, and the code that the status stands for. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  /** Places in the sources, when the refusal is about Rego or about tests. */
  readonly problems?: readonly RegoProblem[];
}

export type AdminErrorCode =
  /** A body, query or path that is not what the route takes. */
  | 'REQUEST_INVALID'
  | 'BODY_TOO_LARGE'
  | 'MEDIA_TYPE_UNSUPPORTED'
  | 'ROUTE_UNKNOWN'
  | 'METHOD_NOT_ALLOWED'
  | 'DECISION_UNKNOWN'
  /** A Host that is none of this listener's names: DNS rebinding. */
  | 'HOST_REFUSED'
  /** A web page of another origin. */
  | 'ORIGIN_REFUSED'
  /** A failure that has no name of its own: the log says more. */
  | 'INTERNAL';

export class AdminError extends VerdictError<AdminErrorCode> {}
