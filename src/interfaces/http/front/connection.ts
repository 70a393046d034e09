import type { Socket } from 'node:net';
import type { RequestObserver } from '../../../decision/index.ts';
import type { Incoming, Outgoing } from '../incoming.ts';
import { refuseConnection } from '../protocol-errors.ts';
import type { HttpLimits } from '../settings.ts';
import { answerText, CLOSE, NO_MORE, saysConnection } from './answer-text.ts';
import type { ReadHead } from './grammar.ts';
import { readFrontHead } from './grammar.ts';

/** What connections have in common. */
export interface ConnectionOptions {
  readonly limits: HttpLimits;
  readonly observer: RequestObserver | undefined;
  readonly answer: (request: Incoming, response: Outgoing) => void;
  /** Gives a connection, with all that came on it and was not answered, to node:http. */
  readonly leave: (socket: Socket) => void;
  /** The header lines, with the empty one, of answers after which more may be asked. */
  readonly keepAlive: string;
  /** True when no connection is to outlive its answer. */
  readonly isEnding: () => boolean;
  /** It closed, or was left. */
  readonly gone: (connection: Connection) => void;
}

export interface Connection {
  /** Looked at once a second: ends it when it stood idle for too long. */
  sweep(nowMs: number): void;
  /** Closes it now when nothing is asked. */
  endIdle(): void;
  destroy(): void;
}

const END_OF_HEAD = '\r\n\r\n';
const NOTHING: Buffer = Buffer.alloc(0);

/** Reads the requests of one connection and writes their answers, until it closes or has to be left. */
export const openConnection = (socket: Socket, options: ConnectionOptions): Connection => {
  const { limits, observer, answer, leave, keepAlive, isEnding, gone } = options;
  /** What came and belongs to no request yet. */
  let rest = NOTHING;
  /** Of the request whose body is still to come, with what came of it. */
  let head: ReadHead | undefined;
  let pieces: Buffer[] = [];
  let missingBytes = 0;
  /** A request was handed on and has no answer yet. */
  let isAsked = false;
  let isTaking = false;
  /** No request is taken any more. */
  let isLast = false;
  let clientEnded = false;
  /** When the connection came, the first byte of a request, or the last answer. */
  let sinceMs = performance.now();
  let onGone: (() => void) | undefined;

  const respond = (): Outgoing => {
    let isSent = false;
    let onEnd: ((status: number | undefined) => void) | undefined;
    onGone = () => onEnd?.(undefined);
    return {
      isOver: () => isSent || socket.destroyed,
      send: (status, headers, body, last) => {
        const isSaid = saysConnection(headers);
        const closes = isSaid || isLast || last || isEnding();
        const text = answerText(status, headers, isSaid ? NO_MORE : closes ? CLOSE : keepAlive);
        isSent = true;
        isLast = closes;
        if (typeof body === 'string') socket.write(text + body, 'latin1');
        else {
          socket.cork();
          socket.write(text, 'latin1');
          socket.write(body);
          socket.uncork();
        }
        onGone = undefined;
        onEnd?.(status);
        answered();
      },
      onEnd: (done) => {
        onEnd = done;
      },
    };
  };

  const ask = ({ method, target, rawHeaders, closes }: ReadHead, body: Buffer): void => {
    isAsked = true;
    isLast = closes;
    const collect = (sink: (chunk: Buffer | null) => void): void => {
      if (body.length > 0) sink(body);
      sink(null);
    };
    answer({ method, url: target, rawHeaders, socket, collect }, respond());
  };

  /** Takes one request from `rest`; its body may still be to come then. */
  const takeOne = (): void => {
    const text = rest.toString('latin1', 0, limits.headerBytes);
    const end = text.indexOf(END_OF_HEAD);
    const read = end < 0 ? undefined : readFrontHead(text.slice(0, end));
    if (read === undefined || read.bodyBytes > limits.bodyBytes) {
      handOver();
      return;
    }
    const start = end + END_OF_HEAD.length;
    const beyond = start + read.bodyBytes;
    const body = rest.subarray(start, beyond);
    rest = rest.length > beyond ? rest.subarray(beyond) : NOTHING;
    if (body.length === read.bodyBytes) {
      ask(read, body);
      return;
    }
    head = read;
    pieces = [body];
    missingBytes = read.bodyBytes - body.length;
  };

  /** One request at a time: what was sent ahead waits for the answer before it. */
  const take = (): void => {
    if (isTaking) return;
    isTaking = true;
    while (rest.length > 0 && !isAsked && !isLast && !socket.destroyed && !socket.writableNeedDrain) takeOne();
    isTaking = false;
    if (isLast) return;
    if (rest.length > 0) socket.pause();
    else if (socket.isPaused()) socket.resume();
  };

  const answered = (): void => {
    isAsked = false;
    sinceMs = performance.now();
    isLast ||= clientEnded && rest.length === 0;
    if (isLast) socket.destroySoon();
    else take();
  };

  /** The body goes on: gives what is behind it, or undefined when there is still more to come. */
  const addBody = (asked: ReadHead, chunk: Buffer): void => {
    pieces.push(chunk.subarray(0, missingBytes));
    if (chunk.length < missingBytes) {
      missingBytes -= chunk.length;
      return;
    }
    rest = chunk.subarray(missingBytes);
    const body = Buffer.concat(pieces, asked.bodyBytes);
    head = undefined;
    pieces = [];
    ask(asked, body);
  };

  const onData = (chunk: Buffer): void => {
    if (isLast) return;
    if (head !== undefined) addBody(head, chunk);
    else if (rest.length > 0) rest = Buffer.concat([rest, chunk]);
    else {
      rest = chunk;
      if (!isAsked) sinceMs = performance.now();
    }
    take();
  };
  const onDrain = (): void => {
    sinceMs = performance.now();
    take();
  };
  const onEnd = (): void => {
    clientEnded = true;
    if (head !== undefined) refuseConnection(socket, 'HPE_INVALID_EOF_STATE', observer);
    else if (!isAsked) socket.destroySoon();
  };
  const onClose = (): void => {
    gone(connection);
    onGone?.();
  };
  // The socket destroys itself then; 'close' tells the rest.
  const onError = (): void => {};

  const handOver = (): void => {
    gone(connection);
    socket.off('data', onData).off('drain', onDrain).off('end', onEnd).off('close', onClose).off('error', onError);
    const bytes = rest;
    rest = NOTHING;
    isLast = true;
    // Paused, or what is put back would flow before somebody listens.
    socket.pause();
    socket.unshift(bytes);
    leave(socket);
  };

  const isWaitedFor = (): boolean =>
    socket.writableLength > 0 || (!isAsked && head === undefined && socket.bytesRead > 0);

  const connection: Connection = {
    sweep: (nowMs) => {
      const seconds = (nowMs - sinceMs) / 1000;
      if (isWaitedFor()) {
        if (seconds > limits.idleSeconds) socket.destroy();
      } else if (!isAsked && seconds > (head === undefined ? limits.headersSeconds : limits.requestSeconds))
        refuseConnection(socket, 'ERR_HTTP_REQUEST_TIMEOUT', observer);
    },
    endIdle: () => {
      if (isAsked || head !== undefined || socket.bytesRead === 0) return;
      isLast = true;
      socket.destroySoon();
    },
    destroy: () => void socket.destroy(),
  };
  socket.on('data', onData).on('drain', onDrain).on('end', onEnd).on('close', onClose).on('error', onError);
  return connection;
};
