import type { AttributeValue, Span } from '@opentelemetry/api';
import type { Clock, TraceContext } from '../../canonical/index.ts';
import type { AnswerObserver, RequestTracer } from '../../decision/model.ts';
import type { TracingSettings } from './settings.ts';
import type { SpanCounts } from './span-queue.ts';
import { createSpanQueue } from './span-queue.ts';

export interface TracingOptions {
  readonly settings: TracingSettings;
  readonly version: string;
  readonly clock: Clock;
  /** A sentence for operators. */
  readonly warn: (sentence: string) => void;
}

/** Spans of requests, on their way to a collector. */
export interface Tracing {
  readonly tracer: RequestTracer;
  /** Writes what was decided into the span of its request. */
  readonly onAnswer: AnswerObserver;
  counts(): SpanCounts;
  /** Exports what is left, for a few seconds at most. */
  close(): Promise<void>;
}

interface Open {
  readonly span: Span;
  decisions: number;
  /** The code of a verdict that failed. */
  failure?: string;
}

const EXPORT_TIMEOUT_MS = 10_000;
const LONGEST_ATTRIBUTE = 256;

/** A request as the semantic conventions of OpenTelemetry name it. */
const requestAttributes = {
  http: (method: string, route: string) => ({
    'http.request.method': method,
    'http.route': route,
    'url.scheme': 'http',
  }),
  grpc: (method: string) => ({ 'rpc.system.name': 'grpc', 'rpc.method': method }),
} as const;

const urlOf = (endpoint: string): string => {
  const url = new URL(endpoint);
  if (url.pathname === '/') url.pathname = '/v1/traces';
  return url.href;
};

const headersOf = (lines: readonly string[]): { [name: string]: string } =>
  Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()] as const),
  );

/** Loads OpenTelemetry: a server without an endpoint never does. */
const load = async () => {
  const [api, sdk, resources, otlp] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/exporter-trace-otlp-proto'),
  ]);
  return { api, sdk, resources, otlp };
};

const answerAttributes = ([answer, facts]: Parameters<AnswerObserver>): { [name: string]: AttributeValue } => ({
  'verdict.decision_id': answer.decisionId,
  'verdict.wire': facts.wire,
  'verdict.path': facts.path.join('/'),
  'verdict.outcome': answer.outcome,
  'verdict.cache': answer.cache,
  'verdict.policy': answer.policies.map(({ name, version }) => `${name}@${version}`),
});

/** Opens the way to the collector that the settings name. */
export const openTracing = async ({ settings, version, clock, warn }: TracingOptions): Promise<Tracing> => {
  const { api, sdk, resources, otlp } = await load();
  const { endpoint, headers } = settings.otlp;
  const exporter = new otlp.OTLPTraceExporter({
    url: urlOf(endpoint),
    headers: headersOf(headers),
    timeoutMillis: EXPORT_TIMEOUT_MS,
  });
  const queue = createSpanQueue({ exporter, warn, monotonicMs: () => clock.monotonicMs() });
  const provider = new sdk.TracerProvider({
    resource: resources.resourceFromAttributes({ 'service.name': settings.serviceName, 'service.version': version }),
    sampler: new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(settings.sampleRatio) }),
    spanLimits: { attributeValueLengthLimit: LONGEST_ATTRIBUTE },
    spanProcessors: [queue],
  });
  const tracer = provider.getTracer('verdict', version);
  /** The spans under way, by what the facts of their decisions carry. */
  const spans = new WeakMap<TraceContext, Open>();

  const under = (parent: TraceContext | undefined) =>
    parent === undefined
      ? api.ROOT_CONTEXT
      : api.trace.setSpanContext(api.ROOT_CONTEXT, {
          traceId: parent.traceId,
          spanId: parent.spanId,
          traceFlags: parent.sampled ? api.TraceFlags.SAMPLED : api.TraceFlags.NONE,
          isRemote: true,
        });

  return {
    tracer: {
      start: ({ protocol, method, route, parent }) => {
        const name = protocol === 'http' ? `${method} ${route}` : method;
        const attributes = requestAttributes[protocol](method, route);
        const span = tracer.startSpan(name, { kind: api.SpanKind.SERVER, attributes }, under(parent));
        if (!span.isRecording()) return undefined;
        const { traceId, spanId } = span.spanContext();
        const context: TraceContext = { traceId, spanId, sampled: true };
        const open: Open = { span, decisions: 0 };
        spans.set(context, open);
        return {
          context,
          end: (status) => {
            if (protocol === 'grpc') span.setAttribute('rpc.response.status_code', String(status ?? 'CANCELLED'));
            else if (status !== undefined) span.setAttribute('http.response.status_code', status);
            const failed = open.failure !== undefined || status === undefined || Number(status) >= 500;
            if (failed) {
              span.setAttribute('error.type', open.failure ?? String(status ?? 'cancelled'));
              span.setStatus({ code: api.SpanStatusCode.ERROR });
            }
            span.end();
          },
        };
      },
    },
    onAnswer: (...given) => {
      const [answer, { trace, batchId }] = given;
      const found = trace === undefined ? undefined : spans.get(trace);
      if (found === undefined) return;
      const { span } = found;
      found.decisions += 1;
      // Of a batch the span says how many there were: each has its record, with the batch's id.
      if (batchId === undefined) span.setAttributes(answerAttributes(given));
      else span.setAttributes({ 'verdict.batch_id': batchId, 'verdict.decisions': found.decisions });
      if (answer.verdict.kind === 'failed') found.failure = answer.verdict.error.code;
    },
    counts: () => queue.counts(),
    close: () => provider.shutdown(),
  };
};
