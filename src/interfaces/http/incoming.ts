import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** A request as routes see it, whoever read it from its connection. */
export interface Incoming {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
  readonly socket: Socket;
  /** `sink` gets every chunk of the body, and null at the end. To be called while the head is handled. */
  collect(sink: (chunk: Buffer | null) => void): void;
}

/** The way back to the client. */
export interface Outgoing {
  /** The client went away, or has its answer. */
  readonly isOver: () => boolean;
  /**
   * One header block, one body whose length stands in `headers`, which are names and values in turn, of visible ASCII.
   * A string is ASCII. The connection closes after the `last` answer, or one with a header Connection.
   */
  send(status: number, headers: string[], body: string | Buffer, last: boolean): void;
  /** `done` is called once, with the status that was sent, or undefined when the client went away before. */
  onEnd(done: (status: number | undefined) => void): void;
}

/** Answers through node:http. */
export const byNode = (response: ServerResponse): Outgoing => ({
  isOver: () => response.destroyed || response.headersSent,
  send: (status, headers, body, last) => {
    if (last) response.shouldKeepAlive = false;
    response.writeHead(status, headers);
    if (body.length === 0) response.end();
    // The header block, ASCII too, goes out with it.
    else if (typeof body === 'string') response.end(body, 'latin1');
    else response.end(body);
  },
  onEnd: (done) => {
    response.once('close', () => done(response.headersSent ? response.statusCode : undefined));
  },
});
