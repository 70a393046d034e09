import { RequestError } from '../wire/index.ts';

/** The headers that a decision listener reads. Absent ones are empty texts. */
export interface Head {
  readonly host: string;
  readonly contentType: string;
  readonly contentCoding: string;
  readonly contentLength: string;
  readonly authorization: string;
  readonly requestId: string;
  readonly acceptEncoding: string;
  readonly hasOrigin: boolean;
  readonly traceparent: string;
  /** The client wants an answer of its own: `Cache-Control: no-cache` or `no-store`. */
  readonly noCache: boolean;
}

/** What is known of headers before they are read. */
export const unread: Head = Object.freeze({
  host: '',
  contentType: '',
  contentCoding: '',
  contentLength: '',
  authorization: '',
  requestId: '',
  acceptEncoding: '',
  hasOrigin: false,
  traceparent: '',
  noCache: false,
});

type Single = 'host' | 'contentType' | 'contentCoding' | 'contentLength' | 'authorization' | 'requestId';

/** Headers of which two would mean that somebody in front of us may have read the other one, each with its bit. */
const singles: ReadonlyMap<string, readonly [Single, number]> = new Map([
  ['host', ['host', 1]],
  ['content-type', ['contentType', 2]],
  ['content-encoding', ['contentCoding', 4]],
  ['authorization', ['authorization', 8]],
  ['x-request-id', ['requestId', 16]],
  ['content-length', ['contentLength', 32]],
]);

// Lengths of the names that matter: the others are not even lower-cased.
const lengths = new Set(
  [...singles.keys(), 'origin', 'accept-encoding', 'cache-control', 'traceparent'].map((name) => name.length),
);

/** Reads what node:http got, in one pass; throws RequestError when a header that must be single is repeated. */
export const readHead = (raw: readonly string[]): Head => {
  const head = { ...unread };
  let seen = 0;
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const written = raw[at] as string;
    if (!lengths.has(written.length)) continue;
    const name = written.toLowerCase();
    const value = raw[at + 1] as string;
    const single = singles.get(name);
    if (single !== undefined) {
      const [field, bit] = single;
      if ((seen & bit) !== 0) throw new RequestError('header_repeated', `the header ${name} came twice`);
      seen |= bit;
      head[field] = value;
    } else if (name === 'origin') head.hasOrigin = true;
    // One that came twice is malformed by what the joined text is.
    else if (name === 'traceparent') head.traceparent += value;
    else if (name === 'accept-encoding') head.acceptEncoding += head.acceptEncoding === '' ? value : `,${value}`;
    else if (name === 'cache-control') head.noCache ||= /\bno-(?:cache|store)\b/i.test(value);
  }
  return head;
};

/** Whether gzip is among the codings that the client takes. */
export const takesGzip = (acceptEncoding: string): boolean =>
  acceptEncoding !== '' &&
  acceptEncoding.split(',').some((part) => {
    const [coding = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    return coding === 'gzip' && !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
  });
