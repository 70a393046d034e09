import { gzip } from 'node:zlib';
import type { TraceContext } from '../../canonical/index.ts';
import type { Answer, Caller, PolicyRef } from '../../decision/index.ts';
import type { Explain } from '../../policy/index.ts';
import type { RequestError, WireService } from '../wire/index.ts';
import { refusalOf } from '../wire/index.ts';
import type { BodyDone } from './body.ts';
import { inflate, isGzip } from './body.ts';
import type { Head } from './head.ts';
import { takesGzip } from './head.ts';
import type { Incoming, Outgoing } from './incoming.ts';
import type { Target } from './target.ts';

/** What answers name as their maker (`provenance`). */
export interface BuildVersion {
  readonly version: string;
  readonly commit?: string;
  readonly timestamp?: string;
  readonly hostname?: string;
}

/** What all requests of a listener share. */
export interface Service extends WireService {
  readonly version: BuildVersion;
  /** Empty: what AuthZEN metadata names is the address that was asked. */
  readonly authzenBaseUrl: string;
  /** Absent: answers come without explanations. */
  readonly explain?: Explain;
}

/** One request and the response to it. */
export interface Exchange {
  readonly request: Incoming;
  readonly response: Outgoing;
  readonly head: Head;
  readonly target: Target;
  readonly caller: Caller;
  readonly requestedBy: string;
  /** What the request came with, or the span that was made for it. */
  readonly trace: TraceContext | undefined;
  /** performance.now() at which the headers were there. */
  readonly startedMs: number;
}

/** How a dialect words a refusal. */
export type Refuse = (service: Service, exchange: Exchange, error: RequestError) => void;

/** The headers with which every refusal ends. A body that is not read to its end takes its connection with it. */
export const refusalHeaders = ({ code }: RequestError): string[] => {
  const headers = ['Cache-Control', 'no-store'];
  if (code === 'body_too_large') headers.push('Connection', 'close');
  // RFC 6750, section 3.
  if (code === 'token_invalid') headers.push('WWW-Authenticate', 'Bearer realm="verdict", error="invalid_token"');
  return headers;
};

/** A step on a body, whose every failure is a refusal in the dialect given: nothing is thrown into the event loop. */
export const guarded =
  (service: Service, exchange: Exchange, refuse: Refuse, step: (body: Buffer) => void): BodyDone =>
  (error, body) => {
    if (error !== undefined) {
      refuse(service, exchange, error);
      return;
    }
    try {
      step(body);
    } catch (thrown) {
      refuse(service, exchange, refusalOf(service, thrown));
    }
  };

/** Takes a step on a body as it was before it was compressed; throws RequestError for a coding that is not taken. */
export const unpacked = (
  service: Service,
  exchange: Exchange,
  refuse: Refuse,
  body: Buffer,
  step: (body: Buffer) => void,
): void => {
  if (isGzip(exchange.head.contentCoding)) {
    inflate(body, service.limits.bodyBytes, guarded(service, exchange, refuse, step));
  } else step(body);
};

/** What writes an answer, for the log to call: whatever it throws there would end the process. */
export const replying =
  <Given>(service: Service, exchange: Exchange, refuse: Refuse, reply: (given: Given) => void) =>
  (given: Given): void => {
    try {
      reply(given);
    } catch (thrown) {
      refuse(service, exchange, refusalOf(service, thrown));
    }
  };

// OPA compresses from here on.
const COMPRESSED_FROM = 1_024;

const policyTexts = new WeakMap<readonly PolicyRef[], string>();

const policyText = (policies: readonly PolicyRef[]): string => {
  const known = policyTexts.get(policies);
  if (known !== undefined) return known;
  const text = policies.map(({ name, version }) => `${name}@${version}`).join(', ');
  policyTexts.set(policies, text);
  return text;
};

export const cacheControl = (freshMs: number): string => {
  const seconds = Math.floor(freshMs / 1000);
  return seconds > 0 ? `private, max-age=${seconds}` : 'no-store';
};

/** The headers by which every answered question names its decision. */
export const decisionHeaders = (answer: Answer): string[] => {
  const headers = ['Verdict-Decision-Id', answer.decisionId];
  if (answer.policies.length > 0) headers.push('Verdict-Policy', policyText(answer.policies));
  const control = answer.verdict.kind === 'failed' ? 'no-store' : cacheControl(answer.freshMs);
  headers.push('Verdict-Cache', answer.cache, 'Cache-Control', control);
  return headers;
};

/** Ids of more decisions than this would not fit into the headers that proxies take. */
const MOST_IDS = 50;
const states = ['hit', 'miss', 'bypass', 'uncacheable'] as const;

/** The headers by which an answered batch names its decisions. `whole`: each of its items was a decision. */
export const batchHeaders = (answers: readonly Answer[], whole: boolean): string[] => {
  if (answers.length === 0) return ['Cache-Control', 'no-store'];
  const complete = whole && answers.every(({ verdict }) => verdict.kind !== 'failed');
  const freshMs = complete ? Math.min(...answers.map((answer) => answer.freshMs)) : 0;
  const worst = Math.max(...answers.map(({ cache }) => states.indexOf(cache)));
  const policies = new Set(
    answers.flatMap((answer) => answer.policies.map(({ name, version }) => `${name}@${version}`)),
  );
  const headers = ['Verdict-Cache', states[worst] ?? 'uncacheable', 'Cache-Control', cacheControl(freshMs)];
  if (policies.size > 0) headers.push('Verdict-Policy', [...policies].sort().join(', '));
  if (answers.length <= MOST_IDS) {
    headers.push('Verdict-Decision-Id', answers.map(({ decisionId }) => decisionId).join(', '));
  }
  return headers;
};

const write = (
  service: Service,
  exchange: Exchange,
  status: number,
  headers: string[],
  body: string | Buffer,
): void => {
  const { response } = exchange;
  // The client went away while its question was answered: the record is there, and nobody to tell.
  if (response.isOver()) return;
  service.observer?.responded(status);
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
  headers.push('Content-Length', String(length));
  // As many bytes as characters: ASCII, which needs no encoding.
  const isAscii = typeof body !== 'string' || length === body.length;
  response.send(status, headers, isAscii ? body : Buffer.from(body), service.draining());
};

/** Sends a response whole: one header block, one body, its length known. */
export const send = (
  service: Service,
  exchange: Exchange,
  status: number,
  headers: string[],
  body: string,
  compressible = false,
): void => {
  if (!compressible || body.length < COMPRESSED_FROM || !takesGzip(exchange.head.acceptEncoding)) {
    write(service, exchange, status, headers, body);
    return;
  }
  gzip(body, (failure, compressed) => {
    if (failure !== null) write(service, exchange, status, headers, body);
    else write(service, exchange, status, [...headers, 'Content-Encoding', 'gzip'], compressed);
  });
};
