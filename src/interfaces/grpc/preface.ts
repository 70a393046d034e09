import type { Socket } from 'node:net';

/** What every HTTP/2 client says first (RFC 9113, section 3.4). */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

const SENTENCE =
  'this port speaks gRPC (HTTP/2 without TLS); HTTP/1.1 is answered by the HTTP listener ' +
  '(server.http.host and .port; by default 127.0.0.1:8181)\n';
const REFUSAL =
  'HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n' +
  `Content-Length: ${Buffer.byteLength(SENTENCE)}\r\nConnection: close\r\n\r\n${SENTENCE}`;

/** For so long a refused client may take its answer. */
const LINGER_MS = 2_000;

const HTTP_1 = /^[A-Z]+ \S+ HTTP\/1\.[01]\r?\n/;

// Read on until its end: closing over bytes that nobody took would reset the connection, and the answer with it.
const refuse = (socket: Socket, first: Buffer): void => {
  if (!HTTP_1.test(first.toString('latin1', 0, 16_384))) {
    socket.destroy();
    return;
  }
  socket.resume();
  socket.setTimeout(LINGER_MS, () => socket.destroy());
  socket.end(REFUSAL);
};

export interface PrefaceOptions {
  /** Milliseconds within which a client must have said something. */
  readonly withinMs: number;
  /** Takes a connection that begins as HTTP/2 does, with nothing read from it. */
  readonly onHttp2: (socket: Socket) => void;
  readonly onRefused: () => void;
}

/**
 * Looks at the first bytes of a connection: HTTP/1 is answered in its own words and closed, anything else that is not
 * HTTP/2 is closed. grpc-js would greet both with frames that they cannot read, and wait.
 */
export const awaitPreface = (socket: Socket, { withinMs, onHttp2, onRefused }: PrefaceOptions): void => {
  const late = setTimeout(() => socket.destroy(), withinMs);
  const look = (): void => {
    const first = socket.read() as Buffer | null;
    if (first === null) return;
    clearTimeout(late);
    socket.off('readable', look);
    const length = Math.min(first.length, PREFACE.length);
    if (first.subarray(0, length).equals(PREFACE.subarray(0, length))) {
      socket.unshift(first);
      onHttp2(socket);
    } else {
      onRefused();
      refuse(socket, first);
    }
  };
  socket.on('readable', look);
  socket.once('error', () => socket.destroy());
  socket.once('close', () => clearTimeout(late));
};
