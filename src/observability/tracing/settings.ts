export interface TracingSettings {
  readonly serviceName: string;
  readonly sampleRatio: number;
  readonly otlp: {
    /** Empty: no spans are made. */
    readonly endpoint: string;
    /** `name: value` each. */
    readonly headers: readonly string[];
  };
}

export const tracingSchema = {
  type: 'object',
  additionalProperties: false,
  description: 'Spans for an OpenTelemetry collector: one a request. None are made without an endpoint.',
  properties: {
    serviceName: {
      type: 'string',
      minLength: 1,
      default: 'verdict',
      description: 'What spans name as `service.name`.',
    },
    sampleRatio: {
      type: 'number',
      minimum: 0,
      maximum: 1,
      default: 1,
      description:
        'Share of the traces that begin here which is recorded. A request that comes with a `traceparent` follows its ' +
        'flag, whatever the ratio: whoever may ask can have their requests recorded.',
    },
    otlp: {
      type: 'object',
      additionalProperties: false,
      description: 'OTLP over HTTP, as protobuf.',
      properties: {
        endpoint: {
          type: 'string',
          pattern: '^(https?://[^/]+.*)?$',
          default: '',
          description:
            'URL of the collector, such as `http://127.0.0.1:4318`; `/v1/traces` is added when it has no path. Empty: off. ' +
            'Spans name paths, policies, outcomes and decision ids, never an input.',
        },
        headers: {
          type: 'array',
          items: { type: 'string', pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+: *[^\\r\\n]*$", writeOnly: true },
          default: [],
          description: 'Headers of each export, each as `name: value`: the credential that the collector asks for.',
        },
      },
    },
  },
} as const;
