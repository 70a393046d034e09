/** `server.http`: where decisions are served, and how much of a request is taken. */
export interface HttpSettings {
  readonly host: string;
  readonly port: number;
  /** Empty: none. */
  readonly socket: string;
  readonly hosts: readonly string[];
  readonly limits: HttpLimits;
}

export interface HttpLimits {
  readonly bodyBytes: number;
  readonly depth: number;
  readonly keys: number;
  readonly batchItems: number;
  readonly batchBytes: number;
  readonly pathBytes: number;
  readonly headerBytes: number;
  readonly headersSeconds: number;
  readonly requestSeconds: number;
  readonly idleSeconds: number;
  readonly connections: number;
}

const count = (value: number, description: string, minimum = 1) =>
  ({ type: 'integer', minimum, default: value, description }) as const;

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
        bodyBytes: count(1_048_576, 'Bytes of a request body, after it is inflated.'),
        depth: { ...count(64, 'Nesting of arrays and objects in a body.'), maximum: 512 },
        keys: count(10_000, 'Object members in a body, all together.'),
        batchItems: count(1_000, 'Evaluations in one AuthZEN batch.'),
        batchBytes: count(
          16_777_216,
          'Bytes of all inputs of one AuthZEN batch together, after each took what it leaves out from the defaults.',
        ),
        pathBytes: count(2_048, 'Bytes of the path in a request target.'),
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
  limits: {
    bodyBytes: limits.properties.bodyBytes.default,
    depth: limits.properties.depth.default,
    keys: limits.properties.keys.default,
    batchItems: limits.properties.batchItems.default,
    batchBytes: limits.properties.batchBytes.default,
    pathBytes: limits.properties.pathBytes.default,
    headerBytes: limits.properties.headerBytes.default,
    headersSeconds: limits.properties.headersSeconds.default,
    requestSeconds: limits.properties.requestSeconds.default,
    idleSeconds: limits.properties.idleSeconds.default,
    connections: limits.properties.connections.default,
  },
};
