import type { Metric, Registry } from 'prom-client';
import type { AnswerObserver, RequestObserver } from '../../decision/model.ts';
import type { Family, Reading } from './families.ts';
import { families } from './families.ts';
import type { ListenerName, MetricSources } from './model.ts';
import { createTraffic } from './traffic.ts';

export interface MetricsText {
  readonly contentType: string;
  readonly text: string;
}

export interface Metrics {
  readonly onAnswer: AnswerObserver;
  /** Counts what a listener does with requests. */
  listener(name: ListenerName): RequestObserver;
  /** From now on values can be read: the parts are there. */
  connect(sources: MetricSources): void;
  /** All metrics in Prometheus' text format; only the process's own before `connect`. */
  read(): Promise<MetricsText>;
}

// The process is one, however many servers are in it: its timers and observers are started once.
let ofProcess: Promise<Registry> | undefined;

const openProcessMetrics = async (): Promise<Registry> => {
  const { collectDefaultMetrics, Registry } = await import('prom-client');
  const register = new Registry();
  collectDefaultMetrics({ register });
  return register;
};

/** prom-client asks a metric for its values when it is read: all it needs is this one function of its class. */
const asMetric = ({ name, help, type, read }: Family, from: Reading): Metric =>
  ({ name, help, type, get: async () => ({ name, help, type, values: read(from) }) }) as unknown as Metric;

/** The metrics of one server. Counting begins at once, reading when the parts are connected. */
export const openMetrics = async (): Promise<Metrics> => {
  const { Registry } = await import('prom-client');
  ofProcess ??= openProcessMetrics();
  const processMetrics = await ofProcess;
  const traffic = createTraffic();
  let all = processMetrics;
  return {
    onAnswer: traffic.onAnswer,
    listener: traffic.listener,
    connect: (sources) => {
      const ours = new Registry();
      for (const { list } of families)
        for (const family of list) ours.registerMetric(asMetric(family, { traffic, sources }));
      all = Registry.merge([ours, processMetrics]);
    },
    read: async () => ({ contentType: all.contentType, text: await all.metrics() }),
  };
};
