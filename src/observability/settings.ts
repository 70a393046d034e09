import type { TracingSettings } from './tracing/settings.ts';
import { tracingSchema } from './tracing/settings.ts';

export interface LogSettings {
  readonly logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'silent';
  readonly logFormat: 'auto' | 'json' | 'pretty';
}

export interface ObservabilitySettings extends LogSettings {
  readonly tracing: TracingSettings;
}

export const observabilitySchema = {
  type: 'object',
  description: 'What an operator sees of the process. Decisions are in the audit log, never here.',
  additionalProperties: false,
  properties: {
    logLevel: {
      enum: ['fatal', 'error', 'warn', 'info', 'debug', 'silent'],
      default: 'info',
      description:
        'The least important level that is written. `debug` adds a line for each HTTP request that was answered, with ' +
        'its status, and for each request that was refused, with the reason. `silent` hides failures as well.',
    },
    logFormat: {
      enum: ['auto', 'json', 'pretty'],
      default: 'auto',
      description:
        'One JSON object a line, or lines for people; `auto` is `pretty` on a terminal and `json` elsewhere.',
    },
    tracing: tracingSchema,
  },
} as const;
