// The admin API. `ports.ts` says what it stands on, `access.ts` who may use a route, `problems.ts` how an error looks.

export type { Permit } from './access.ts';
export { AdminModule } from './admin.module.ts';
export type { AdminErrorCode, Problem } from './model.ts';
export { AdminError } from './model.ts';
export { openApi } from './openapi/document.ts';
export type { AdminLog, AdminParts, HealthPort, MetricsPort } from './ports.ts';
export { AUDIT, EXPLAIN, HEALTH, LOG, METRICS, POLICY, READER, TOKENS, VERSION } from './ports.ts';
export { PROBLEMS, problemOf } from './problems.ts';
export type { AdminOptions, AdminRoute, AdminServer } from './server.ts';
export { startAdminServer } from './server.ts';
export type { AdminSettings } from './settings.ts';
export { adminSchema } from './settings.ts';
