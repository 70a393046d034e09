// The requests that the connection loop reads itself: a part of RFC 9112 that leaves no room for two readings. All else
// is left to node:http.

/** A head that is taken. */
export interface ReadHead {
  readonly method: 'GET' | 'POST';
  readonly target: string;
  /** Names and values in turn, as node:http has them. */
  readonly rawHeaders: readonly string[];
  /** Bytes of the body behind it. */
  readonly bodyBytes: number;
  /** The client asks nothing more on this connection. */
  readonly closes: boolean;
}

const REQUEST_LINE = /^(GET|POST) ([!-~]+) HTTP\/1\.1$/;
const LENGTH = /^[0-9]{1,9}$/;
/** More lines than a request of a service has. */
const MOST_FIELDS = 64;
const COLON = 0x3a;
const SPACE = 0x20;
const TAB = 0x09;

/** RFC 9110, section 5.6.2: the characters of a name. */
const isTokenMark = Uint8Array.from({ length: 256 }, (_, code) =>
  /[!#$%&'*+.^_`|~0-9A-Za-z-]/.test(String.fromCharCode(code)) ? 1 : 0,
);
/** Visible ASCII and blanks: no bare CR or LF, nothing that somebody could read in another encoding. */
const isValueMark = Uint8Array.from({ length: 256 }, (_, code) =>
  (code >= SPACE && code <= 0x7e) || code === TAB ? 1 : 0,
);
const isBlank = (code: number): boolean => code === SPACE || code === TAB;

/** Headers that say how a message is framed or who may speak next; Content-Length and Connection are read. */
const left = new Set(['transfer-encoding', 'upgrade', 'expect', 'te', 'trailer', 'proxy-connection', 'http2-settings']);
// Lengths of the names that matter: the others are not even lower-cased.
const lengths = new Set(['host', 'content-length', 'connection', ...left].map((name) => name.length));

/**
 * Reads a head, without the empty line at its end; undefined when it is to be left to node:http, which refuses what is
 * no HTTP: any other method or version, any other character, a length that is not one number, a missing Host.
 *
 * @param text the bytes as characters (latin1)
 */
export const readFrontHead = (text: string): ReadHead | undefined => {
  const lineEnd = text.indexOf('\r\n');
  const line = REQUEST_LINE.exec(lineEnd < 0 ? text : text.slice(0, lineEnd));
  if (line === null || lineEnd < 0) return undefined;
  const rawHeaders: string[] = [];
  let bodyBytes: number | undefined;
  let hasHost = false;
  let closes = false;
  for (let at = lineEnd + 2; at <= text.length; ) {
    const start = at;
    while (isTokenMark[text.charCodeAt(at)] === 1) at++;
    if (at === start || text.charCodeAt(at) !== COLON) return undefined;
    const name = text.slice(start, at++);
    while (isBlank(text.charCodeAt(at))) at++;
    const from = at;
    while (isValueMark[text.charCodeAt(at)] === 1) at++;
    let to = at;
    while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
    if (at < text.length && !text.startsWith('\r\n', at)) return undefined;
    at += 2;
    const value = text.slice(from, to);
    if (rawHeaders.push(name, value) > 2 * MOST_FIELDS) return undefined;
    if (!lengths.has(name.length)) continue;
    const lower = name.toLowerCase();
    if (lower === 'host') hasHost = true;
    else if (lower === 'content-length') {
      if (bodyBytes !== undefined || !LENGTH.test(value)) return undefined;
      bodyBytes = Number(value);
    } else if (lower === 'connection') {
      const option = value.toLowerCase();
      closes ||= option === 'close';
      if (option !== 'close' && option !== 'keep-alive') return undefined;
    } else if (left.has(lower)) return undefined;
  }
  const [, method, target] = line as unknown as [string, 'GET' | 'POST', string];
  return hasHost ? { method, target, rawHeaders, bodyBytes: bodyBytes ?? 0, closes } : undefined;
};
