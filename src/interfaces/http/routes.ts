import { RequestError } from '../wire/index.ts';
import { getMetadata } from './authzen/metadata.ts';
import { postAuthzen } from './authzen/wire.ts';
import type { Exchange, Service } from './exchange.ts';
import { send } from './exchange.ts';
import { postBatch } from './opa/batch.ts';
import { getData, postData } from './opa/wire.ts';
import type { Route } from './target.ts';

const PLAIN = ['Content-Type', 'text/plain; charset=utf-8', 'X-Content-Type-Options', 'nosniff'];
const JSON_TYPE = ['Content-Type', 'application/json'];

const redirect = (service: Service, exchange: Exchange, status: number, location: string): void => {
  const headers = ['Location', location, 'Vary', 'Accept-Encoding'];
  send(service, exchange, status, headers, '');
};

const health = (service: Service, exchange: Exchange, name: string): void => {
  const { request, target } = exchange;
  if (request.method !== 'GET') {
    notAllowed(service, exchange, 'GET');
    return;
  }
  const known = name === '' || name === 'live' || name === 'ready';
  const wantsReady = name === 'ready' || (name === '' && target.readiness);
  const { ready, reason } = wantsReady ? service.ready() : { ready: known };
  const error = known ? (reason ?? 'not ready') : `health check ${name} is unknown`;
  const text = ready ? '{}\n' : `${JSON.stringify({ error })}\n`;
  send(service, exchange, ready ? 200 : 500, [...JSON_TYPE, 'Cache-Control', 'no-store'], text);
};

/** OPA's 405: no body on the Data API. */
const notAllowed = (service: Service, exchange: Exchange, allow: string): void => {
  const { route } = exchange.target;
  service.observer?.refused('method_not_allowed');
  if (route.kind === 'data' && route.wire !== 'opa.default') {
    send(service, exchange, 405, ['Allow', allow], '');
  } else send(service, exchange, 405, [...PLAIN, 'Allow', allow], 'Method Not Allowed\n');
};

/** OPA's 404, and, where there is more to say, a line below it. */
const notFound = (service: Service, exchange: Exchange, more: string): void => {
  service.observer?.refused('route_unknown');
  send(service, exchange, 404, [...PLAIN], `404 page not found\n${more}`);
};

const data = (service: Service, exchange: Exchange, route: Extract<Route, { readonly kind: 'data' }>): void => {
  const { method } = exchange.request;
  const isV1 = route.wire === 'opa.v1';
  if (method === 'POST') postData(service, exchange, route);
  else if (isV1 && method === 'GET') getData(service, exchange, route);
  else if (isV1 && (method === 'PUT' || method === 'PATCH' || (method === 'DELETE' && route.path.length > 0))) {
    throw new RequestError('data_read_only', 'data belongs to the bundles: push a version that has it');
  } else notAllowed(service, exchange, isV1 ? 'GET, POST' : 'POST');
};

/** Hands a request to its route; throws RequestError where there is none. */
export const serve = (service: Service, exchange: Exchange): void => {
  const { request, target } = exchange;
  const { route } = target;
  if (request.method === 'HEAD') {
    service.observer?.refused('method_not_allowed');
    // A HEAD has no body, whatever its GET would have.
    send(service, exchange, 405, [], '');
    return;
  }
  switch (route.kind) {
    case 'data':
      data(service, exchange, route);
      return;
    case 'authzen':
      if (request.method !== 'POST') throw new RequestError('method_not_allowed', 'POST is wanted');
      postAuthzen(service, exchange, route);
      return;
    case 'batch':
      if (request.method === 'POST') postBatch(service, exchange, route.path);
      else notAllowed(service, exchange, 'POST');
      return;
    case 'metadata':
      if (request.method !== 'GET') throw new RequestError('method_not_allowed', 'GET is wanted');
      getMetadata(service, exchange, route.bundle);
      return;
    case 'health':
      health(service, exchange, route.name);
      return;
    case 'redirect':
      redirect(service, exchange, route.status, route.location);
      return;
    case 'unoffered':
      throw new RequestError(
        'not_offered',
        `/v1/${route.what} is not offered: see docs/reference/opa-compatibility.md`,
      );
    case 'elsewhere':
      notFound(
        service,
        exchange,
        `/${route.what} is answered by the admin listener (server.admin.host and .port; by default 127.0.0.1:8282)\n`,
      );
      return;
    case 'unknown':
      notFound(service, exchange, '');
  }
};
