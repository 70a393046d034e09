import net from 'node:net';

/** One answer as it came off the wire. */
export interface Received {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

export interface LoadOptions {
  readonly port: number;
  readonly connections: number;
  /** The n-th request as it goes on the wire (see `post`), or undefined when there are no more. */
  readonly request: (n: number) => Buffer | undefined;
  /** Called for every whole answer; leaving it out saves the decoding. */
  readonly onAnswer?: (answer: Received, n: number) => void;
}

export interface LoadResult {
  readonly answered: number;
  /** Milliseconds per answer, unsorted. */
  readonly latencies: Float64Array;
  /** Requests that were sent and got no whole answer: the server went away. */
  readonly unanswered: number;
}

/** A POST with a JSON body, as bytes. */
export const post = (path: string, body: string, headers = ''): Buffer =>
  Buffer.from(
    `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n${headers}` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );

const END_OF_HEAD = Buffer.from('\r\n\r\n');
const LENGTH = /\r\ncontent-length: (\d+)/i;
const CHUNKED = /\r\ntransfer-encoding: chunked/i;
const LAST_CHUNK = Buffer.from('\r\n0\r\n\r\n');

/** Where the answer that starts at 0 ends; undefined while it is not whole. One is awaited at a time, so a last chunk is its end. */
const endOf = (pending: Buffer, head: string, bodyStart: number): number | undefined => {
  if (CHUNKED.test(head)) return pending.subarray(-LAST_CHUNK.length).equals(LAST_CHUNK) ? pending.length : undefined;
  const end = bodyStart + Number(LENGTH.exec(head)?.[1] ?? 0);
  return pending.length < end ? undefined : end;
};

const bodyOf = (head: string, bytes: Buffer): string => {
  if (!CHUNKED.test(head)) return bytes.toString('utf8');
  const chunks: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at);
    const length = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    if (!(length > 0)) return Buffer.concat(chunks).toString('utf8');
    chunks.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + length));
    at = lineEnd + 2 + length + 2;
  }
};

/**
 * Keeps `connections` keep-alive connections busy, one request at a time on each, until `request` gives undefined or
 * the server is gone. Resolves, never rejects: what was lost is counted. Raw sockets, because a client library would
 * need more of the machine than the server it measures.
 */
export const load = async (options: LoadOptions): Promise<LoadResult> => {
  const latencies: number[] = [];
  let sent = 0;
  let answered = 0;
  let unanswered = 0;

  const connection = (): Promise<void> =>
    new Promise((resolve) => {
      const socket = net.connect({ host: '127.0.0.1', port: options.port, noDelay: true });
      let pending: Buffer = Buffer.alloc(0);
      let inFlight = -1;
      let startedAt = 0;

      const next = (): void => {
        const bytes = options.request(sent);
        if (bytes === undefined) {
          inFlight = -1;
          socket.end();
          return;
        }
        inFlight = sent++;
        startedAt = performance.now();
        socket.write(bytes);
      };
      socket.on('connect', next);
      socket.on('data', (chunk) => {
        pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
        const headEnd = pending.indexOf(END_OF_HEAD);
        if (headEnd < 0) return;
        const head = pending.toString('latin1', 0, headEnd);
        const end = endOf(pending, head, headEnd + 4);
        if (end === undefined) return;
        latencies.push(performance.now() - startedAt);
        answered++;
        if (options.onAnswer !== undefined) {
          const body = bodyOf(head, pending.subarray(headEnd + 4, end));
          options.onAnswer({ status: Number(head.slice(9, 12)), head, body }, inFlight);
        }
        pending = pending.subarray(end);
        inFlight = -1;
        if (/\r\nconnection: close/i.test(head)) socket.end();
        else next();
      });
      socket.on('error', () => undefined);
      socket.on('close', () => {
        if (inFlight >= 0) unanswered++;
        resolve();
      });
    });

  await Promise.all(Array.from({ length: options.connections }, connection));
  return { answered, latencies: Float64Array.from(latencies), unanswered };
};
