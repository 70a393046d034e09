// What do hostile policies cost everybody else? Each of test/support/hostile.ts is pushed and asked over every wire, at
// the default budgets, while another bundle is asked without pause.
//
//   node bench/hostile.ts [--only NAME,NAME] [--write]
import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Client, credentials } from '@grpc/grpc-js';
import { DecideRequestSchema, DecideResponseSchema } from '../src/interfaces/grpc/gen/verdict/v1/decisions_pb.ts';
import { load, post } from '../test/load/client.ts';
import { archiveOf } from '../test/policy/archives.ts';
import { type HostilePolicy, hostilePolicies } from '../test/support/hostile.ts';
import { freePort, root, temporaryFolder } from '../test/support/server-process.ts';
import { cpuMicroseconds, pinSelf, residentBytes } from './processes.ts';
import { serveVerdict } from './servers/verdict.ts';

const { values } = parseArgs({
  options: { only: { type: 'string' }, write: { type: 'boolean', default: false } },
});
const only = values.only?.split(',');
const asked = hostilePolicies.filter(({ name }) => only === undefined || only.includes(name));
const question = {
  subject: { type: 'user', id: 'CiRmZDE2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs' },
  action: { name: 'can_read_todos' },
  resource: { type: 'todo', id: '1' },
};
const quietMs = 3_000;
const betweenMs = 400;
// Instances that grew are given back when V8 next collects.
const settleMs = 10_000;

pinSelf();
const { folder, remove } = temporaryFolder('hostile');
const ports = { http: await freePort(), grpc: await freePort() };
const admin = await freePort();
const bundle = path.join(root, 'bundles', 'todo.tar.gz');
const verdict = await serveVerdict({ folder, ports, bundle, settings: [`server.admin.port=${admin}`] });
const token = readFileSync(path.join(folder, 'state', 'operator-token'), 'utf8').trim();
const grpc = new Client(`127.0.0.1:${ports.grpc}`, credentials.createInsecure());
const adminHeaders = { authorization: `Bearer ${token}` };

const push = async ({ name, files }: HostilePolicy): Promise<void> => {
  const url = `http://127.0.0.1:${admin}/v1/bundles/${name}?activate=true`;
  const headers = { ...adminHeaders, 'content-type': 'application/gzip' };
  const answer = await fetch(url, { method: 'PUT', headers, body: new Uint8Array(await archiveOf(files)) });
  if (answer.status !== 201) throw new Error(`${name}: ${answer.status} ${await answer.text()}`);
};

const overHttp = async (where: string, body: unknown): Promise<void> => {
  const headers = { 'content-type': 'application/json' };
  const url = `http://127.0.0.1:${ports.http}${where}`;
  await (await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).text();
};

const overGrpc = (name: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const input = { input: { case: 'json', value: Buffer.from(JSON.stringify(question)) } } as const;
    const message = Buffer.from(
      toBinary(DecideRequestSchema, create(DecideRequestSchema, { path: `${name}/allow`, input })),
    );
    const asIs = (bytes: Buffer): Buffer => bytes;
    grpc.makeUnaryRequest('/verdict.v1.Decisions/Decide', asIs, asIs, message, (error, answer) => {
      if (error !== null) return reject(error);
      const verdict = fromBinary(DecideResponseSchema, answer as Buffer).decision?.verdict;
      resolve(verdict?.case === 'failed' ? verdict.value.code : String(verdict?.case));
    });
  });

