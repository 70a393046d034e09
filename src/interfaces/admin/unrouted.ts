import type { FastifyReply, FastifyRequest } from 'fastify';
import { AdminError } from './model.ts';

const isAt = (route: string, path: string): boolean => {
  const wanted = route.split('/');
  const given = path.split('/');
  return wanted.length === given.length && wanted.every((step, index) => step.startsWith(':') || step === given[index]);
};

/**
 * Refuses a request that reached no route, before its body is read or its type looked at: METHOD_NOT_ALLOWED, with
 * `Allow`, where its path has other methods, ROUTE_UNKNOWN where nothing stands.
 */
export const refuseUnrouted = (
  request: FastifyRequest,
  reply: FastifyReply,
  routes: readonly { readonly method: string; readonly path: string }[],
): never => {
  const path = request.url.replace(/\?.*/s, '');
  const methods = [...new Set(routes.filter((route) => isAt(route.path, path)).map(({ method }) => method))].sort();
  if (methods.length === 0) throw new AdminError('ROUTE_UNKNOWN', 'GET /openapi.json lists the routes that there are');
  reply.header('allow', methods.join(', '));
  throw new AdminError('METHOD_NOT_ALLOWED', `this path takes ${methods.join(', ')}`);
};
