import type { MetricSources, Sample } from './model.ts';
import type { Traffic } from './traffic.ts';

/** Where a metric's values come from when they are read. */
export interface Reading {
  readonly traffic: Traffic;
  readonly sources: MetricSources;
}

/** One metric: what the page says of it, and how it is read. */
export interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
  readonly read: (from: Reading) => readonly Sample[];
}

const one = (read: (sources: MetricSources) => number): Family['read'] => {
  return ({ sources }) => [{ value: read(sources) }];
};

const counter = (name: string, help: string, read: (sources: MetricSources) => number): Family => ({
  name,
  type: 'counter',
  labels: [],
  help,
  read: one(read),
});

const gauge = (name: string, help: string, read: (sources: MetricSources) => number): Family => ({
  ...counter(name, help, read),
  type: 'gauge',
});

const DURATION = 'verdict_decision_duration_seconds';
const EVALUATION = 'verdict_evaluation_duration_seconds';

const decisions: readonly Family[] = [
  {
    name: 'verdict_decisions_total',
    type: 'counter',
    labels: ['outcome', 'wire', 'cache'],
    help: 'Decisions that were answered. Anything but the outcome permit is a refusal to who enforces it.',
    read: ({ traffic }) => traffic.decisions(),
  },
  {
    name: 'verdict_decision_failures_total',
    type: 'counter',
    labels: ['reason'],
    help: 'Decisions of the outcome failed, by the error code of the verdict.',
    read: ({ traffic }) => traffic.failures(),
  },
  {
    name: DURATION,
    type: 'histogram',
    labels: ['cache'],
    help: 'From taking a question to giving its answer out, the record included; reading the request is not.',
    read: ({ traffic }) => traffic.durations(DURATION),
  },
  {
    name: EVALUATION,
    type: 'histogram',
    labels: [],
    help: 'What evaluating took, for answers that did not come from the cache.',
    read: ({ traffic }) => traffic.evaluations(EVALUATION),
  },
  {
    name: 'verdict_evaluations_total',
    type: 'counter',
    labels: ['place'],
    help: 'Evaluations by where they ended, on the thread that answers (deciding) or a worker; warming included.',
    read: ({ sources }) => {
      const { deciding, worker } = sources.places();
      return [
        { labels: { place: 'deciding' }, value: deciding },
        { labels: { place: 'worker' }, value: worker },
      ];
    },
  },
  counter(
    'verdict_evaluations_moved_total',
    'Evaluations that used up `engine.decidingInstructions` and began anew on a worker.',
    (from) => from.places().moved,
  ),
  {
    name: 'verdict_evaluation_points_total',
    type: 'counter',
    labels: ['bundle'],
    help: 'Points of `engine.instructions` that evaluations used, warming included. A million take about 1 ms.',
    read: ({ sources }) => [...sources.points()].map(([bundle, value]) => ({ labels: { bundle }, value })),
  },
  gauge('verdict_cache_entries', 'Answers in the cache.', ({ cache }) => cache().entries),
  gauge('verdict_cache_bytes', 'Bytes that the cache takes, as it counts them.', ({ cache }) => cache().bytes),
  gauge('verdict_cache_max_bytes', 'Bytes that the cache may take: cache.maxBytes.', (from) => from.cacheMaxBytes),
  counter(
    'verdict_cache_evictions_total',
    'Answers that left the cache because others needed the room.',
    (from) => from.cache().evictions,
  ),
];

const requests: readonly Family[] = [
  {
    name: 'verdict_http_requests_total',
    type: 'counter',
    labels: ['listener', 'status'],
    help: 'HTTP requests that were answered, by the class of their status. A batch is one request.',
    read: ({ traffic }) => traffic.requests(),
  },
  {
    name: 'verdict_requests_refused_total',
    type: 'counter',
    labels: ['listener', 'reason'],
    help: 'Requests, and items of batches, that were refused before anything was decided, by error code.',
    read: ({ traffic }) => traffic.refusals(),
  },
];

const network: readonly Family[] = [
  {
    name: 'verdict_http_send_requests_total',
    type: 'counter',
    labels: ['outcome'],
    help: 'Requests of `http.send`, redirects and further attempts included: answered, failed, or refused by `engine.network`.',
    read: ({ sources }) => {
      const { answered, failed, refused } = sources.network();
      return Object.entries({ answered, failed, refused }).map(([outcome, value]) => ({ labels: { outcome }, value }));
    },
  },
  counter(
    'verdict_http_send_reused_connections_total',
    'Requests of `http.send` that were answered on a connection which an earlier one had left open.',
    (from) => from.network().reused,
  ),
  counter(
    'verdict_http_send_cache_hits_total',
    'Calls of `http.send` that were answered by a response which the bundle had kept.',
    (from) => from.network().cache_hit,
  ),
];

