import { messageOf } from '../../canonical/index.ts';
import type { Caller, Decisions, PolicySource, RequestObserver, RequestTracer } from '../../decision/index.ts';
import { presentsToken } from '../../identity/index.ts';
import { RequestError } from './errors.ts';
import type { RequestLimits } from './limits.ts';

export interface Readiness {
  readonly ready: boolean;
  /** The first sentence that says what is missing. */
  readonly reason?: string;
}

/** What a listener for decisions is given, whatever it speaks. */
export interface WireOptions {
  readonly decisions: Decisions;
  readonly policy: PolicySource;
  /** Who presents an API token of Verdict's; absent: nobody has one. */
  readonly authenticate?: (bearer: string) => Caller | undefined;
  readonly ready: () => Readiness;
  readonly draining: () => boolean;
  readonly observer?: RequestObserver;
  /** Absent: no spans are made. */
  readonly tracer?: RequestTracer;
  /** A sentence for operators: a request failed in a way that has no name. */
  readonly onWarning?: (message: string) => void;
}

/** What all requests of a listener share. */
export interface WireService {
  readonly decisions: Decisions;
  readonly policy: PolicySource;
  readonly limits: RequestLimits;
  ready(): Readiness;
  draining(): boolean;
  /**
   * Who asks, by the request's `authorization`; empty for none. Throws RequestError for an API token that is not valid:
   * as `anonymous` its holder could do more than the token allowed. Credentials of other issuers say nothing here.
   */
  callerOf(authorization: string): Caller;
  /** Counts answers and refusals: to be told of both by every wire. */
  readonly observer: RequestObserver | undefined;
  readonly tracer: RequestTracer | undefined;
  /** A sentence for operators. */
  warn(message: string): void;
}

/** Who asks without a credential. */
export const ANYONE: Caller = Object.freeze({
  kind: 'anonymous',
  name: 'anonymous',
  roles: Object.freeze(['ask'] as const),
});

const bearerOf = (authorization: string): string | undefined =>
  /^bearer /i.test(authorization) ? authorization.slice('bearer '.length).trim() : undefined;

export const wireService = (options: WireOptions, limits: RequestLimits): WireService => {
  const { decisions, policy, authenticate, ready, draining, observer, tracer, onWarning } = options;
  return {
    decisions,
    policy,
    limits,
    ready,
    draining,
    observer,
    tracer,
    callerOf: (authorization) => {
      if (authorization === '' || !presentsToken(authorization)) return ANYONE;
      const bearer = bearerOf(authorization);
      const caller = bearer === undefined ? undefined : authenticate?.(bearer);
      if (caller !== undefined) return caller;
      throw new RequestError(
        'token_invalid',
        'the token is not known here, has expired, was revoked, or does not come as Authorization: Bearer TOKEN',
      );
    },
    warn: (message) => onWarning?.(message),
  };
};

/** What was thrown, as a refusal: a failure without a name is told to operators and hidden from who asked. */
export const refusalOf = (service: WireService, thrown: unknown): RequestError => {
  if (thrown instanceof RequestError) return thrown;
  service.warn(`a request failed unexpectedly: ${messageOf(thrown)}`);
  return new RequestError('internal', 'the request failed unexpectedly', { cause: thrown });
};

/** A client's address as OPA logs it; empty on a Unix socket. */
export const peerText = (address: string | undefined, port: number | undefined): string => {
  if (address === undefined || port === undefined) return '';
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
};
