// Spans for a collector. OpenTelemetry is loaded when an endpoint is configured, and not before.
export type { TracingSettings } from './settings.ts';
export { tracingSchema } from './settings.ts';
export type { SpanCounts } from './span-queue.ts';
export { createSpanQueue } from './span-queue.ts';
export type { Tracing, TracingOptions } from './tracing.ts';
export { openTracing } from './tracing.ts';
