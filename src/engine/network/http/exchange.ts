import type { IncomingMessage } from 'node:http';
import { messageOf } from '../../../canonical/index.ts';
import { BuiltinError } from '../../builtins/model.ts';
import { type AllowedHosts, HostRefused } from '../allowed.ts';
import type { Resolve } from '../lookup.ts';
import type { NetworkEvent } from '../model.ts';
import type { BundleConnections } from './connections.ts';
import { type Hop, isRedirect, redirected } from './redirect.ts';
import type { HttpRequest } from './request.ts';
import { bodyOf, headersOf, type ResponseHeaders, sendOnce, token } from './wire.ts';

/** The network failed, and not the request: `eval_http_send_network_error`. */
export class NetworkFailure extends Error {
  /** What is said where it is raised, when that is something else. */
  readonly raised: string;

  constructor(message: string, options?: ErrorOptions & { readonly raised?: string }) {
    super(message, options);
    this.raised = options?.raised ?? message;
  }
}

export interface HttpResponse {
  readonly status: string;
  readonly statusCode: number;
  readonly headers: ResponseHeaders;
  readonly body: Buffer;
}

export interface ExchangeLimits {
  readonly allowed: AllowedHosts;
  readonly responseBytes: number;
  /** Throws when the evaluation has made all the requests that it may. */
  readonly count: () => void;
  /** Absent: each request has a connection of its own. */
  readonly connections?: BundleConnections;
  readonly tell?: (event: NetworkEvent) => void;
  /** Absent: the system's. */
  readonly resolve?: Resolve;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** Go's way to say what was done: `Get "http://people.example/": why`. */
const failureOf = ({ method }: HttpRequest, url: string, why: string, cause?: unknown): NetworkFailure => {
  const verb = method === '' ? 'Get' : method.charAt(0) + method.slice(1).toLowerCase();
  const raised = why.startsWith('context deadline exceeded') ? `${verb} ${url}: request timed out` : undefined;
  return new NetworkFailure(`${verb} ${JSON.stringify(url)}: ${why}`, { cause, ...(raised ? { raised } : {}) });
};

const parsedUrl = (text: string, request: HttpRequest): URL => {
  const scheme = (/^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1] ?? '').toLowerCase();
  if (scheme !== 'http' && scheme !== 'https') {
    throw failureOf(request, text, `unsupported protocol scheme ${JSON.stringify(scheme)}`);
  }
  const url = URL.parse(text);
  if (url === null) throw new BuiltinError(`parse ${JSON.stringify(text)}: invalid URL`);
  return url;
};

const wholeToken = new RegExp(`^${token}$`);

/** Refuses what is no HTTP, in Go's words. */
const checkHeaders = (request: HttpRequest): void => {
  for (const [name, value] of request.headers) {
    const canonical = name.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
    const isBad = /[\u0000-\u0008\u000a-\u001f\u007f]/.test(value);
    if (!wholeToken.test(name)) {
      throw failureOf(request, request.url, `net/http: invalid header field name ${JSON.stringify(name)}`);
    }
    if (isBad) {
      throw failureOf(request, request.url, `net/http: invalid header field value for ${JSON.stringify(canonical)}`);
    }
  }
};

/** The failure in Go's words, as far as they are known. */
const reasonOf = (error: unknown, url: URL): string => {
  const { code } = error as NodeJS.ErrnoException;
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  if (code === 'ECONNREFUSED') return `dial tcp ${url.hostname}:${port}: connect: connection refused`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `dial tcp: lookup ${url.hostname}: no such host`;
  return code === 'ECONNRESET' ? 'EOF' : messageOf(error);
};

const timedOut = (what: string): string => `context deadline exceeded (Client.Timeout ${what})`;

/** The head of the response that redirects end at, where they are followed. */
const follow = async (first: Hop, limits: ExchangeLimits, timer: AbortSignal): Promise<IncomingMessage> => {
  const referer = first.request.headers.get('referer');
  for (let hop = first; ; ) {
    const { url, request } = hop;
    limits.count();
    const response = await sendOnce(url, request, limits).catch((error: unknown) => {
      const isRefused = error instanceof BuiltinError || error instanceof HostRefused;
      limits.tell?.(isRefused ? 'refused' : 'failed');
      if (isRefused) throw error;
      const why = timer.aborted ? timedOut('exceeded while awaiting headers') : reasonOf(error, url);
      throw failureOf(request, hop === first ? request.url : url.href, why, error);
    });
    limits.tell?.('answered');
    const { location } = response.headers;
    const status = response.statusCode ?? 0;
    if (!request.followsRedirects || location === undefined || !isRedirect(status)) return response;
    response.destroy();
    hop = redirected(hop, parsedUrl(URL.parse(location, url)?.href ?? location, request), {
      status,
      location,
      referer,
    });
  }
};

const longestTimerMs = 2 ** 31 - 1;

const attempt = async (url: URL, request: HttpRequest, limits: ExchangeLimits): Promise<HttpResponse> => {
  const timer = new AbortController();
  const { timeoutMs } = request;
  // A timer of Node runs for a millisecond at least, in which an answer may come.
  if (timeoutMs < 1) timer.abort();
  // Nor for longer than this: it would run for one then.
  const after = timeoutMs < longestTimerMs ? setTimeout(() => timer.abort(), timeoutMs) : undefined;
  const signal = AbortSignal.any([limits.signal, timer.signal]);
  try {
    const response = await follow({ url, request }, { ...limits, signal }, timer.signal);
    const body = await bodyOf(response, limits.responseBytes).catch((error: unknown) => {
      if (error instanceof BuiltinError) throw error;
      const why = timer.signal.aborted ? timedOut('or context cancellation while reading body') : 'unexpected EOF';
      throw new BuiltinError(why, { cause: error });
    });
    const statusCode = response.statusCode ?? 0;
    return { status: `${statusCode} ${response.statusMessage ?? ''}`, statusCode, headers: headersOf(response), body };
  } finally {
    clearTimeout(after);
  }
};

const longestPauseMs = 60_000;

/** Sends a request, again after failures of the network if it says so, with pauses from 0.1 s on that double. */
export const exchange = async (request: HttpRequest, limits: ExchangeLimits): Promise<HttpResponse> => {
  if (request.method !== '' && !wholeToken.test(request.method)) {
    throw new BuiltinError(`net/http: invalid method ${JSON.stringify(request.method)}`);
  }
  const url = parsedUrl(request.url, request);
  checkHeaders(request);
  for (let tried = 1; ; tried++) {
    try {
      return await attempt(url, request, limits);
    } catch (error) {
      if (!(error instanceof NetworkFailure) || tried >= request.attempts || limits.signal.aborted) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.min(100 * 2 ** (tried - 1), longestPauseMs)));
    }
  }
};
