import { auditSchema } from '../audit/settings.ts';
import type { Json } from '../canonical/index.ts';
import { cacheSchema } from '../decision/settings.ts';
import { engineSchema } from '../engine/settings.ts';
import { identitySchema } from '../identity/settings.ts';
import { adminSchema } from '../interfaces/admin/settings.ts';
import { grpcSchema } from '../interfaces/grpc/settings.ts';
import { httpSchema } from '../interfaces/http/settings.ts';
import { observabilitySchema } from '../observability/settings.ts';
import { policySchema } from '../policy/settings.ts';
import type { SettingSchema } from './model.ts';

/** A section, and every section in it, is there also when nobody wrote it: its keys have defaults. */
const section = (schema: SettingSchema, description?: string): SettingSchema => ({
  ...(description === undefined ? {} : { description }),
  ...schema,
  default: {},
  properties: Object.fromEntries(
    Object.entries(schema.properties ?? {}).map(([name, inner]) => [
      name,
      inner.properties === undefined ? inner : section(inner),
    ]),
  ),
});

const serverSchema = {
  type: 'object',
  additionalProperties: false,
  description: 'What listens, and how it ends.',
  properties: {
    http: { description: 'The listener that decides: OPA’s Data API and AuthZEN.', ...httpSchema },
    grpc: { description: 'The listener that decides over gRPC: proto/verdict/v1.', ...grpcSchema },
    admin: adminSchema,
    drainSeconds: {
      type: 'number',
      minimum: 0,
      maximum: 3600,
      default: 5,
      description:
        'After SIGTERM, seconds for which requests are still accepted and answered with `Connection: close`, while ' +
        'readiness fails: the time in which load balancers turn away.',
    },
    graceSeconds: {
      type: 'number',
      minimum: 0,
      maximum: 3600,
      default: 25,
      description: 'After draining, seconds in which requests that already arrived may finish.',
    },
  },
};

const authzenSchema = {
  type: 'object',
  additionalProperties: false,
  description: 'The AuthZEN API on the decision listener.',
  properties: {
    bundle: {
      type: 'string',
      pattern: '^([a-z][a-z0-9-]{0,62})?$',
      default: '',
      description:
        'The bundle that answers when the path of a request names none. Empty: the only active bundle does, and once a ' +
        'second is active nobody does (404), since which of them was meant is not to be guessed; whoever pushes or ' +
        'activates the second is warned. Set it where services ask without a name.',
    },
    baseUrl: {
      type: 'string',
      pattern: '^(https://[^?#\\s]*[^/?#\\s])?$',
      examples: ['https://pdp.example.com', 'https://example.com/pdp'],
      default: '',
      description:
        'Public https URL, without a slash at the end, under which clients reach the AuthZEN API: what its metadata ' +
        'names. Empty: the address that was asked. Whoever sets it says where clients send their questions.',
    },
  },
};

const storageSchema = {
  type: 'object',
  additionalProperties: false,
  description: 'Where state lives. Nothing is written elsewhere.',
  properties: {
    dir: {
      type: 'string',
      minLength: 1,
      default: './.verdict',
      description:
        'Folder of versions, tokens and the decision log; relative to the working directory; made when it is missing. ' +
        'Whoever reads it has the operator token and what was decided; whoever writes it decides.',
    },
  },
};

const schema: SettingSchema & { readonly [keyword: string]: unknown } = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'Verdict configuration',
  type: 'object',
  additionalProperties: false,
  properties: {
    server: section(serverSchema),
    policy: section(policySchema),
    engine: section(engineSchema, 'What one evaluation may take.'),
    cache: section(cacheSchema, 'How long and in how much memory answers are remembered.'),
    identity: section(identitySchema),
    authzen: section(authzenSchema),
    audit: section(auditSchema),
    storage: section(storageSchema),
    observability: section(observabilitySchema),
  },
};

/** The schema that configuration is checked against. */
export const settings: SettingSchema = schema;

/** JSON Schema (draft 7) of the whole configuration, for editors. */
export const configSchema = (): Json => structuredClone(schema) as Json;
