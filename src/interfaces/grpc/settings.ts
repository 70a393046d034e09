// Not through the doorway: every command reads this schema, and none but serve needs the wires.
import type { RequestLimits } from '../wire/limits.ts';
import { count, defaultsOf, requestLimitSchemas } from '../wire/limits.ts';

/** `server.grpc`: where decisions are served over gRPC, and how much of a call is taken. */
export interface GrpcSettings {
  readonly enabled: boolean;
  readonly host: string;
  readonly port: number;
  /** Empty: none. */
  readonly socket: string;
  readonly reflection: boolean;
  readonly limits: GrpcLimits;
}

export interface GrpcLimits extends RequestLimits {
  readonly requestSeconds: number;
  readonly idleSeconds: number;
  readonly streams: number;
  readonly connections: number;
}

/** The `server.grpc` section of the configuration: JSON Schema with every key's meaning, unit and default. */
export const grpcSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    enabled: { type: 'boolean', default: true, description: 'Whether decisions are served over gRPC at all.' },
    host: {
      type: 'string',
      default: '127.0.0.1',
      description:
        'Address on which gRPC is served. Callers need no credential here, so it must be a loopback address: whoever ' +
        'can reach the port may ask.',
    },
    port: {
      type: 'integer',
      minimum: 0,
      maximum: 65_535,
      default: 9191,
      description: 'TCP port of the gRPC listener; 0 takes a free one.',
    },
    socket: {
      type: 'string',
      default: '',
      description:
        'Path of a Unix socket to serve gRPC on instead of host and port; empty for none. Whoever may write to the ' +
        'file may ask.',
    },
    reflection: {
      type: 'boolean',
      default: false,
      description:
        'Whether the listener tells what it speaks (server reflection), so that tools such as grpcurl need no .proto ' +
        'files. It tells everybody who can reach it.',
    },
    limits: {
      type: 'object',
      additionalProperties: false,
      description: 'How much of a call is taken. Raising a limit lets each caller use so much more memory or time.',
      properties: {
        ...requestLimitSchemas,
        bodyBytes: count(
          1_048_576,
          'Bytes of one message, after it is inflated, and of the JSON text of one input. A larger message ends its ' +
            'call with RESOURCE_EXHAUSTED.',
        ),
        requestSeconds: count(30, 'Seconds within which a whole request must have come.'),
        idleSeconds: count(75, 'Seconds that a connection may stand idle, or without an answer to a ping.'),
        streams: count(1_000, 'Calls at a time on one connection.'),
        connections: count(10_000, 'Connections at a time; more are closed as they come.'),
      },
    },
  },
} as const;

const { enabled, host, port, socket, reflection, limits } = grpcSchema.properties;

export const defaultGrpcSettings: GrpcSettings = {
  enabled: enabled.default,
  host: host.default,
  port: port.default,
  socket: socket.default,
  reflection: reflection.default,
  limits: defaultsOf(limits.properties),
};
