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

export interface NewSecret {
  readonly info: TokenInfo;
  /** `vdt_...`: answered once, and stored as its SHA-256 only. */
  readonly secret: string;
}

export interface TokenStore {
  /** Makes a token. A name is taken for good, also after revocation: records name the tokens that asked. */
  create(token: NewToken, by: string): NewSecret;
  list(): readonly TokenInfo[];
  /** Takes effect on the next request. */
  revoke(name: string, by: string): TokenInfo;
  /** Who presents this secret, or undefined when it is unknown, expired or revoked. Compared in constant time. */
  authenticate(secret: string): Caller | undefined;
}

/** What the process that opened the store has beyond its users. */
export interface OpenTokenStore extends TokenStore {
  /**
   * Makes the token, or gives the one of this name a new secret and takes back its revocation; the old secret ends at
   * once. `identity.maxTokenDays` does not bind it.
   */
  renew(token: NewToken, by: string): NewSecret;
  /** True when this is the live secret of that token. Does not count as a use. */
  isSecretOf(name: string, secret: string): boolean;
  /** Writes when each token was last used (otherwise written once a minute). The catalog stays open. */
  close(): void;
}

export type IdentityErrorCode =
  | 'TOKEN_NAME_INVALID'
  | 'TOKEN_EXISTS'
  | 'TOKEN_UNKNOWN'
  | 'TOKEN_ROLE_INVALID'
  | 'TOKEN_BUNDLE_INVALID'
  | 'TOKEN_EXPIRY_INVALID'
  /** The catalog or the operator token's file cannot be read or written. */
  | 'TOKEN_STORAGE_FAILED'
  /** No credential, or one that is not valid. */
  | 'UNAUTHENTICATED'
  /** A valid credential without the role. */
  | 'FORBIDDEN';

export class IdentityError extends VerdictError<IdentityErrorCode> {}
