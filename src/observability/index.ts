export type { Check, Health, HealthReport } from './health.ts';
export { createHealth } from './health.ts';
export type { Log, LogOutput, OpenLog } from './log.ts';
export { openLog } from './log.ts';
export type { ListenerName, MetricSources, Metrics, MetricsText } from './metrics/index.ts';
export { activeVersions, metricsPage, openMetrics } from './metrics/index.ts';
export { watchEventLoop, watchUncaught } from './process-watch.ts';
export type { ObservabilitySettings } from './settings.ts';
export { observabilitySchema } from './settings.ts';
