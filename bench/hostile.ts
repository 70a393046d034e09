// What do hostile policies cost everybody else? Each of test/support/hostile.ts is pushed and asked over every wire, at
// the default budgets, while another bundle is asked without pause. Ends with 1, and says why, where a bound is missed.
//
//   node bench/hostile.ts [--only NAME,NAME] [--rounds 3] [--write]
import { spawnSync } from 'node:child_process';
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
import { type HostilePolicy, hostileBundle, hostilePolicies } from '../test/support/hostile.ts';
import { freePort, root, temporaryFolder } from '../test/support/server-process.ts';
import { cpuMicroseconds, pinSelf, residentBytes } from './processes.ts';
import { serveVerdict } from './servers/verdict.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    write: { type: 'boolean', default: false },
  },
});
const only = values.only?.split(',');
const asked = hostilePolicies.filter(({ name }) => only === undefined || only.includes(name));
const question = {
  subject: { type: 'user', id: 'CiRmZDE2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs' },
  action: { name: 'can_read_todos' },
  resource: { type: 'todo', id: '1' },
};
const rounds = Number(values.rounds);
// What the server promises.
const mostMs = 250;
const mostTimes = 2;
const mostKept = (before: number): number => before + Math.max(64, before * 0.15);
const quietMs = 3_000;
// Caches of answers and V8's heap take their room from `todo` alone, and are no hostile policy's.
const fillMs = 20_000;
const betweenMs = 400;
// Instances that grew are given back when V8 next collects.
const settleMs = 30_000;

pinSelf();
const { folder, remove } = temporaryFolder('hostile');
const ports = { http: await freePort(), grpc: await freePort() };
const admin = await freePort();
const bundle = path.join(root, 'bundles', 'todo.tar.gz');
const settings = [`server.admin.port=${admin}`, `policy.defaultDecision=${hostileBundle}/allow`];
const verdict = await serveVerdict({ folder, ports, bundle, settings });
const token = readFileSync(path.join(folder, 'state', 'operator-token'), 'utf8').trim();
const grpc = new Client(`127.0.0.1:${ports.grpc}`, credentials.createInsecure());
const adminHeaders = { authorization: `Bearer ${token}` };

const toAdmin = async (method: string, where: string, body?: Uint8Array): Promise<unknown> => {
  const headers = { ...adminHeaders, ...(body === undefined ? {} : { 'content-type': 'application/gzip' }) };
  const sent = { method, headers, ...(body === undefined ? {} : { body: new Uint8Array(body) }) };
  const answer = await fetch(`http://127.0.0.1:${admin}/v1/bundles/${hostileBundle}${where}`, sent);
  if (!answer.ok) throw new Error(`${method} ${where}: ${answer.status} ${await answer.text()}`);
  return answer.json();
};

interface Pushed {
  readonly version: { readonly version: number };
}

/** Pushes a policy, and makes it active later. */
const push = async ({ files }: HostilePolicy): Promise<() => Promise<unknown>> => {
  const { version } = (await toAdmin('PUT', '?activate=false', await archiveOf(files))) as Pushed;
  return () => toAdmin('POST', `/versions/${version.version}/activate`);
};

const overHttp = async (where: string, body: unknown): Promise<undefined> => {
  const headers = { 'content-type': 'application/json' };
  const url = `http://127.0.0.1:${ports.http}${where}`;
  await (await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).text();
};

