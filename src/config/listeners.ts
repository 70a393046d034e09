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
    ...(http.socket !== '' || isLoopback(http.host)
      ? []
      : [problem('http', http.host, '127.0.0.1, ::1 or localhost, or server.http.socket')]),
    ...(!grpc.enabled || grpc.socket !== '' || isLoopback(grpc.host)
      ? []
      : [problem('grpc', grpc.host, '127.0.0.1, ::1 or localhost, or server.grpc.socket')]),
    ...(isLoopback(admin.host) ? [] : [problem('admin', admin.host, '127.0.0.1, ::1 or localhost')]),
  ];
};
