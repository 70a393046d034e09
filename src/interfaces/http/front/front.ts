import type { Socket } from 'node:net';
import type { Connection, ConnectionOptions } from './connection.ts';
import { openConnection } from './connection.ts';

export type FrontOptions = Pick<ConnectionOptions, 'limits' | 'observer' | 'answer' | 'leave'>;

/** The connection loop before node:http: it reads plain requests itself and leaves connections with others. */
export interface Front {
  accept(socket: Socket): void;
  /** Closes connections on which nothing is asked; the others close with their answer from now on. */
  closeIdle(): void;
  closeAll(): void;
}

/** How often connections are looked at that may have stood idle for too long. */
const SWEEP_MS = 1_000;

export const createFront = (options: FrontOptions): Front => {
  const connections = new Set<Connection>();
  let sweeping: NodeJS.Timeout | undefined;
  let isEnding = false;

  const sweep = (): void => {
    const nowMs = performance.now();
    for (const connection of connections) connection.sweep(nowMs);
    if (connections.size > 0) return;
    clearInterval(sweeping);
    sweeping = undefined;
  };

  const shared: ConnectionOptions = {
    ...options,
    keepAlive: `Connection: keep-alive\r\nKeep-Alive: timeout=${options.limits.idleSeconds}\r\n\r\n`,
    isEnding: () => isEnding,
    gone: (connection) => connections.delete(connection),
  };

  return {
    accept: (socket) => {
      connections.add(openConnection(socket, shared));
      sweeping ??= setInterval(sweep, SWEEP_MS).unref();
    },
    closeIdle: () => {
      isEnding = true;
      for (const connection of connections) connection.endIdle();
    },
    closeAll: () => {
      for (const connection of connections) connection.destroy();
    },
  };
};
