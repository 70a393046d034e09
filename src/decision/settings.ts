/** `cache`: how long and in how much memory answers are remembered. */
export interface CacheSettings {
  readonly enabled: boolean;
  readonly maxBytes: number;
  readonly maxAgeSeconds: number;
  readonly expiryPaths: readonly string[];
}

/** The `cache` section of the configuration: JSON Schema with every key's meaning, unit and default. */
export const cacheSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    enabled: {
      type: 'boolean',
      default: true,
      description: 'Whether answers are remembered. Off: every question is evaluated, and answers carry no-store.',
    },
    maxBytes: {
      type: 'integer',
      minimum: 0,
      default: 67_108_864,
      description:
        'Bytes of memory that remembered answers may take, with their keys and audit texts; the least recently used ' +
        'go first. Whoever raises it lets callers make the process grow so far.',
    },
    maxAgeSeconds: {
      type: 'number',
      minimum: 0,
      default: 60,
      description:
        'Seconds for which an answer is served at most, however long it would stay true. A change of policy or data ' +
        'ends it at once, whatever this says.',
    },
    expiryPaths: {
      type: 'array',
      items: { type: 'string', pattern: '^(/([^~/]|~[01])*)+$' },
      default: [
        '/token/exp',
        '/claims/exp',
        '/subject/exp',
        '/subject/properties/exp',
        '/subject/properties/token/exp',
        '/context/exp',
        '/context/token/exp',
      ],
      description:
        'JSON Pointers into the input: a number found there is a moment (seconds since 1970) at which the answer ' +
        'ends. Removing one lets an answer outlive what it rests on, up to maxAgeSeconds.',
    },
  },
} as const;

export const defaultCacheSettings: CacheSettings = {
  enabled: cacheSchema.properties.enabled.default,
  maxBytes: cacheSchema.properties.maxBytes.default,
  maxAgeSeconds: cacheSchema.properties.maxAgeSeconds.default,
  expiryPaths: cacheSchema.properties.expiryPaths.default,
};
