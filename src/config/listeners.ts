import { BlockList, isIP } from 'node:net';
import type { Config } from './config.ts';
import type { ConfigProblem } from './model.ts';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

const isLoopback = (host: string): boolean => {
  const family = isIP(host);
  return family === 0 ? host === 'localhost' : loopback.check(host, family === 6 ? 'ipv6' : 'ipv4');
};

interface Listener {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly socket: string;
}

const ANY = ['localhost'];

const overlap = (a: Listener, b: Listener): boolean => {
  if (a.socket !== '' || b.socket !== '') return a.socket === b.socket;
  return (
    a.port !== 0 && a.port === b.port && (a.host === b.host || [a.host, b.host].some((host) => ANY.includes(host)))
  );
};

/** Two listeners cannot have one address. */
const shared = (config: Config, place: (path: readonly string[]) => string): ConfigProblem[] => {
  const { http, grpc, admin } = config.server;
  const all: Listener[] = [
    { ...admin, name: 'admin', socket: '' },
    { ...http, name: 'http' },
    ...(grpc.enabled ? [{ ...grpc, name: 'grpc' }] : []),
  ];
  return all.flatMap((one, at) => {
    const other = all.slice(0, at).find((before) => overlap(before, one));
    if (other === undefined) return [];
    const key = one.socket === '' ? 'port' : 'socket';
    const address = one.socket === '' ? `port ${one.port}` : one.socket;
    return {
      key: `server.${one.name}.${key}`,
      message: `${address} is that of server.${other.name}, too (${place(['server', one.name, key])})`,
    };
  });
};

/** Without TLS and caller authentication a listener is for this machine alone. */
export const listenerProblems = (config: Config, place: (path: readonly string[]) => string): ConfigProblem[] => {
  const { http, grpc, admin } = config.server;
  const problem = (listener: string, host: string, instead: string): ConfigProblem => ({
    key: `server.${listener}.host`,
    message:
      `${JSON.stringify(host)} can be reached from other machines, and this listener has no TLS and no callers that it ` +
      `could tell apart: set ${instead} (${place(['server', listener, 'host'])})`,
  });
  return [
    ...shared(config, place),
    ...(http.socket !== '' || isLoopback(http.host)
      ? []
      : [problem('http', http.host, '127.0.0.1, ::1 or localhost, or server.http.socket')]),
    ...(!grpc.enabled || grpc.socket !== '' || isLoopback(grpc.host)
      ? []
      : [problem('grpc', grpc.host, '127.0.0.1, ::1 or localhost, or server.grpc.socket')]),
    ...(isLoopback(admin.host) ? [] : [problem('admin', admin.host, '127.0.0.1, ::1 or localhost')]),
  ];
};
