import { defaultArchiveLimits } from './archive/limits.ts';

export interface PolicySettings {
  /** Pushed and activated at start when their digest is not the active one. */
  readonly bundles: readonly { readonly name: string; readonly path: string }[];
  readonly allowOpaque: boolean;
  readonly defaultDecision: string;
  readonly compileSeconds: number;
  readonly compileMemoryBytes: number;
  readonly testSeconds: number;
  readonly limits: {
    readonly archiveBytes: number;
    readonly inflatedBytes: number;
    readonly ratio: number;
    readonly entries: number;
    readonly fileBytes: number;
  };
}

const bytes = (description: string, value: number) => ({ type: 'integer', minimum: 1024, default: value, description });

export const policySchema = {
  type: 'object',
  description: 'Which policies are served, and what a bundle may be.',
  additionalProperties: false,
  properties: {
    bundles: {
      type: 'array',
      default: [],
      description:
        'Bundles that a start loads: each is pushed and activated, by `local`, when it differs from the active version.',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['name', 'path'],
        properties: {
          name: {
            type: 'string',
            pattern: '^[a-z][a-z0-9-]{0,62}$',
            description: 'The name under which the bundle is served.',
          },
          path: { type: 'string', minLength: 1, description: 'A folder of Rego and data, or a bundle file.' },
        },
      },
    },
    allowOpaque: {
      type: 'boolean',
      default: true,
      description:
        'Takes bundles whose rules are not in their sources (`opa build -t wasm` cuts them). Nobody can read, test or ' +
        'explain such rules here; `false` refuses them.',
    },
    defaultDecision: {
      type: 'string',
      default: 'system/main',
      description: 'The path that `POST /` answers, as in OPA.',
    },
    compileSeconds: {
      type: 'number',
      exclusiveMinimum: 0,
      default: 180,
      description:
        'Longest time to check or to compile one bundle; a longer one is refused. 10,000 rules take about a minute of CPU.',
    },
    compileMemoryBytes: {
      type: 'integer',
      minimum: 134_217_728,
      maximum: 4_294_901_760,
      default: 268_435_456,
      description:
        'Most memory that the compiler takes; a bundle that needs more is refused. Some 3,000 rules fit into the default, ' +
        '10,000 take 512 MiB or more, and about a minute of CPU.',
    },
    testSeconds: {
      type: 'number',
      exclusiveMinimum: 0,
      default: 60,
      description: "Longest time for a bundle's own tests; tests that take longer refuse it.",
    },
    limits: {
      type: 'object',
      description: 'What an archive may hold. Larger values let an author take more memory of the server.',
      additionalProperties: false,
      properties: {
        archiveBytes: bytes('Bytes of the compressed archive.', defaultArchiveLimits.archiveBytes),
        inflatedBytes: bytes('Bytes of the archive after inflation.', defaultArchiveLimits.inflatedBytes),
        ratio: {
          type: 'integer',
          minimum: 1,
          default: defaultArchiveLimits.ratio,
          description: 'Inflated bytes for one compressed byte, beyond the first MiB.',
        },
        entries: {
          type: 'integer',
          minimum: 1,
          default: defaultArchiveLimits.entries,
          description: 'Members of the archive.',
        },
        fileBytes: bytes('Bytes of one member.', defaultArchiveLimits.fileBytes),
      },
    },
  },
} as const;

/** What the schema's defaults say, for those who open a store without configuration. */
export const defaultPolicySettings: PolicySettings = {
  bundles: [],
  allowOpaque: true,
  defaultDecision: 'system/main',
  compileSeconds: 180,
  compileMemoryBytes: 268_435_456,
  testSeconds: 60,
  limits: {
    archiveBytes: defaultArchiveLimits.archiveBytes,
    inflatedBytes: defaultArchiveLimits.inflatedBytes,
    ratio: defaultArchiveLimits.ratio,
    entries: defaultArchiveLimits.entries,
    fileBytes: defaultArchiveLimits.fileBytes,
  },
};
