import { unlink } from 'node:fs/promises';
import type { AddressInfo, Server } from 'node:net';
import { connect, isIP } from 'node:net';
import { RequestError } from './errors.ts';

/** Where a listener for decisions is served. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
  /** Path of a Unix socket instead; empty for none. */
  readonly socket: string;
}

/** An address as it stands in a URL or a Host header. */
export const bracketed = (address: string): string => (isIP(address) === 6 ? `[${address}]` : address);

const isLoopback = (address: string): boolean => /^127\./.test(address) || address === '::1';

const refuseOpenAddress = (section: string, host: string): void => {
  if (host === 'localhost' || (isIP(host) !== 0 && isLoopback(host))) return;
  throw new RequestError(
    'bind_refused',
    `${section}.host is ${host}: this listener asks for no credential, so it serves loopback addresses and Unix ` +
      `sockets only. Set ${section}.host to 127.0.0.1 or ::1, or ${section}.socket to a path, and let a proxy ` +
      'that authenticates its clients stand in front.',
  );
};

const listenOnce = (server: Server, { host, port, socket }: ListenAddress): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    const listening = (): void => {
      server.off('error', reject);
      resolve();
    };
    if (socket !== '') server.listen({ path: socket }, listening);
    else server.listen({ host, port }, listening);
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

const placeOf = (server: Server, section: string, socket: string): string => {
  if (socket !== '') return `unix:${socket}`;
  const { address, port } = server.address() as AddressInfo;
  // A name can mean any address: what it became is what counts.
  if (!isLoopback(address)) refuseOpenAddress(section, address);
  return `${bracketed(address)}:${port}`;
};

/**
 * Listens on the address of a configuration section, a loopback address or a Unix socket; rejects when it may not or
 * cannot be had. Resolves with where it is: `127.0.0.1:8181`, `unix:/run/verdict.sock`.
 */
export const listen = async (server: Server, section: string, at: ListenAddress): Promise<string> => {
  if (at.socket === '') refuseOpenAddress(section, at.host);
  try {
    await listenOnce(server, at);
  } catch (failure) {
    const inUse = (failure as NodeJS.ErrnoException).code === 'EADDRINUSE';
    if (!inUse || at.socket === '' || (await isServed(at.socket))) throw failure;
    await unlink(at.socket);
    await listenOnce(server, at);
  }
  try {
    return placeOf(server, section, at.socket);
  } catch (refused) {
    server.close();
    throw refused;
  }
};
