import type { Caching } from './caching.ts';
import type { ExchangeLimits, HttpResponse } from './exchange.ts';
import { exchange } from './exchange.ts';
import { expiryMs, mayStore } from './freshness.ts';
import type { HttpRequest } from './request.ts';
import type { BundleResponses, StoredResponse } from './response-cache.ts';
import { firstHeader } from './wire.ts';

// https://www.rfc-editor.org/rfc/rfc7231#section-6.1, as OPA takes it: others are asked for again.
const lasting: ReadonlySet<number> = new Set([200, 203, 204, 206, 300, 301, 404, 405, 410, 414, 501]);

export const isLasting = ({ statusCode }: HttpResponse): boolean => lasting.has(statusCode);

/** One request and what it may use of earlier ones. */
export interface CachedRequest {
  readonly request: HttpRequest;
  /** The request without the headers that do not tell requests apart: asks whether a response has changed. */
  readonly bare: () => HttpRequest;
  readonly key: string;
  readonly caching: Caching;
  readonly responses: BundleResponses;
  /** The clock of the evaluation, milliseconds since 1970. */
  readonly nowMs: number;
}

const isFresh = ({ expiresMs }: StoredResponse, nowMs: number): boolean => nowMs < expiresMs;

const endOf = (headers: HttpResponse['headers'], { caching, nowMs }: CachedRequest): number => {
  const { forcedSeconds } = caching;
  return forcedSeconds > 0 ? nowMs + forcedSeconds * 1000 : (expiryMs(headers) ?? Number.NEGATIVE_INFINITY);
};

/** Keeps what may be kept. Throws BuiltinError where the headers say something that cannot be read. */
const store = (response: HttpResponse, asked: CachedRequest): void => {
  const { caching, key, responses } = asked;
  if (!caching.isModeKnown || !isLasting(response)) return;
  if (caching.forcedSeconds <= 0 && !mayStore(response.headers)) return;
  responses.set(key, { response, expiresMs: endOf(response.headers, asked) });
};

/** The stored response, when the server says that it still holds, or its new one; undefined when it says neither. */
const revalidate = async (
  stored: StoredResponse,
  asked: CachedRequest,
  limits: ExchangeLimits,
): Promise<HttpResponse | undefined> => {
  const { headers: known } = stored.response;
  const [etag, modified] = [firstHeader(known, 'etag'), firstHeader(known, 'last-modified')];
  if (etag === '' && modified === '') return undefined;
  const bare = asked.bare();
  const headers = new Map(bare.headers);
  if (etag !== '') headers.set('if-none-match', etag);
  if (modified !== '') headers.set('if-modified-since', modified);
  const answer = await exchange({ ...bare, headers }, limits);
  if (answer.statusCode === 200) {
    store(answer, asked);
    return answer;
  }
  if (answer.statusCode !== 304) return undefined;
  const response = { ...stored.response, headers: new Map([...stored.response.headers, ...answer.headers]) };
  asked.responses.set(asked.key, { response, expiresMs: endOf(answer.headers, asked) });
  return response;
};

/** Answers from what the bundle kept while that is fresh, and keeps what is new: http.send with `cache`, as OPA has it. */
export const cachedExchange = async (asked: CachedRequest, limits: ExchangeLimits): Promise<HttpResponse> => {
  const { key, nowMs, request, responses } = asked;
  const stored = responses.get(key);
  if (stored !== undefined) {
    if (isFresh(stored, nowMs)) {
      limits.tell?.('cache_hit');
      return stored.response;
    }
    responses.delete(key);
    const again = await revalidate(stored, asked, limits);
    if (again !== undefined) return again;
  }
  const response = await exchange(request, limits);
  try {
    store(response, asked);
  } catch {
    // OPA, too, answers with a response that it cannot keep.
  }
  return response;
};

/**
 * Milliseconds since 1970 until which an answer that rests on the response may be used again: no longer than the
 * response itself could be. Undefined when nothing bounds it.
 */
export const answerEndMs = (response: HttpResponse, asked: CachedRequest): number | undefined => {
  const { caching, key, responses } = asked;
  const stored = responses.get(key);
  if (stored !== undefined && stored.expiresMs > Number.NEGATIVE_INFINITY) return stored.expiresMs;
  if (caching.forcedSeconds > 0) return endOf(response.headers, asked);
  if (!mayStore(response.headers)) return Number.NEGATIVE_INFINITY;
  try {
    return expiryMs(response.headers);
  } catch {
    return Number.NEGATIVE_INFINITY;
  }
};
