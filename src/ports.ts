import { listenError } from './canonical/index.ts';
import type { Config } from './config/index.ts';
import { StartError } from './start-error.ts';

const reasons: { readonly [code: string]: string } = {
  EADDRINUSE: 'is in use',
  EACCES: 'may not be used by this user',
  EADDRNOTAVAIL: 'is not an address of this machine',
};

type Section = 'http' | 'grpc' | 'admin';

interface Address {
  readonly host: string;
  readonly port: number;
  readonly socket?: string;
}

/** Names the address that could not be had, and the keys that change it. */
export const listening = async <Server>(
  section: Section,
  settings: Address,
  start: () => Promise<Server>,
): Promise<Server> => {
  try {
    return await start();
  } catch (cause) {
    const reason = reasons[String((cause as NodeJS.ErrnoException).code)];
    if (reason === undefined) throw cause;
    const onSocket = settings.socket !== undefined && settings.socket !== '';
    const address = onSocket ? settings.socket : `port ${settings.port} on ${settings.host}`;
    const keys = onSocket ? `server.${section}.socket` : `server.${section}.port (0 takes a free one) or .host`;
    throw new StartError('ADDRESS_UNAVAILABLE', `${address} ${reason}: set ${keys}, or end what holds it`, { cause });
  }
};

/** Before anything is changed: a start that will find its ports taken leaves the folder as it was. */
export const probePorts = async ({ http, grpc, admin }: Config['server']): Promise<void> => {
  const probe = (section: Section, settings: Address): Promise<void> =>
    listening(section, settings, async () => {
      if (settings.socket !== undefined && settings.socket !== '') return;
      const error = await listenError(settings.host, settings.port);
      if (error !== undefined) throw error;
    });
  await probe('admin', admin);
  await probe('http', http);
  if (grpc.enabled) await probe('grpc', grpc);
};
