import { Server } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** For so long the port stays open at most while clients come in every turn of the event loop. */
const BUSY_MS = 200;

/** A connection that was just opened has this long to ask, after the port was closed. */
export const UNASKED_MS = 1_000;

/**
 * Closes the port. What the kernel took for it and we have not would be reset, though its client was connected and may
 * have asked: so it is closed right after a turn of the event loop that took all who waited, and in which nobody came.
 * `gone` resolves when the last connection is closed.
 */
export const stopListening = async (server: Server): Promise<{ readonly gone: Promise<void> }> => {
  let came = false;
  const onConnection = (): void => {
    came = true;
  };
  server.on('connection', onConnection);
  const untilMs = performance.now() + BUSY_MS;
  await nextTurn();
  do {
    came = false;
    await nextTurn();
  } while (came && performance.now() < untilMs);
  server.off('connection', onConnection);
  // Not http's own close: it ends connections, too.
  return { gone: new Promise((resolve) => Server.prototype.close.call(server, () => resolve())) };
};