const audit: readonly Family[] = [
  gauge('verdict_audit_writable', '1 while the decision log takes records, 0 while it does not.', (from) =>
    from.audit().writable ? 1 : 0,
  ),
  counter(
    'verdict_audit_records_total',
    'Records written to the log, events included.',
    (from) => from.audit().records,
  ),
  counter(
    'verdict_audit_written_bytes_total',
    'Bytes written to the log, side files included.',
    (from) => from.audit().bytes,
  ),
  gauge(
    'verdict_audit_waiting_records',
    'Records that were taken and wait to be written.',
    (from) => from.audit().waitingRecords,
  ),
  gauge(
    'verdict_audit_waiting_bytes',
    'Bytes of the records that wait to be written.',
    (from) => from.audit().waitingBytes,
  ),
  gauge(
    'verdict_audit_unsynced_seconds',
    'Age of the oldest written record that may not be on the disk yet.',
    (from) => from.audit().unsyncedMs / 1000,
  ),
  counter('verdict_audit_write_failures_total', 'Writes to the log that failed.', (from) => from.audit().failedWrites),
  counter(
    'verdict_audit_pauses_total',
    'Times at which the log stopped taking records.',
    (from) => from.audit().pauses,
  ),
  counter(
    'verdict_audit_refused_records_total',
    'Records that the log did not take.',
    (from) => from.audit().refusedRecords,
  ),
  gauge('verdict_audit_segments', 'Segments that the log consists of.', (from) => from.audit().segments),
  gauge(
    'verdict_audit_missing_records',
    'Records that the log should have and has not.',
    (from) => from.auditCondition().missingRecords,
  ),
  gauge(
    'verdict_audit_damaged_segments',
    'Files of the log that are damaged or not what they should be, as far as they were read since the start.',
    (from) => from.auditCondition().damagedSegments,
  ),
];

const state: readonly Family[] = [
  gauge('verdict_ready', '1 while requests should be sent here: what /health/ready says.', (from) =>
    from.ready() ? 1 : 0,
  ),
  {
    name: 'verdict_build_info',
    type: 'gauge',
    labels: ['version'],
    help: 'Always 1; the label is the version of the server.',
    read: ({ sources: { version } }) => [{ labels: { version }, value: 1 }],
  },
  gauge('verdict_policy_epoch', 'Number of the active set: +1 at every change of policy or data.', (from) =>
    from.epoch(),
  ),
  {
    name: 'verdict_policy_active_seconds',
    type: 'gauge',
    labels: ['bundle', 'version'],
    help: 'Seconds since a version was made active. Versions that are not active have no value.',
    read: ({ sources }) =>
      sources
        .versions()
        .map(({ bundle, version, activeSeconds }) => ({ labels: { bundle, version }, value: activeSeconds })),
  },
  gauge('verdict_workers', 'Evaluation worker threads, spares included.', (from) => from.workers().threads),
  gauge(
    'verdict_worker_waiting_evaluations',
    'Evaluations that wait for a free worker.',
    (from) => from.workers().waiting,
  ),
  counter(
    'verdict_worker_restarts_total',
    'Evaluation workers that were lost, or ended at a deadline.',
    (from) => from.workers().replaced,
  ),
  counter('verdict_toolchain_restarts_total', 'Workers of the Rego toolchain that crashed or were replaced.', (from) =>
    from.toolchainRestarts(),
  ),
  {
    name: 'verdict_trace_spans_exported_total',
    type: 'counter',
    labels: [],
    help: 'Spans that the collector took. No value while tracing is off.',
    read: ({ sources }) => (sources.spans === undefined ? [] : [{ value: sources.spans().exported }]),
  },
  {
    name: 'verdict_trace_spans_dropped_total',
    type: 'counter',
    labels: [],
    help: 'Spans that were given up: queue full, or collector failing. No value while tracing is off.',
    read: ({ sources }) => (sources.spans === undefined ? [] : [{ value: sources.spans().dropped }]),
  },
];

/** Every metric of ours, as the page shows them. */
export const families: readonly { readonly title: string; readonly list: readonly Family[] }[] = [
  { title: 'Decisions and their cache', list: decisions },
  { title: 'Requests', list: requests },
  { title: 'The network of policies', list: network },
  { title: 'The decision log', list: audit },
  { title: 'Policy and the process', list: state },
];
