import { bracketed, RequestError } from '../../wire/index.ts';
import type { Exchange, Service } from '../exchange.ts';
import { send } from '../exchange.ts';
import { placeOf } from './place.ts';
import { typed } from './reply.ts';

/** Where clients reach this listener: never what a Host header says, which anybody can write. */
const baseOf = ({ authzenBaseUrl }: Service, { request }: Exchange): string => {
  if (authzenBaseUrl !== '') return authzenBaseUrl;
  const { localAddress, localPort } = request.socket;
  if (localAddress !== undefined) return `http://${bracketed(localAddress)}:${localPort}`;
  throw new RequestError('route_unknown', 'a Unix socket has no URL: authzen.baseUrl is not set');
};

/** GET /.well-known/authzen-configuration[/{bundle}]: what of AuthZEN is offered, and where. */
export const getMetadata = (service: Service, exchange: Exchange, bundle: string | undefined): void => {
  placeOf(service, exchange, bundle);
  const base = `${baseOf(service, exchange)}${bundle === undefined ? '' : `/${bundle}`}`;
  const metadata = {
    policy_decision_point: base,
    access_evaluation_endpoint: `${base}/access/v1/evaluation`,
    access_evaluations_endpoint: `${base}/access/v1/evaluations`,
  };
  const headers = [...typed('application/json', exchange), 'Cache-Control', 'max-age=300'];
  send(service, exchange, 200, headers, `${JSON.stringify(metadata)}\n`);
};
