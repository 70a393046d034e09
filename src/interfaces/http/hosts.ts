import { bracketed, RequestError } from '../wire/index.ts';
import type { HttpSettings } from './settings.ts';

const withoutPort = (host: string): string => host.replace(/:[0-9]{1,5}$/, '').toLowerCase();

/**
 * Refuses requests for names that are not this listener's own: a web page whose name was pointed at this machine
 * (DNS rebinding) would otherwise ask as anyone on it. Unix sockets are no place that a page can name.
 */
export const hostGuard = (settings: HttpSettings): ((host: string) => void) => {
  if (settings.socket !== '') return () => {};
  const own = new Set(['localhost', '127.0.0.1', '[::1]', bracketed(settings.host).toLowerCase()]);
  for (const name of settings.hosts) own.add(bracketed(name).toLowerCase());
  // Host headers that passed, as they came; few, since names and ports of one listener are few.
  const passed = new Set<string>();
  return (host) => {
    if (passed.has(host)) return;
    if (!own.has(withoutPort(host))) {
      throw new RequestError(
        'host_refused',
        'the Host header names another server: server.http.hosts lists more names',
      );
    }
    // A copy: the text may be a view of all that came with it, which would be kept.
    if (passed.size < 100) passed.add(Buffer.from(host).toString());
  };
};
