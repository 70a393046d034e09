import type { ReadableSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace';

export interface SpanCounts {
  /** Spans that the collector took. */
  readonly exported: number;
  /** Spans that were given up: the queue was full, or the collector did not take them. */
  readonly dropped: number;
}

export interface SpanQueueOptions {
  readonly exporter: SpanExporter;
  /** A sentence for operators, once a minute at most. */
  readonly warn: (sentence: string) => void;
  readonly monotonicMs: () => number;
  /** Spans that wait at most; default 4,096. */
  readonly most?: number;
}

const MOST_WAITING = 4_096;
const BATCH = 512;
const GATHER_MS = 1_000;
const WARN_MS = 60_000;
/** At the end of the process, for so long a collector may keep it. */
const LAST_FLUSH_MS = 3_000;
// ExportResultCode of @opentelemetry/core, which is no dependency of ours.
const SUCCESS = 0;
const SAMPLED = 1;

/**
 * Hands ended spans to an exporter, in batches, one at a time. OpenTelemetry's own batch processor does not tell how
 * many spans it gave up.
 */
export const createSpanQueue = (options: SpanQueueOptions): SpanProcessor & { counts(): SpanCounts } => {
  const { exporter, warn, monotonicMs, most = MOST_WAITING } = options;
  let waiting: ReadableSpan[] = [];
  let exported = 0;
  let dropped = 0;
  let warnedMs = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let sending: Promise<void> | undefined;

  const drop = (count: number, why: string): void => {
    dropped += count;
    if (monotonicMs() - warnedMs < WARN_MS) return;
    warnedMs = monotonicMs();
    warn(`spans are dropped (${dropped} so far): ${why}`);
  };

  /** Never rejects. */
  const exportBatch = (spans: ReadableSpan[]): Promise<void> =>
    new Promise((resolve) => {
      exporter.export(spans, ({ code, error }) => {
        if (code === SUCCESS) exported += spans.length;
        else drop(spans.length, `the collector does not take them (${error?.message ?? 'no reason given'})`);
        resolve();
      });
    });

  const sendAll = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, BATCH);
      waiting = waiting.slice(BATCH);
      await exportBatch(batch);
    }
    sending = undefined;
  };

  const send = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    sending ??= sendAll();
    return sending;
  };

  return {
    onStart: () => {},
    onEnd: (span) => {
      if ((span.spanContext().traceFlags & SAMPLED) === 0) return;
      if (waiting.length >= most) {
        drop(1, `${most} wait to be exported already`);
        return;
      }
      waiting.push(span);
      if (waiting.length >= BATCH) void send();
      else if (sending === undefined) timer ??= setTimeout(send, GATHER_MS).unref();
    },
    forceFlush: send,
    shutdown: async () => {
      const late = Promise.withResolvers<void>();
      const limit = setTimeout(late.resolve, LAST_FLUSH_MS);
      await Promise.race([send(), late.promise]);
      clearTimeout(limit);
      dropped += waiting.length;
      waiting = [];
      await exporter.shutdown();
    },
    counts: () => ({ exported, dropped }),
  };
};
