export interface AdminSettings {
  readonly host: string;
  readonly port: number;
  readonly hosts: readonly string[];
}

export const adminSchema = {
  type: 'object',
  default: {},
  additionalProperties: false,
  description:
    'The listener for bundles, tokens, recorded decisions, health and metrics. Every request but those for health and, on loopback, metrics needs a token.',
  properties: {
    host: {
      type: 'string',
      minLength: 1,
      default: '127.0.0.1',
      description: 'Address to listen on: a loopback address (127.0.0.0/8, ::1 or localhost). Others are refused.',
    },
    port: {
      type: 'integer',
      minimum: 0,
      maximum: 65_535,
      default: 8282,
      description: 'Port to listen on; 0 takes a free one.',
    },
    hosts: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      default: [],
      description:
        'Further names, without port, that a request may give as its Host. A name that an attacker can point at this ' +
        'machine lets web pages of that name reach the listener.',
    },
  },
} as const;
