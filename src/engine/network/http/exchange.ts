import { type IncomingMessage, request as plainRequest, type RequestOptions } from 'node:http';
import { request as tlsRequest } from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import { messageOf } from '../../../canonical/index.ts';
import { BuiltinError } from '../../builtins/model.ts';
import { type AllowedHosts, HostRefused } from '../allowed.ts';
import { checkedLookup } from '../lookup.ts';
import type { HttpRequest } from './request.ts';
import type { TlsRequest } from './tls.ts';

/** The network failed, and not the request: `eval_http_send_network_error`. */
export class NetworkFailure extends Error {}

export interface HttpResponse {
  readonly status: string;
  readonly statusCode: number;
  /** By name in lower case. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: Buffer;
}

export interface ExchangeLimits {
  readonly allowed: AllowedHosts;
  readonly responseBytes: number;
  /** Throws when the evaluation has made all the requests that it may. */
  readonly count: () => void;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

// Node frames the body: a policy that wrote these could frame another one.
const framing: ReadonlySet<string> = new Set(
  'connection content-length expect host keep-alive proxy-connection te trailer transfer-encoding upgrade'.split(' '),
);
const secretHeaders = ['authorization', 'cookie', 'cookie2', 'www-authenticate'];
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

const withTls = (
  options: RequestOptions,
  tls: TlsRequest,
): RequestOptions & Pick<ConnectionOptions, 'secureContext'> => ({
  ...options,
  ...tls.options,
  secureContext: tls.context(),
});

const parsedUrl = (text: string): URL => {
  const url = URL.parse(text);
  if (url !== null && (url.protocol === 'http:' || url.protocol === 'https:')) return url;
  throw new BuiltinError(`unsupported protocol scheme in the URL ${JSON.stringify(text)}: http and https are taken`);
};

const headersOf = (response: IncomingMessage): HttpResponse['headers'] => {
  const headers = new Map<string, string[]>();
  const { rawHeaders } = response;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    if (name !== 'transfer-encoding') headers.set(name, [...(headers.get(name) ?? []), rawHeaders[at + 1] ?? '']);
  }
  return headers;
};

const bodyOf = async (response: IncomingMessage, most: number): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > most) {
      response.destroy();
      throw new BuiltinError(`the response takes more than ${most} bytes: engine.network.responseBytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

/** One request on a connection of its own, to an address that was checked when it was connected to. */
const sendOnce = async (url: URL, request: HttpRequest, limits: ExchangeLimits): Promise<HttpResponse> => {
  const { allowed, responseBytes, signal } = limits;
  allowed.checkHost(url.hostname);
  const { method, body, tls } = request;
  const headers = Object.fromEntries([...request.headers].filter(([name]) => !framing.has(name)));
  const host = request.headers.get('host');
  const hasBody = body.length > 0 || ['POST', 'PUT', 'PATCH'].includes(method);
  const options: RequestOptions = {
    method: method === '' ? 'GET' : method,
    headers: {
      'user-agent': 'Open-Policy-Agent (Verdict)',
      ...headers,
      ...(host === undefined ? {} : { host }),
      ...(hasBody ? { 'content-length': body.length } : {}),
    },
    lookup: checkedLookup(allowed),
    agent: false,
    signal,
  };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const isTls = url.protocol === 'https:';
    const sent = isTls ? tlsRequest(url, withTls(options, tls)) : plainRequest(url, options);
    sent.once('response', resolve).once('error', reject);
    sent.once('upgrade', (_response, socket) => {
      socket.destroy();
      reject(new Error('the server wants another protocol'));
    });
    sent.end(body);
  });
  const statusCode = response.statusCode ?? 0;
  const status = `${statusCode} ${response.statusMessage ?? ''}`;
  return { status, statusCode, headers: headersOf(response), body: await bodyOf(response, responseBytes) };
};

/** The request that a redirect asks for, as Go's client makes it. */
const redirected = (from: URL, to: URL, { statusCode }: HttpResponse, request: HttpRequest): HttpRequest => {
  const headers = new Map(request.headers);
  headers.delete('host');
  // Credentials are for the origin that the policy named.
  if (to.origin !== from.origin) for (const name of secretHeaders) headers.delete(name);
  const keeps = statusCode === 307 || statusCode === 308;
  const method = keeps || request.method === 'HEAD' ? request.method : 'GET';
  return { ...request, method, headers, body: keeps ? request.body : Buffer.alloc(0) };
};

const follow = async (first: URL, asked: HttpRequest, limits: ExchangeLimits): Promise<HttpResponse> => {
  let [url, request] = [first, asked];
  for (;;) {
    limits.count();
    const response = await sendOnce(url, request, limits);
    const location = response.headers.get('location')?.[0];
    if (!asked.followsRedirects || location === undefined || !redirects.has(response.statusCode)) return response;
    const next = parsedUrl(URL.parse(location, url)?.href ?? location);
    request = redirected(url, next, response, request);
    url = next;
  }
};

/** The failure in Go's words, as far as they are known. */
const failureText = (error: unknown, url: URL): string => {
  const { code } = error as NodeJS.ErrnoException;
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  if (code === 'ECONNREFUSED') return `dial tcp ${url.hostname}:${port}: connect: connection refused`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `dial tcp: lookup ${url.hostname}: no such host`;
  return messageOf(error);
};

const attempt = async (url: URL, request: HttpRequest, limits: ExchangeLimits): Promise<HttpResponse> => {
  const timer = new AbortController();
  const { timeoutMs } = request;
  const after = Number.isFinite(timeoutMs) ? setTimeout(() => timer.abort(), Math.max(0, timeoutMs)) : undefined;
  const signal = AbortSignal.any([limits.signal, timer.signal]);
  try {
    return await follow(url, request, { ...limits, signal });
  } catch (error) {
    if (error instanceof BuiltinError || error instanceof HostRefused) throw error;
    if (timer.signal.aborted) throw new NetworkFailure(`${request.method} ${request.url}: request timed out`);
    const method = request.method.charAt(0) + request.method.slice(1).toLowerCase();
    const why = `${method} ${JSON.stringify(request.url)}: ${failureText(error, url)}`;
    throw new NetworkFailure(why, { cause: error });
  } finally {
    clearTimeout(after);
  }
};

const longestPauseMs = 60_000;

/** Sends a request, again after failures of the network if it says so, with pauses from 0.1 s on that double. */
export const exchange = async (request: HttpRequest, limits: ExchangeLimits): Promise<HttpResponse> => {
  const url = parsedUrl(request.url);
  for (let tried = 1; ; tried++) {
    try {
      return await attempt(url, request, limits);
    } catch (error) {
      if (!(error instanceof NetworkFailure) || tried >= request.attempts || limits.signal.aborted) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.min(100 * 2 ** (tried - 1), longestPauseMs)));
    }
  }
};
