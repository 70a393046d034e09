// What a decision costs over HTTP, beside OPA: same policy, same machine, the same minute. CPU time per request is the
// figure to read; requests per second depend on how much of the machine the client left over.
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { load, post } from '../test/load/client.ts';
import { cpuMicroseconds, pinSelf, residentBytes, root, type Server, startOpa, startVerdict } from './processes.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '16' },
    write: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
const milliseconds = Number(values.seconds) * 1_000;
const connections = Number(values.connections);
// Read before this process is pinned to one of them.
const cores = os.availableParallelism();

const users = ['0', '1', '2', '3', '4'].map((digit) =>
  Buffer.from(`\x0a\x24fd${digit}614d3-c39a-4781-b7bd-8b96f5a5100d\x12\x05local`, 'latin1').toString('base64'),
);
const actions = ['can_read_user', 'can_read_todos', 'can_create_todo', 'can_update_todo', 'can_delete_todo'];
const owners = ['rick@the-citadel.com', 'morty@the-citadel.com', 'beth@the-smiths.com'];

const pick = <T>(items: readonly T[], n: number): T => items[n % items.length] as T;

/** The n-th question: 1,000 different ones when `distinct` is 1,000, then the same again. */
const question = (n: number): Buffer =>
  post(
    '/v1/data/todo/allow',
    JSON.stringify({
      input: {
        subject: { type: 'user', id: pick(users, n) },
        action: { name: pick(actions, Math.floor(n / 5)) },
        resource: {
          type: 'todo',
          id: `7240d0db-8ff0-41ec-98b2-${String(n).padStart(12, '0')}`,
          properties: { ownerID: pick(owners, Math.floor(n / 25)) },
        },
        context: { request: `r-${n}`, channel: 'web', region: 'eu-central-1' },
      },
    }),
  );

interface Sample {
  readonly rps: number;
  readonly cpuUs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const quantile = (sorted: Float64Array, share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;

const measure = async (server: Server, next: (n: number) => Buffer): Promise<Sample> => {
  const startedAt = performance.now();
  const cpuBefore = cpuMicroseconds(server.pid);
  const request = (n: number): Buffer | undefined =>
    performance.now() - startedAt < milliseconds ? next(n) : undefined;
  const { answered, latencies, unanswered } = await load({ port: server.port, connections, request });
  if (unanswered > 0) throw new Error(`${server.name} left ${unanswered} requests unanswered`);
  const seconds = (performance.now() - startedAt) / 1_000;
  const sorted = latencies.sort();
  return {
    rps: answered / seconds,
    cpuUs: (cpuMicroseconds(server.pid) - cpuBefore) / answered,
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
  };
};

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] as number;

const medianSample = (samples: readonly Sample[]): Sample => ({
  rps: median(samples.map((sample) => sample.rps)),
  cpuUs: median(samples.map((sample) => sample.cpuUs)),
  p50Ms: median(samples.map((sample) => sample.p50Ms)),
  p99Ms: median(samples.map((sample) => sample.p99Ms)),
});

const bundle = path.join(root, 'bundles', 'todo.tar.gz');
pinSelf();
const opa = await startOpa(bundle);
const verdict = await startVerdict(bundle);
try {
  const repeated = Array.from({ length: 1_000 }, (_, n) => question(n));
  let fresh = 1_000;
  const cases = [
    { name: 'OPA', server: opa, next: (n: number) => pick(repeated, n) },
    { name: 'Verdict, miss', server: verdict, next: () => question(fresh++) },
    { name: 'Verdict, hit', server: verdict, next: (n: number) => pick(repeated, n) },
  ].map((one) => ({ ...one, samples: [] as Sample[] }));

  // V8 and Go's allocator need some tens of thousands of requests before they are what they will be.
  for (let warmUp = 0; warmUp < 3; warmUp++) for (const { server, next } of cases) await measure(server, next);
  for (let round = 0; round < rounds; round++) {
    for (const { server, next, samples, name } of cases) {
      samples.push(await measure(server, next));
      process.stderr.write(`round ${round + 1} of ${rounds}: ${name}: ${samples.at(-1)?.cpuUs.toFixed(1)} us\n`);
    }
  }

  const reference = medianSample(cases[0]?.samples ?? []).cpuUs;
  const rows = cases.map(({ name, server, samples }) => {
    const { rps, cpuUs, p50Ms, p99Ms } = medianSample(samples);
    const memory = (residentBytes(server.pid) / 2 ** 20).toFixed(0);
    return `| ${name} | ${Math.round(rps)} | ${cpuUs.toFixed(1)} | ${(cpuUs / reference).toFixed(2)} | ${p50Ms.toFixed(2)} / ${p99Ms.toFixed(2)} | ${memory} |`;
  });
  const text = [
    `${new Date().toISOString().slice(0, 10)}, ${os.cpus()[0]?.model ?? 'unknown CPU'}, ${cores} cores, ` +
      `Node ${process.versions.node}; ${connections} connections, ${rounds} interleaved rounds of ${values.seconds} s, medians.`,
    'Policy todo over HTTP/1.1, decision log on in both (OPA: console to /dev/null; Verdict: segments on disk).',
    '',
    '| server | requests/s | CPU us/request | CPU, OPA = 1 | p50 / p99 ms | resident MiB |',
    '|---|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
  process.stdout.write(text);
  if (values.write) writeFileSync(path.join(root, 'bench', 'service.md'), `# bench/service.ts\n\n${text}`);
} finally {
  await Promise.all([opa.stop(), verdict.stop()]);
}
