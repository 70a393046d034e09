export type { Check, Health, HealthReport } from './health.ts';
export { createHealth } from './health.ts';
export type { Log, LogOutput, OpenLog } from './log.ts';
export { openLog } from './log.ts';
export { watchEventLoop, watchUncaught } from './process-watch.ts';
export type { ObservabilitySettings } from './settings.ts';
export { observabilitySchema } from './settings.ts';
