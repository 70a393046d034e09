import type { Json } from '../canonical/index.ts';

export interface AuditSettings {
  readonly durability: 'process' | 'memory';
  readonly onFailure: 'refuse' | 'answer';
  readonly syncSeconds: number;
  readonly memoryBytes: number;
  readonly sealBytes: number;
  readonly sealSeconds: number;
  readonly mask: {
    readonly drop: readonly string[];
    readonly replace: { readonly [pointer: string]: Json };
    readonly allow: readonly string[];
  };
  readonly erasable: readonly string[];
  readonly fields: {
    readonly subject: readonly string[];
    readonly action: readonly string[];
    readonly resource: readonly string[];
  };
}

export const auditDefaults: AuditSettings = {
  durability: 'process',
  onFailure: 'refuse',
  syncSeconds: 1,
  memoryBytes: 8_388_608,
  sealBytes: 134_217_728,
  sealSeconds: 3_600,
  mask: { drop: [], replace: {}, allow: [] },
  erasable: [],
  // In this order: AuthZEN's shape, inputs of OPA's guides, Envoy's, Kubernetes' admission review.
  fields: {
    subject: [
      '/subject/id',
      '/user/id',
      '/user/name',
      '/user',
      '/subject',
      '/principal/id',
      '/principal',
      '/attributes/source/principal',
      '/request/userInfo/username',
    ],
    action: [
      '/action/name',
      '/action/id',
      '/action',
      '/method',
      '/operation',
      '/attributes/request/http/method',
      '/request/operation',
    ],
    resource: [
      '/resource/id',
      '/resource/name',
      '/resource',
      '/object/id',
      '/object',
      '/path',
      '/attributes/request/http/path',
      '/request/name',
    ],
  },
};

const segment = '(/([^~/]|~[01])*)*$';
const recordPointer = { type: 'string', pattern: `^/(input|result|nd_builtin_cache)${segment}` };
const inputPointer = { type: 'string', pattern: `^${segment}` };

const field = (name: 'subject' | 'action' | 'resource', whose: string) => ({
  type: 'array',
  items: inputPointer,
  default: auditDefaults.fields[name],
  description: `JSON Pointers into the input, in order of preference: the first that names a string, number, boolean or array of these is the record's ${name} (${whose}). Cut at 1 KiB.`,
});

/** The section `audit` of the configuration. */
export const auditSchema = {
  type: 'object',
  additionalProperties: false,
  default: {},
  description: 'The decision log: what is written, when an answer may leave, and what never appears in it.',
  properties: {
    durability: {
      enum: ['process', 'memory'],
      default: auditDefaults.durability,
      description:
        'When an answer may leave. `process`: after its record was handed to the kernel; nothing is lost when the process dies, up to `syncSeconds` when the machine does. `memory`: at once; the newest records, at most `memoryBytes`, are lost when the process dies.',
    },
    onFailure: {
      enum: ['refuse', 'answer'],
      default: auditDefaults.onFailure,
      description:
        'What happens to a decision that cannot be recorded. `refuse`: it fails. `answer`: it leaves without a record, and a metric counts it; whoever can fill the disk can then act unseen.',
    },
    syncSeconds: {
      type: 'number',
      minimum: 0.1,
      maximum: 3600,
      default: auditDefaults.syncSeconds,
      description: 'Seconds between two syncs of the open segment to the disk: what a power failure can cost.',
    },
    memoryBytes: {
      type: 'integer',
      minimum: 131_072,
      maximum: 1_073_741_824,
      default: auditDefaults.memoryBytes,
      description: 'With `durability: memory`, the bytes that may wait to be written; beyond them records are refused.',
    },
    sealBytes: {
      type: 'integer',
      minimum: 65_536,
      maximum: 1_073_741_824,
      default: auditDefaults.sealBytes,
      description: 'A segment is sealed when it has this many bytes, if not before at 65,536 records.',
    },
    sealSeconds: {
      type: 'number',
      minimum: 1,
      maximum: 604_800,
      default: auditDefaults.sealSeconds,
      description: 'A segment with records is sealed when it is this old.',
    },
    mask: {
      type: 'object',
      additionalProperties: false,
      default: {},
      description:
        'What is taken out of records before they are written. Pointers begin with /input, /result or /nd_builtin_cache; `*` stands for any member or element. Tokens and credentials are taken out without being named here. Masked decisions cannot be replayed.',
      properties: {
        drop: {
          type: 'array',
          items: recordPointer,
          default: auditDefaults.mask.drop,
          description: 'Values that are removed; the record lists their pointers under `erased`.',
        },
        replace: {
          type: 'object',
          propertyNames: recordPointer,
          default: auditDefaults.mask.replace,
          description: 'Values that are replaced, by pointer; the record lists the pointers under `masked`.',
        },
        allow: {
          type: 'array',
          items: { type: 'string', pattern: `^/input${segment}` },
          default: auditDefaults.mask.allow,
          description: 'When not empty: of the input, only these paths are kept.',
        },
      },
    },
    erasable: {
      type: 'array',
      items: recordPointer,
      default: auditDefaults.erasable,
      description:
        'Values that are kept beside the log, where they can be erased: the log itself holds a salted SHA-256 of each. Such a value is no longer found as a subject, action or resource.',
    },
    fields: {
      type: 'object',
      additionalProperties: false,
      default: {},
      description: 'Where in the input the record finds who did what to what.',
      properties: {
        subject: field('subject', 'whom the decision is about'),
        action: field('action', 'what they wanted to do'),
        resource: field('resource', 'to what'),
      },
    },
  },
} as const;
