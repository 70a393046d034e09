import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { listen, stopListening, UNASKED_MS } from '../wire/index.ts';
import { DirectRequest } from './body.ts';
import type { Front, FrontOptions } from './front/front.ts';
import { createFront } from './front/front.ts';
import { byNode } from './incoming.ts';
import type { ListenerOptions } from './listener.ts';
import { createDecisionListener } from './listener.ts';
import { countProtocolErrors } from './protocol-errors.ts';

export interface DecisionServer {
  /** `http://127.0.0.1:8181`, or `unix:/path` on a Unix socket. */
  readonly url: string;
  /**
   * Takes no new connections, lets requests under way end, and closes what is still open after `graceMs`. Resolves
   * when the last connection is gone.
   */
  close(graceMs?: number): Promise<void>;
}

const taken = (socket: Socket): Promise<unknown> =>
  new Promise((resolve) => {
    socket.once('drain', resolve);
    socket.once('close', resolve);
  });

/** Ends a server: what is on its way to a client gets there, within the time given. */
const closer = (server: Server, front: Front): ((graceMs: number) => Promise<void>) => {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return async (graceMs) => {
    const { gone } = await stopListening(server);
    const late = setTimeout(() => {
      front.closeAll();
      server.closeAllConnections();
    }, graceMs);
    // To node:http a connection is under way that has not said anything yet: it would have all of the grace.
    const unasked = setTimeout(() => {
      for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
    }, UNASKED_MS);
    // And one is idle to it whose answer was handed over, however much is still to be sent.
    await Promise.all([...sockets].filter((socket) => socket.writableLength > 0).map(taken));
    // What was asked on idle connections is read first: then they are idle no more.
    await nextTurn();
    front.closeIdle();
    server.close();
    await gone;
    clearTimeout(late);
    clearTimeout(unasked);
  };
};

/** Has connections read by a loop of our own, which leaves those with unusual requests to the server's. */
const putBefore = (server: Server, options: Omit<FrontOptions, 'leave'>): Front => {
  const [readByNode] = server.listeners('connection') as ((socket: Socket) => void)[];
  if (readByNode === undefined) throw new Error('node:http listens to connections in another way');
  const leave = (socket: Socket): void => {
    readByNode.call(server, socket);
    socket.resume();
  };
  const front = createFront({ ...options, leave });
  server.off('connection', readByNode).on('connection', front.accept);
  return front;
};

/** Serves decisions on the address that the settings name; rejects when it may not or cannot be had. */
export const startDecisionServer = async (options: ListenerOptions): Promise<DecisionServer> => {
  const { settings } = options;
  const { limits } = settings;
  const answer = createDecisionListener(options);
  const server = createServer(
    {
      IncomingMessage: DirectRequest,
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersSeconds * 1000,
      requestTimeout: limits.requestSeconds * 1000,
      keepAliveTimeout: limits.idleSeconds * 1000,
      connectionsCheckingInterval: 1_000,
      requireHostHeader: true,
      insecureHTTPParser: false,
      noDelay: true,
    },
    (request, response) => answer(request, byNode(response)),
  );
  const front = putBefore(server, { limits, answer, observer: options.observer });
  if (options.observer !== undefined) countProtocolErrors(server, options.observer);
  server.maxConnections = limits.connections;
  // Whoever does not take an answer would otherwise keep it in memory for good.
  server.timeout = limits.idleSeconds * 1000;
  const place = await listen(server, 'server.http', settings);
  const end = closer(server, front);
  let closing: Promise<void> | undefined;
  return {
    url: settings.socket === '' ? `http://${place}` : place,
    close: (graceMs = 0) => {
      closing ??= end(graceMs);
      return closing;
    },
  };
};
