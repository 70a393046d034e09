import type { RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Caller, Decisions, PolicySource } from '../../decision/index.ts';
import { refuseAuthzen } from './authzen/reply.ts';
import type { DirectRequest } from './body.ts';
import { HttpError } from './errors.ts';
import type { BuildVersion, Exchange, Service } from './exchange.ts';
import { refusalOf } from './exchange.ts';
import type { Head } from './head.ts';
import { readHead, unread } from './head.ts';
import { hostGuard } from './hosts.ts';
import { refuseOpa } from './opa/reply.ts';
import { serve } from './routes.ts';
import type { HttpSettings } from './settings.ts';
import type { Target } from './target.ts';
import { noOptions, targetReader } from './target.ts';

export interface ListenerOptions {
  readonly decisions: Decisions;
  readonly policy: PolicySource;
  readonly settings: HttpSettings;
  /** Who presents a bearer token; one that nobody knows is ignored, because the listener is open. */
  readonly authenticate?: (bearer: string) => Caller | undefined;
  readonly ready: () => { readonly ready: boolean; readonly reason?: string };
  readonly draining: () => boolean;
  /** What `provenance` names. */
  readonly version: BuildVersion;
  /** `policy.defaultDecision`, the path that `POST /` asks: `system/main`. */
  readonly defaultDecision?: string;
  /** A sentence for operators: a request failed in a way that has no name. */
  readonly onWarning?: (message: string) => void;
}

const ANYONE: Caller = Object.freeze({ kind: 'anonymous', name: 'anonymous', roles: Object.freeze(['ask'] as const) });

const peers = new WeakMap<Socket, string>();

/** The client's address as OPA logs it; empty on a Unix socket. */
const peerOf = (socket: Socket): string => {
  const known = peers.get(socket);
  if (known !== undefined) return known;
  const { remoteAddress, remotePort } = socket;
  const host = remoteAddress?.includes(':') ? `[${remoteAddress}]` : remoteAddress;
  const text = host === undefined || remotePort === undefined ? '' : `${host}:${remotePort}`;
  peers.set(socket, text);
  return text;
};

const bearerOf = (authorization: string): string | undefined =>
  /^bearer /i.test(authorization) ? authorization.slice('bearer '.length).trim() : undefined;

const noTarget: Target = {
  text: '',
  route: { kind: 'unknown' },
  options: noOptions,
  readiness: false,
};

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

const refuse = (service: Service, exchange: Exchange, thrown: unknown): void => {
  const error = refusalOf(service, thrown);
  const dialect = exchange.target.route.kind === 'authzen' ? refuseAuthzen : refuseOpa;
  dialect(service, exchange, error);
};

/** Decisions over HTTP: a plain request listener, from bytes to bytes, without a framework. */
export const createDecisionListener = (options: ListenerOptions): RequestListener<typeof DirectRequest> => {
  const { settings, authenticate, onWarning } = options;
  const service: Service = {
    decisions: options.decisions,
    policy: options.policy,
    settings,
    version: options.version,
    ready: options.ready,
    draining: options.draining,
    warn: (message) => onWarning?.(message),
  };
  const defaultPath = (options.defaultDecision ?? 'system/main').split('/').filter((step) => step !== '');
  const readTarget = targetReader(settings.limits.pathBytes, defaultPath);
  const guardHost = hostGuard(settings);

  const callerOf = (head: Head): Caller => {
    if (head.authorization === '' || authenticate === undefined) return ANYONE;
    const bearer = bearerOf(head.authorization);
    return (bearer === undefined ? undefined : authenticate(bearer)) ?? ANYONE;
  };

  return (request: DirectRequest, response: ServerResponse): void => {
    // Filled in step by step, so that a refusal on the way knows what was read so far.
    const exchange: Writable<Exchange> = {
      request,
      response,
      head: unread,
      target: noTarget,
      caller: ANYONE,
      requestedBy: peerOf(request.socket),
      startedMs: performance.now(),
    };
    try {
      exchange.target = readTarget(request.url ?? '');
      const head = readHead(request.rawHeaders);
      exchange.head = head;
      if (head.hasOrigin) {
        throw new HttpError(
          'origin_refused',
          'requests of web pages are refused: this listener asks for no credential',
        );
      }
      guardHost(head.host);
      exchange.caller = callerOf(head);
      serve(service, exchange);
    } catch (thrown) {
      refuse(service, exchange, thrown);
    }
  };
};
