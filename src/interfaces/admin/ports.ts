import type { AuditReader } from '../../audit/index.ts';
import type { AuditLog } from '../../decision/model.ts';
import type { TokenStore } from '../../identity/index.ts';
import type { Explain, PolicyStore } from '../../policy/index.ts';

// What the admin API stands on. Interfaces vanish at run time, so each has a symbol for Nest to inject it by.

/** What the API asks of health: `observability` makes one. */
export interface HealthPort {
  live(): { readonly ok: boolean; readonly reasons: readonly string[] };
  ready(): { readonly ok: boolean; readonly reasons: readonly string[] };
}

/** Where the API says what an operator should know: pino's logger is one. */
export interface AdminLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** What `/metrics` answers: `observability` makes one. */
export interface MetricsPort {
  read(): Promise<{ readonly contentType: string; readonly text: string }>;
}

export interface AdminParts {
  readonly version: string;
  readonly policy: PolicyStore;
  readonly explain: Explain;
  readonly tokens: TokenStore;
  readonly audit: AuditLog;
  readonly reader: AuditReader;
  readonly health: HealthPort;
  readonly log: AdminLog;
  readonly metrics: MetricsPort;
}

export const VERSION = Symbol('version');
export const POLICY = Symbol('policy');
export const EXPLAIN = Symbol('explain');
export const TOKENS = Symbol('tokens');
export const AUDIT = Symbol('audit');
export const READER = Symbol('reader');
export const HEALTH = Symbol('health');
export const LOG = Symbol('log');
export const METRICS = Symbol('metrics');
/** An AbortController of the module's own, aborted when the listener drains: streams end. */
export const ENDING = Symbol('ending');
