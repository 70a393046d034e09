import { auditSchema } from '../audit/settings.ts';
import type { Json } from '../canonical/index.ts';
import { cacheSchema } from '../decision/settings.ts';
import { identitySchema } from '../identity/settings.ts';
import { adminSchema } from '../interfaces/admin/settings.ts';
import { observabilitySchema } from '../observability/settings.ts';
import type { SettingSchema } from './model.ts';

/** A section that is there also when nobody wrote it: its keys have defaults. */
const section = (schema: object, description?: string): object => ({
  ...(description === undefined ? {} : { description }),
  ...schema,
  default: {},
});

const serverSchema = {
  type: 'object',
  additionalProperties: false,
  description: 'What listens, and how it ends.',
  properties: {
    admin: section(adminSchema),
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
    cache: section(cacheSchema, 'How long and in how much memory answers are remembered.'),
    identity: section(identitySchema),
    audit: section(auditSchema),
    storage: section(storageSchema),
    observability: section(observabilitySchema),
  },
};

/** The schema that configuration is checked against. */
export const settings: SettingSchema = schema;

/** JSON Schema (draft 7) of the whole configuration, for editors. */
export const configSchema = (): Json => structuredClone(schema) as Json;