const overGrpc = (): Promise<string> =>
  new Promise((resolve, reject) => {
    const input = { input: { case: 'json', value: Buffer.from(JSON.stringify(question)) } } as const;
    const message = Buffer.from(
      toBinary(DecideRequestSchema, create(DecideRequestSchema, { path: `${hostileBundle}/allow`, input })),
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

/** How long the machine takes to hand out 64 MiB of new memory, page by page; milliseconds. */
const handOutMs = (): number => {
  const memory = new Uint8Array(64 << 20);
  const from = performance.now();
  for (let at = 0; at < memory.length; at += 4_096) memory[at] = 1;
  return performance.now() - from;
};

/**
 * Has the machine fetch memory that a question will need. A virtual machine that gives what is free back to its host pays for
 * each page anew after a few seconds: with half a core, 0.3 s for the 64 MiB of an evaluation, whatever the server does.
 */
const fetchMemory = (): void => {
  spawnSync(process.execPath, ['-e', `Buffer.alloc(${2 ** 30}, 1)`]);
};

const figure = (ms: number): string => (ms < 10 ? ms.toFixed(2) : ms.toFixed(0));

const wires: readonly (() => Promise<string | undefined>)[] = [
  () => overHttp(`/v1/data/${hostileBundle}/allow`, { input: question }),
  () => overHttp(`/v0/data/${hostileBundle}/allow`, question),
  () => overHttp('/', question),
  () => overHttp(`/${hostileBundle}/access/v1/evaluation`, question),
  () => overHttp(`/v1/batch/data/${hostileBundle}/allow`, { inputs: { a: question } }),
  overGrpc,
];

interface Measured {
  readonly row: string;
  readonly missed: readonly string[];
}

const measure = async (policy: HostilePolicy): Promise<Measured> => {
  const { name } = policy;
  // Right before, since what else the machine does changes.
  const own = percentile(await quietDuring(() => sleep(quietMs)), 0.99);
  const took = wires.map((): number[] => []);
  fetchMemory();
  let used = 0;
  let code = '';
  const quiet = await quietDuring(async () => {
    for (let round = 0; round < rounds; round++) {
      for (const [at, ask] of wires.entries()) {
        const from = performance.now();
        const usedBefore = cpuMicroseconds(verdict.pid);
        code = (await ask()) ?? code;
        took[at]?.push(performance.now() - from);
        used += (cpuMicroseconds(verdict.pid) - usedBefore) / 1_000;
        await sleep(betweenMs);
      }
    }
  });
  if (!policy.codes.some((wanted) => wanted === code)) throw new Error(`${name} ended as ${code}`);
  const p99 = percentile(quiet, 0.99);
  const longest = took.map((times) => Math.max(...times));
  const slowest = Math.max(...longest);
  const times = p99 / own;
  const cells = [name, code, longest.map(figure).join(', '), (used / rounds / wires.length).toFixed(0)];
  return {
    row: `| ${[...cells, `${figure(own)}, ${figure(p99)} (${times.toFixed(1)})`, figure(quiet.at(-1) ?? 0)].join(' | ')} |`,
    missed: [
      ...(slowest > mostMs ? [`${name}: an answer took ${figure(slowest)} ms, over ${mostMs}`] : []),
      ...(times > mostTimes
        ? [`${name}: the p99 of todo is ${times.toFixed(1)} times its own, over ${mostTimes}`]
        : []),
    ],
  };
};

try {
  const [load1 = 0] = os.loadavg();
  const handedOut = Array.from({ length: 8 }, handOutMs);
  // All of them first: what OPA's toolchain and V8 have to do for them is no question's.
  const pushed: [HostilePolicy, () => Promise<unknown>][] = [];
  for (const policy of asked) pushed.push([policy, await push(policy)]);
  await quietDuring(() => sleep(fillMs));
  const before = residentBytes(verdict.pid) / 2 ** 20;
  const rows: string[] = [];
  const missed: string[] = [];
  for (const [policy, activate] of pushed) {
    await activate();
    // What an activation leaves to do is no question's.
    await sleep(betweenMs);
    const measured = await measure(policy);
    rows.push(measured.row);
    missed.push(...measured.missed);
    process.stderr.write(`${measured.row}\n`);
  }
  await quietDuring(() => sleep(settleMs));
  const after = residentBytes(verdict.pid) / 2 ** 20;
  if (after > mostKept(before))
    missed.push(`resident: ${after.toFixed(0)} MiB afterwards, over ${mostKept(before).toFixed(0)}`);
  const text = [
    '# Hostile policies',
    '',
    `Policies that take all they can get, at the default budgets: pushed to a server, and then asked ${rounds} times over each of OPA`,
    'v1, v0 and `POST /`, AuthZEN, the batch and gRPC while it answers the sample `todo` over two connections without pause.',
    'Written by `node bench/hostile.ts --write`.',
    '',
    `${new Date().toISOString().slice(0, 10)}, ${os.cpus()[0]?.model ?? 'unknown CPU'}, Node ${process.versions.node}. ` +
      `The machine's load was ${load1.toFixed(1)} when it began, which is other programs': what they took is in the times, not in the CPU. ` +
      `64 MiB of new memory took it ${figure(Math.min(...handedOut))} to ${figure(Math.max(...handedOut))} ms to hand out, which is part of a first answer.`,
    'Another process takes 1 GiB and gives it back right before each policy is asked: a virtual machine whose free memory is with its',
    'host fetches each page for up to 9 us, and a first answer on half a core then takes up to 0.3 s more.',
    '',
    '| policy | ends as | longest ms over each wire | CPU of the server for each, ms | p99 of todo before and meanwhile, ms (times) | longest, ms |',
    '|---|---|---|---|---|---|',
    ...rows,
    '',
    `Resident: ${before.toFixed(0)} MiB with all of them pushed, ${after.toFixed(0)} MiB ${settleMs / 1_000} s after they were asked.`,
    '',
    `What is wanted: every answer within ${mostMs} ms, a p99 of todo within ${mostTimes} times its own before, and a resident set that returns to`,
    `within 64 MiB or 15 % of what it was. ${missed.length === 0 ? 'Nothing missed it.' : 'Missed:'}`,
    ...(missed.length === 0 ? [] : ['', ...missed.map((each) => `- ${each}`)]),
    '',
    'Every evaluation begins on the deciding thread and leaves it for a worker after `engine.decidingInstructions`; there it ends',
    'after `engine.instructions`, or where its memory is at an end. The server has one core here, so workers and the deciding',
    'thread share it, and `todo` has taken half of the CPU. What V8 compiles when a policy is first asked is in its first answer. A',
    'question of `todo` that comes while a worker runs waits until the kernel takes the core from it: up to 4 ms.',
    '',
  ].join('\n');
  process.stdout.write(text);
  if (values.write) writeFileSync(path.join(root, 'docs', 'hostile.md'), text);
  if (missed.length > 0) process.exitCode = 1;
} finally {
  grpc.close();
  await verdict.stop();
  remove();
}
