import { createServer } from 'node:net';

/** Why nobody can listen at a TCP address now, as `EADDRINUSE`; undefined when somebody can, and of port 0. */
export const listenError = (host: string, port: number): Promise<NodeJS.ErrnoException | undefined> =>
  new Promise((resolve) => {
    if (port === 0) return resolve(undefined);
    const server = createServer();
    server.once('error', resolve);
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
