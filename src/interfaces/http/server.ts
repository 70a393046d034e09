import { unlink } from 'node:fs/promises';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { connect, isIP, Server as SocketServer } from 'node:net';
import { DirectRequest } from './body.ts';
import { HttpError } from './errors.ts';
import { bracketed } from './hosts.ts';
import type { ListenerOptions } from './listener.ts';
import { createDecisionListener } from './listener.ts';
import type { HttpSettings } from './settings.ts';

export interface DecisionServer {
  /** `http://127.0.0.1:8181`, or `unix:/path` on a Unix socket. */
  readonly url: string;
  /**
   * Takes no new connections, lets requests under way end, and closes what is still open after `graceMs`. Resolves
   * when the last connection is gone.
   */
  close(graceMs?: number): Promise<void>;
}

const isLoopback = (address: string): boolean => /^127\./.test(address) || address === '::1';

const refuseOpenAddress = (host: string): void => {
  if (host === 'localhost' || (isIP(host) !== 0 && isLoopback(host))) return;
  throw new HttpError(
    'bind_refused',
    `server.http.host is ${host}: this listener asks for no credential, so it serves loopback addresses and Unix ` +
      'sockets only. Set server.http.host to 127.0.0.1 or ::1, or server.http.socket to a path, and let a proxy ' +
      'that authenticates its clients stand in front.',
  );
};

const listenOnce = (server: Server, settings: HttpSettings): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    const listening = (): void => {
      server.off('error', reject);
      resolve();
    };
    if (settings.socket !== '') server.listen({ path: settings.socket }, listening);
    else server.listen({ host: settings.host, port: settings.port }, listening);
  });

/** Whether somebody listens on a Unix socket, or its file was left behind by one who did. */
const isServed = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (failure: NodeJS.ErrnoException) => resolve(failure.code !== 'ECONNREFUSED'));
  });

const listen = async (server: Server, settings: HttpSettings): Promise<void> => {
  try {
    await listenOnce(server, settings);
  } catch (failure) {
    const inUse = (failure as NodeJS.ErrnoException).code === 'EADDRINUSE';
    if (!inUse || settings.socket === '' || (await isServed(settings.socket))) throw failure;
    await unlink(settings.socket);
    await listenOnce(server, settings);
  }
};

const urlOf = (server: Server, settings: HttpSettings): string => {
  if (settings.socket !== '') return `unix:${settings.socket}`;
  const { address, port } = server.address() as AddressInfo;
  // A name can mean any address: what it became is what counts.
  if (!isLoopback(address)) refuseOpenAddress(address);
  return `http://${bracketed(address)}:${port}`;
};

const taken = (socket: Socket): Promise<unknown> =>
  new Promise((resolve) => {
    socket.once('drain', resolve);
    socket.once('close', resolve);
  });

/** Ends a server: what is on its way to a client gets there, within the time given. */
const closer = (server: Server): ((graceMs: number) => Promise<void>) => {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return async (graceMs) => {
    const late = setTimeout(() => server.closeAllConnections(), graceMs);
    // Not http's own close: to it a connection is idle whose answer was handed over, however much is still to be sent.
    const closed = new Promise((resolve) => SocketServer.prototype.close.call(server, resolve));
    await Promise.all([...sockets].filter((socket) => socket.writableLength > 0).map(taken));
    server.close();
    await closed;
    clearTimeout(late);
  };
};

/** Serves decisions on the address that the settings name; rejects when it may not or cannot be had. */
export const startDecisionServer = async (options: ListenerOptions): Promise<DecisionServer> => {
  const { settings } = options;
  const { limits } = settings;
  if (settings.socket === '') refuseOpenAddress(settings.host);
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
    createDecisionListener(options),
  );
  server.maxConnections = limits.connections;
  // Whoever does not take an answer would otherwise keep it in memory for good.
  server.timeout = limits.idleSeconds * 1000;
  await listen(server, settings);
  let url: string;
  try {
    url = urlOf(server, settings);
  } catch (refused) {
    server.close();
    throw refused;
  }
  const end = closer(server);
  let closing: Promise<void> | undefined;
  return {
    url,
    close: (graceMs = 0) => {
      closing ??= end(graceMs);
      return closing;
    },
  };
};
