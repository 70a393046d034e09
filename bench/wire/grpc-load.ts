import http2 from 'node:http2';
import type { LoadResult } from '../../test/load/client.ts';

/** A unary call: `path` is `/package.Service/Method`, `message` the encoded request. */
export interface GrpcRequest {
  readonly path: string;
  readonly message: Buffer;
}

export interface GrpcLoadOptions {
  readonly port: number;
  readonly connections: number;
  /** The n-th call, or undefined when there are no more. */
  readonly request: (n: number) => GrpcRequest | undefined;
  /** Called with the encoded response of every call that succeeded. */
  readonly onAnswer?: (message: Buffer, n: number) => void;
}

/** A message as it goes on the wire: not compressed, its length before it. */
const frame = (message: Buffer): Buffer => {
  const framed = Buffer.allocUnsafe(5 + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  message.copy(framed, 5);
  return framed;
};

/** One call; resolves with the response, rejects with what the server said when there is none. */
const call = (session: http2.ClientHttp2Session, { path, message }: GrpcRequest): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let received: Buffer = Buffer.alloc(0);
    let end: http2.IncomingHttpHeaders = {};
    stream.on('response', (headers) => {
      end = headers;
    });
    stream.on('data', (chunk: Buffer) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    });
    stream.on('trailers', (trailers) => {
      end = trailers;
    });
    stream.on('error', () => undefined);
    stream.on('close', () => {
      if (end['grpc-status'] === '0') resolve(received.subarray(5));
      else reject(new Error(`${path}: gRPC status ${end['grpc-status'] ?? 'none'}: ${end['grpc-message'] ?? ''}`));
    });
    stream.end(frame(message));
  });

/**
 * Keeps `connections` connections busy with one unary call at a time on each, as `load` does over HTTP/1.1, until
 * `request` gives undefined; rejects when a call fails. Frames on node:http2, because a gRPC client would need more of
 * the machine than the servers it measures.
 */
export const loadGrpc = async (options: GrpcLoadOptions): Promise<LoadResult> => {
  const latencies: number[] = [];
  let sent = 0;

  const connection = async (): Promise<void> => {
    const session = http2.connect(`http://127.0.0.1:${options.port}`);
    session.on('error', () => undefined);
    try {
      for (let request = options.request(sent); request !== undefined; request = options.request(sent)) {
        const n = sent++;
        const startedAt = performance.now();
        const message = await call(session, request);
        latencies.push(performance.now() - startedAt);
        options.onAnswer?.(message, n);
      }
    } finally {
      session.destroy();
    }
  };

  await Promise.all(Array.from({ length: options.connections }, connection));
  return { answered: latencies.length, latencies: Float64Array.from(latencies), unanswered: 0 };
};
