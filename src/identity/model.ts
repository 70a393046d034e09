import { VerdictError } from '../canonical/index.ts';
import type { Caller, Role } from '../decision/model.ts';

/** A named API token as lists show it: the secret is known only when it is made. */
export interface TokenInfo {
  readonly name: string;
  readonly roles: readonly Role[];
  readonly bundles?: readonly string[];
  readonly createdAt: string;
  readonly createdBy: string;
  readonly expiresAt?: string;
  readonly revokedAt?: string;
  readonly lastUsedAt?: string;
}

export interface NewToken {
  readonly name: string;
  readonly roles: readonly Role[];
  readonly bundles?: readonly string[];
  readonly expiresInMs?: number;
}

export interface TokenStore {
  /** Makes a token; `secret` (`vdt_...`) is answered once and stored as its SHA-256 only. */
  create(token: NewToken, by: string): { readonly info: TokenInfo; readonly secret: string };
  list(): readonly TokenInfo[];
  /** Takes effect on the next request. */
  revoke(name: string, by: string): TokenInfo;
  /** Who presents this secret, or undefined when it is unknown, expired or revoked. Compared in constant time. */
  authenticate(secret: string): Caller | undefined;
}

export type IdentityErrorCode =
  | 'TOKEN_NAME_INVALID'
  | 'TOKEN_EXISTS'
  | 'TOKEN_UNKNOWN'
  | 'TOKEN_ROLE_INVALID'
  /** No credential, or one that is not valid. */
  | 'UNAUTHENTICATED'
  /** A valid credential without the role. */
  | 'FORBIDDEN';

export class IdentityError extends VerdictError<IdentityErrorCode> {}
