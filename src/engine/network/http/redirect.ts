import type { HttpRequest } from './request.ts';

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

const credentials = [
  'authorization',
  'cookie',
  'cookie2',
  'proxy-authenticate',
  'proxy-authorization',
  'www-authenticate',
];
const ofBody = ['content-encoding', 'content-language', 'content-location', 'content-type'];

export interface Hop {
  readonly url: URL;
  readonly request: HttpRequest;
}

export interface Redirect {
  readonly status: number;
  readonly location: string;
  /** The policy's own header. */
  readonly referer: string | undefined;
}

const isAbsolute = (location: string): boolean => /^[a-z][a-z0-9+.-]*:/i.test(location);

/** The page that a redirect came from, without what only its server may know. */
const refererOf = (url: URL, to: URL): string | undefined => {
  if (url.protocol === 'https:' && to.protocol === 'http:') return undefined;
  const from = new URL(url);
  [from.username, from.password] = ['', ''];
  return from.href;
};

export const isRedirect = (status: number): boolean => redirects.has(status);

/** The request that a redirect asks for, as Go's client makes it; credentials stay with the origin that was asked. */
export const redirected = (from: Hop, to: URL, { status, location, referer }: Redirect): Hop => {
  const { request, url } = from;
  const keepsBody = status === 307 || status === 308;
  const headers = new Map(request.headers);
  if (isAbsolute(location)) headers.delete('host');
  if (to.origin !== url.origin) for (const name of credentials) headers.delete(name);
  if (!keepsBody) for (const name of ofBody) headers.delete(name);
  const shown = refererOf(url, to);
  headers.delete('referer');
  if (shown !== undefined) headers.set('referer', referer ?? shown);
  const keepsMethod = keepsBody || request.method === 'HEAD';
  const method = keepsMethod ? request.method : 'GET';
  return { url: to, request: { ...request, method, headers, body: keepsBody ? request.body : Buffer.alloc(0) } };
};
