// What the server counts. `traffic.ts` is written on the way of every answer, `families.ts` says what there is to read.
export { activeVersions } from './active-versions.ts';
export type { Metrics, MetricsText } from './metrics.ts';
export { openMetrics } from './metrics.ts';
export type { ListenerName, MetricSources } from './model.ts';
export { metricsPage } from './page.ts';
