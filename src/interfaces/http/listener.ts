import type { Socket } from 'node:net';
import type { Explain } from '../../policy/index.ts';
import type { WireOptions } from '../wire/index.ts';
import { ANYONE, peerText, RequestError, refusalOf, wireService } from '../wire/index.ts';
import { refuseAuthzen } from './authzen/reply.ts';
import type { BuildVersion, Exchange, Service } from './exchange.ts';
import { readHead, unread } from './head.ts';
import { hostGuard } from './hosts.ts';
import type { Incoming, Outgoing } from './incoming.ts';
import { refuseOpa } from './opa/reply.ts';
import { serve } from './routes.ts';
import type { HttpSettings } from './settings.ts';
import type { Target } from './target.ts';
import { noOptions, targetReader } from './target.ts';
import { traceOf } from './trace.ts';

export interface ListenerOptions extends WireOptions {
  readonly settings: HttpSettings;
  /** What `provenance` names. */
  readonly version: BuildVersion;
  /** `policy.defaultDecision`, the path that `POST /` asks: `system/main`. */
  readonly defaultDecision?: string;
  /** `authzen.baseUrl`, what AuthZEN metadata names; absent or empty: the address that was asked. */
  readonly authzenBaseUrl?: string;
  /** Explains answers to callers who may see sources and data; absent: nobody. */
  readonly explain?: Explain;
}

const peers = new WeakMap<Socket, string>();

/** The client's address as OPA logs it; empty on a Unix socket. */
const peerOf = (socket: Socket): string => {
  const known = peers.get(socket);
  if (known !== undefined) return known;
  const text = peerText(socket.remoteAddress, socket.remotePort);
  peers.set(socket, text);
  return text;
};

const noTarget: Target = {
  text: '',
  route: { kind: 'unknown' },
  options: noOptions,
  readiness: false,
};

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

const isAuthzen = ({ kind }: Target['route']): boolean => kind === 'authzen' || kind === 'metadata';

const refuse = (service: Service, exchange: Exchange, thrown: unknown): void => {
  const error = refusalOf(service, thrown);
  const dialect = isAuthzen(exchange.target.route) ? refuseAuthzen : refuseOpa;
  dialect(service, exchange, error);
};

export type DecisionListener = (request: Incoming, response: Outgoing) => void;

/** Decisions over HTTP: a plain request listener, from bytes to bytes, without a framework. */
export const createDecisionListener = (options: ListenerOptions): DecisionListener => {
  const { settings } = options;
  const service: Service = {
    ...wireService(options, settings.limits),
    version: options.version,
    authzenBaseUrl: options.authzenBaseUrl ?? '',
    ...(options.explain === undefined ? {} : { explain: options.explain }),
  };
  const defaultPath = (options.defaultDecision ?? 'system/main').split('/').filter((step) => step !== '');
  const readTarget = targetReader(settings.limits.pathBytes, defaultPath);
  const guardHost = hostGuard(settings);

  return (request, response): void => {
    // Filled in step by step, so that a refusal on the way knows what was read so far.
    const exchange: Writable<Exchange> = {
      request,
      response,
      head: unread,
      target: noTarget,
      caller: ANYONE,
      requestedBy: peerOf(request.socket),
      trace: undefined,
      startedMs: performance.now(),
    };
    try {
      exchange.target = readTarget(request.url ?? '');
      const head = readHead(request.rawHeaders);
      exchange.head = head;
      exchange.trace = traceOf(service, exchange);
      if (head.hasOrigin) {
        throw new RequestError(
          'origin_refused',
          'requests of web pages are refused: this listener asks for no credential',
        );
      }
      guardHost(head.host);
      // Health is open to all: a prober's credential is not looked at.
      if (exchange.target.route.kind !== 'health') exchange.caller = service.callerOf(head.authorization);
      serve(service, exchange);
    } catch (thrown) {
      refuse(service, exchange, thrown);
    }
  };
};
