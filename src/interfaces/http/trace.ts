import type { TraceContext } from '../../canonical/index.ts';
import { parseTraceparent } from '../../canonical/index.ts';
import type { Exchange, Service } from './exchange.ts';
import type { Route } from './target.ts';

const DATA_ROUTES = { 'opa.v1': '/v1/data/{path}', 'opa.v0': '/v0/data/{path}', 'opa.default': '/' } as const;

/** A route as spans name it: without what differs from request to request. */
const routeText = (route: Route): string => {
  switch (route.kind) {
    case 'data':
      return DATA_ROUTES[route.wire];
    case 'authzen': {
      const path = route.batch ? '/access/v1/evaluations' : '/access/v1/evaluation';
      return route.bundle === undefined ? path : `/{bundle}${path}`;
    }
    case 'batch':
      return '/v1/batch/data/{path}';
    case 'metadata':
      return '/.well-known/authzen-configuration';
    case 'unoffered':
      return '/v1/{unoffered}';
    case 'health':
    case 'redirect':
    case 'elsewhere':
    case 'unknown':
      return `{${route.kind}}`;
  }
};

/** Where a request stands in a trace: in the span that is made for it, else in what it came with. */
export const traceOf = (
  { tracer }: Service,
  { head, request, response, target }: Exchange,
): TraceContext | undefined => {
  const parent = head.traceparent === '' ? undefined : parseTraceparent(head.traceparent);
  // A probe asks every few seconds, and nobody looks for it.
  if (tracer === undefined || target.route.kind === 'health') return parent;
  const method = request.method ?? '';
  const span = tracer.start({ protocol: 'http', method, route: routeText(target.route), parent });
  if (span === undefined) return parent;
  response.onEnd((status) => span.end(status));
  return span.context;
};
