import type { Family } from './families.ts';
import { families } from './families.ts';
import { BUCKETS } from './histogram.ts';

const INTRODUCTION = `# Metrics

This page is written from the definitions that the server answers by.

\`GET /metrics\` on the admin listener answers them in Prometheus' text format: to everybody on a loopback address, and
elsewhere to callers with the role operator. Counters begin at 0 with the process; a label value that never occurred has
no line. Labels take values from closed sets only (outcomes, wires, error codes, names of active bundles), never from
what a request says. [The monitoring guide](../guides/monitoring.md) names the alerts to set.

| label | values |
|---|---|
| \`outcome\` | \`permit\`, \`refuse\`, \`data\` (a document was read: nobody was asked for a yes or a no), \`undefined\`, \`failed\` |
| \`wire\` | the wire that a question came by, as in its record: \`opa.v1\`, \`opa.v0\`, \`opa.default\`, \`authzen.evaluation\`, \`authzen.evaluations\`, \`verdict.decide\`, ... |
| \`cache\` | \`hit\`, \`miss\`, \`bypass\`, \`uncacheable\` |
| \`listener\` | \`http\` and \`grpc\` (decisions), \`admin\` |
| \`status\` | \`2xx\`, \`3xx\`, \`4xx\`, \`5xx\` |
| \`reason\` | an error code, as [errors](errors.md) lists them; \`headers_too_large\`, \`request_timeout\`, \`request_malformed\` and \`connections_exceeded\` for what HTTP itself refuses, \`request_malformed\` also for what is no HTTP/2 on the gRPC port |
| \`bundle\`, \`version\` | those that are active |
`;

const ENDING = `## The process

Beside these, the metrics that prom-client measures of every Node process: \`process_cpu_seconds_total\`,
\`process_resident_memory_bytes\`, \`process_start_time_seconds\`, \`process_open_fds\`, \`nodejs_eventloop_lag_seconds\` and its
quantiles, \`nodejs_gc_duration_seconds\`, \`nodejs_heap_size_used_bytes\`, and more of these kinds.
`;

const labelsOf = (labels: readonly string[]): string => labels.map((label) => `\`${label}\``).join(', ');

const row = ({ name, type, labels, help }: Family): string =>
  `| \`${name}\` | ${type} | ${labelsOf(labels)} | ${help} |`;

/** The text of docs/reference/metrics.md. */
export const metricsPage = (): string =>
  [
    INTRODUCTION,
    ...families.flatMap(({ title, list }) => [
      `## ${title}`,
      '',
      '| metric | type | labels | meaning |',
      '|---|---|---|---|',
      ...list.map(row),
      '',
    ]),
    `Histograms count up to ${BUCKETS.join(', ')} seconds, and above.`,
    '',
    ENDING,
  ].join('\n');
