import type { IncomingHttpHeaders } from 'node:http';
import { AdminError } from './model.ts';
import type { AdminSettings } from './settings.ts';

// Loopback is no border for browsers: a web page can make them send requests here, by the address itself or by a name
// that its owner points at 127.0.0.1. Such requests carry that name as Host, or the page's Origin.

const HOST = /^(?<name>\[[0-9a-f:.]+\]|[^:[\]/@\s]+)(?::\d{1,5})?$/i;

const nameOf = (host: string): string | undefined => HOST.exec(host)?.groups?.name?.toLowerCase();

/** The names under which the listener answers: its own, and what `server.admin.hosts` adds. */
export const ownNames = (settings: AdminSettings): ReadonlySet<string> => {
  const own = settings.host.includes(':') ? `[${settings.host}]` : settings.host;
  return new Set(['localhost', '127.0.0.1', '[::1]', own, ...settings.hosts].map((name) => name.toLowerCase()));
};

/** Throws HOST_REFUSED or ORIGIN_REFUSED. An Origin must be this very listener, as the browser's address bar has it. */
export const checkOrigin = (headers: IncomingHttpHeaders, names: ReadonlySet<string>): void => {
  const host = headers.host ?? '';
  const name = nameOf(host);
  if (name === undefined || !names.has(name))
    throw new AdminError(
      'HOST_REFUSED',
      'wanted a Host that names this listener; others are added by server.admin.hosts',
    );
  const { origin } = headers;
  if (origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`)
    throw new AdminError('ORIGIN_REFUSED', 'wanted no Origin, or that of this listener');
};
