// Not through the doorway: every command reads this schema, and none but serve needs the wires.
import type { RequestLimits } from '../wire/limits.ts';
import { count, defaultsOf, requestLimitSchemas } from '../wire/limits.ts';

/** `server.http`: where decisions are served, and how much of a request is taken. */
export interface HttpSettings {
  readonly host: string;
  readonly port: number;
  /** Empty: none. */
  readonly socket: string;
  readonly hosts: readonly string[];
  readonly limits: HttpLimits;
}

export interface HttpLimits extends RequestLimits {
  readonly headerBytes: number;
  readonly headersSeconds: number;
  readonly requestSeconds: number;
  readonly idleSeconds: number;
  readonly connections: number;
}

/** The `server.http` section of the configuration: JSON Schema with every key's meaning, unit and default. */
export const httpSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    host: {
      type: 'string',
      default: '127.0.0.1',
      description:
        'Address on which decisions are served. Callers need no credential here, so it must be a loopback address: ' +
        'whoever can reach the port may ask.',
    },
    port: {
      type: 'integer',
      minimum: 0,
      maximum: 65_535,
      default: 8181,
      description: 'TCP port of the decision listener; 0 takes a free one. 8181 is where OPA listens, too.',
    },
    socket: {
      type: 'string',
      default: '',
      description:
        'Path of a Unix socket to serve decisions on instead of host and port; empty for none. Whoever may write to ' +
        'the file may ask.',
    },
    hosts: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      default: [],
      description:
        'Names beside localhost and the bound address under which clients reach this listener (without port). Every ' +
        'name added here can be pointed at this machine by whoever owns it in DNS.',
    },
    limits: {
      type: 'object',
      additionalProperties: false,
      description: 'How much of a request is taken. Raising a limit lets each caller use so much more memory or time.',
      properties: {
        ...requestLimitSchemas,
        headerBytes: count(16_384, 'Bytes of the request line and all headers.'),
        headersSeconds: count(10, 'Seconds within which the headers of a request must have come.'),
        requestSeconds: count(30, 'Seconds within which a whole request must have come.'),
        idleSeconds: count(
          75,
          'Seconds that a connection may stand idle, between requests or with an answer that is not taken.',
        ),
        connections: count(10_000, 'Connections at a time; more are closed as they come.'),
      },
    },
  },
} as const;

const { host, port, socket, hosts, limits } = httpSchema.properties;

export const defaultHttpSettings: HttpSettings = {
  host: host.default,
  port: port.default,
  socket: socket.default,
  hosts: hosts.default,
  limits: defaultsOf(limits.properties),
};
