import type { Socket } from 'node:net';
import { applyDecorators, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import type { Caller, Role } from '../../decision/model.ts';
import { holdsFor, IdentityError, type TokenStore } from '../../identity/index.ts';

/** Who may use a route: `open` to all, or callers with one of the roles (and, with `bundle`, for that bundle). */
export type Permit =
  | { readonly open: true }
  | {
      readonly roles: readonly Role[];
      /** The route is about the bundle in its path: a token that is restricted to others is refused. */
      readonly bundle?: true;
      /** Nobody is asked for a token on a loopback address or a Unix socket. */
      readonly openOnLoopback?: true;
    };

/** Declares who may use a route. A route without it is refused to everybody. */
export const Permitted = (permit: Permit): MethodDecorator => applyDecorators(RouteConfig({ permit }));

/** What Fastify keeps of a route's declaration. */
export interface RouteAccess {
  readonly permit?: Permit;
}

const callers = new WeakMap<FastifyRequest, Caller>();

/** The caller that `checkAccess` let through. */
export const callerOf = (request: FastifyRequest): Caller => {
  const caller = callers.get(request);
  if (caller === undefined) throw new IdentityError('UNAUTHENTICATED', 'this needs a bearer token');
  return caller;
};

/** The caller as a parameter of a handler. */
export const Asking = createParamDecorator((_: unknown, context: ExecutionContext) =>
  callerOf(context.switchToHttp().getRequest<FastifyRequest>()),
);

const BEARER = /^Bearer +(\S+) *$/i;

const authenticate = (request: FastifyRequest, tokens: TokenStore): Caller => {
  const { authorization } = request.headers;
  if (authorization === undefined)
    throw new IdentityError(
      'UNAUTHENTICATED',
      'this needs a token: Authorization: Bearer vdt_... (the first start wrote one to operator-token in storage.dir)',
    );
  const secret = BEARER.exec(authorization)?.[1];
  const caller = secret === undefined ? undefined : tokens.authenticate(secret);
  if (caller === undefined)
    throw new IdentityError('UNAUTHENTICATED', 'the token is not known here, has expired, or was revoked');
  return caller;
};

/** Throws FORBIDDEN when the caller's token is restricted to other bundles. */
export const checkBundle = (caller: Caller, name: string): void => {
  if (!holdsFor(caller, name))
    throw new IdentityError('FORBIDDEN', `the token ${caller.name} does not hold for this bundle`);
};

/** A connection to an address of this machine alone; one on a Unix socket has no address. */
const isLocal = ({ localAddress }: Socket): boolean =>
  localAddress === undefined || /^(?:::ffff:)?127(?:\.\d{1,3}){3}$/.test(localAddress) || localAddress === '::1';

/**
 * Checks a request against its route's declaration, before a byte of the body is read. Throws UNAUTHENTICATED or
 * FORBIDDEN; a route that declares nothing is refused.
 */
export const checkAccess = (request: FastifyRequest, tokens: TokenStore): void => {
  const { permit } = request.routeOptions.config as RouteAccess;
  if (permit === undefined) throw new IdentityError('FORBIDDEN', 'this route declares nobody who may use it');
  if ('open' in permit) return;
  if (permit.openOnLoopback === true && isLocal(request.socket)) return;
  const caller = authenticate(request, tokens);
  if (!permit.roles.some((role) => caller.roles.includes(role)))
    throw new IdentityError('FORBIDDEN', `the token ${caller.name} needs the role ${permit.roles.join(' or ')}`);
  if (permit.bundle === true) checkBundle(caller, String((request.params as { name?: unknown }).name));
  callers.set(request, caller);
};
