import type { IncomingMessage } from 'node:http';
import { request as plainRequest, type RequestOptions } from 'node:http';
import { request as tlsRequest } from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import { BuiltinError } from '../../builtins/model.ts';
import { checkedLookup } from '../lookup.ts';
import type { BundleConnections } from './connections.ts';
import type { ExchangeLimits } from './exchange.ts';
import type { HttpRequest } from './request.ts';
import type { TlsRequest } from './tls.ts';

// Node frames the body: a policy that wrote these could frame another one.
const framing: ReadonlySet<string> = new Set(
  'connection content-length expect host keep-alive proxy-connection te trailer transfer-encoding upgrade'.split(' '),
);
// What is between the two of us: Go takes it out of a response as well.
const between: ReadonlySet<string> = new Set(['connection', 'transfer-encoding']);

const withTls = (
  options: RequestOptions,
  tls: TlsRequest,
): RequestOptions & Pick<ConnectionOptions, 'secureContext'> => ({
  ...options,
  ...tls.options,
  secureContext: tls.context(),
});

// Node takes one character for one byte.
const bytesAsText = (text: string): string => Buffer.from(text).toString('latin1');

const headersFor = ({ headers, method, body }: HttpRequest): Record<string, string | number> => {
  const own = [...headers].filter(([name]) => !framing.has(name)).map(([name, text]) => [name, bytesAsText(text)]);
  const host = headers.get('host');
  const hasBody = body.length > 0 || ['POST', 'PUT', 'PATCH'].includes(method);
  return {
    'user-agent': 'Open-Policy-Agent (Verdict)',
    ...(Object.fromEntries(own) as Record<string, string>),
    ...(host === undefined ? {} : { host }),
    ...(hasBody ? { 'content-length': body.length } : {}),
  };
};

/** What a request of `sendOnce` may use, and whom it tells. */
type Sending = Pick<ExchangeLimits, 'allowed' | 'connections' | 'resolve' | 'signal' | 'tell'>;

type Agent = ReturnType<BundleConnections['agent']>;

const sendBy = (url: URL, request: HttpRequest, sending: Sending, agent: Agent | false): Promise<IncomingMessage> => {
  const { allowed, resolve: resolveAll, signal, tell } = sending;
  const method = request.method === '' ? 'GET' : request.method;
  const headers = headersFor(request);
  const options: RequestOptions = { method, headers, lookup: checkedLookup(allowed, resolveAll), agent, signal };
  return new Promise<IncomingMessage>((resolve, reject) => {
    const isTls = url.protocol === 'https:';
    const sent = isTls ? tlsRequest(url, withTls(options, request.tls)) : plainRequest(url, options);
    sent.once('response', (response) => {
      if (sent.reusedSocket) tell?.('reused');
      resolve(response);
    });
    sent.once('error', (error: NodeJS.ErrnoException) => {
      const isStale = sent.reusedSocket && closed.has(error.code ?? '') && !signal.aborted;
      if (isStale) resolve(sendBy(url, request, sending, false));
      else reject(error);
    });
    sent.once('upgrade', (_response, socket) => {
      socket.destroy();
      reject(new Error('the server wants another protocol'));
    });
    if (!('content-length' in headers)) {
      // Without a body there is none of length 0 either.
      sent.removeHeader('content-length');
      sent.removeHeader('transfer-encoding');
    }
    sent.end(request.body);
  });
};

/** How a connection ends that the server had closed before the request came. */
const closed: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);

// Go, too, sends these again when the connection was closed meanwhile; others might be done twice.
const repeatable: ReadonlySet<string> = new Set(['', 'GET', 'HEAD', 'OPTIONS']);

/**
 * Sends one request, to an address that is checked when it is connected to: on a connection that earlier ones left, where
 * it may be sent again should that have been closed meanwhile.
 */
export const sendOnce = async (url: URL, request: HttpRequest, sending: Sending): Promise<IncomingMessage> => {
  sending.allowed.checkHost(url.hostname);
  const identity = url.protocol === 'https:' ? request.tls.identity : undefined;
  const isRepeatable = repeatable.has(request.method) && request.body.length === 0;
  const agent = isRepeatable ? sending.connections?.agent(identity) : undefined;
  return sendBy(url, request, sending, agent ?? false);
};

/** By name in lower case; a text is the bytes that came, one character each. */
export type ResponseHeaders = ReadonlyMap<string, readonly string[]>;

export const headersOf = ({ rawHeaders }: IncomingMessage): ResponseHeaders => {
  const headers = new Map<string, string[]>();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    if (!between.has(name)) headers.set(name, [...(headers.get(name) ?? []), rawHeaders[at + 1] ?? '']);
  }
  return headers;
};

/** The first of a name, which is all that OPA reads; empty where there is none. */
export const firstHeader = (headers: ResponseHeaders, name: string): string => headers.get(name)?.[0] ?? '';

/** A token of HTTP, for patterns. https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2 */
export const token = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";

/** Reads a body of so many bytes at most. Rejects with BuiltinError for a longer one, and as Node does for one cut off. */
export const bodyOf = async (response: IncomingMessage, most: number): Promise<Buffer> => {
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