const percentile = (sorted: Float64Array, share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0;

/** Asks the quiet bundle for as long as `work` takes; its latencies, sorted, milliseconds. */
const quietDuring = async (work: () => Promise<unknown>): Promise<Float64Array> => {
  const state = { done: false };
  const answers = load({
    port: ports.http,
    connections: 2,
    request: (n) =>
      state.done
        ? undefined
        : post(
            '/v1/data/todo/allow',
            JSON.stringify({ input: { ...question, resource: { type: 'todo', id: `${n}` } } }),
          ),
  });
  await work();
  state.done = true;
  return (await answers).latencies.sort();
};

const figure = (ms: number): string => (ms < 10 ? ms.toFixed(2) : ms.toFixed(0));

const row = async (policy: HostilePolicy, baseline: number): Promise<string> => {
  const { name } = policy;
  const wires = [
    () => overHttp(`/v1/data/${name}/allow`, { input: question }),
    () => overHttp(`/${name}/access/v1/evaluation`, question),
    () => overHttp(`/v1/batch/data/${name}/allow`, { inputs: { a: question } }),
    () => overGrpc(name),
  ];
  const took: number[] = [];
  const used: number[] = [];
  let code = '';
  const quiet = await quietDuring(async () => {
    for (const ask of wires) {
      const from = performance.now();
      const usedBefore = cpuMicroseconds(verdict.pid);
      code = (await ask()) ?? code;
      took.push(performance.now() - from);
      used.push((cpuMicroseconds(verdict.pid) - usedBefore) / 1_000);
      await sleep(betweenMs);
    }
  });
  if (!policy.codes.some((wanted) => wanted === code)) throw new Error(`${name} ended as ${code}`);
  const p99 = percentile(quiet, 0.99);
  const cells = [name, code, took.map(figure).join(', '), used.map((ms) => ms.toFixed(0)).join(', ')];
  return `| ${[...cells, `${figure(p99)} (${(p99 / baseline).toFixed(1)})`, figure(quiet.at(-1) ?? 0)].join(' | ')} |`;
};

try {
  const [load1 = 0] = os.loadavg();
  // All of them first: what OPA's toolchain and V8 have to do for them is no question's.
  for (const policy of asked) await push(policy);
  await quietDuring(() => sleep(quietMs));
  const baseline = await quietDuring(() => sleep(quietMs));
  const alone = percentile(baseline, 0.99);
  const before = residentBytes(verdict.pid) / 2 ** 20;
  const rows: string[] = [];
  for (const policy of asked) {
    rows.push(await row(policy, alone));
    process.stderr.write(`${rows.at(-1)}\n`);
  }
  await quietDuring(() => sleep(settleMs));
  const after = residentBytes(verdict.pid) / 2 ** 20;
  const text = [
    '# Hostile policies',
    '',
    'Policies that take all they can get, at the default budgets: pushed to a server, and then asked once over each of OPA v1,',
    'AuthZEN, the batch and gRPC while it answers the sample `todo` over two connections without pause. Written by',
    '`node bench/hostile.ts --write`.',
    '',
    `${new Date().toISOString().slice(0, 10)}, ${os.cpus()[0]?.model ?? 'unknown CPU'}, Node ${process.versions.node}. ` +
      `Without them the 99th percentile of \`todo\` is ${figure(alone)} ms, the longest ${figure(baseline.at(-1) ?? 0)} ms. ` +
      `The machine's load was ${load1.toFixed(1)} when it began, which is other programs': what they took is in the times, not in the CPU.`,
    '',
    '| policy | ends as | ms over each wire, the first ever first | CPU of the server meanwhile, ms | p99 of todo meanwhile, ms (times its own) | longest, ms |',
    '|---|---|---|---|---|---|',
    ...rows,
    '',
    `Resident: ${before.toFixed(0)} MiB with all of them pushed, ${after.toFixed(0)} MiB after they were asked.`,
    '',
    'Every evaluation begins on the deciding thread and leaves it for a worker after `engine.decidingInstructions`; there it ends',
    'after `engine.instructions`, or where its memory is at an end. The server has one core here, so workers and the deciding',
    'thread share it, and `todo` has taken half of the CPU. What V8 compiles when a policy is first asked is in its first answer. A',
    'question of `todo` that comes while a worker runs waits until the kernel takes the core from it: up to 4 ms.',
    '',
  ].join('\n');
  process.stdout.write(text);
  if (values.write) writeFileSync(path.join(root, 'docs', 'hostile.md'), text);
} finally {
  grpc.close();
  await verdict.stop();
  remove();
}
