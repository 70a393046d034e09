import { Agent, request } from 'node:http';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Client, credentials } from '@grpc/grpc-js';
import { DecideRequestSchema, DecideResponseSchema } from '../../src/interfaces/grpc/gen/verdict/v1/decisions_pb.ts';
import { readDecisionIds } from '../support/log-ids.ts';
import { root, type ServerProcess, startServerProcess, temporaryFolder } from '../support/server-process.ts';

export interface DrainResult {
  readonly stops: number;
  readonly answered: { readonly http: number; readonly grpc: number };
  /** Requests that were sent to a server and got no answer, or another one than a decision. */
  readonly failed: readonly string[];
  /** Ids of decisions that were answered and are in no log. */
  readonly lost: readonly string[];
}

/** A rolling restart as clients see it: the server that ends, the one that stays, and whether there is more to ask. */
interface Round {
  readonly leaving: ServerProcess;
  readonly staying: ServerProcess;
  over: boolean;
}

const INPUT = (n: number): string =>
  `{"subject":{"type":"user","id":"u"},"action":{"name":"can_read_todos"},"resource":{"type":"todo","id":"${n - (n % 3)}"}}`;

interface Tally {
  http: number;
  grpc: number;
  readonly ids: Set<string>;
  readonly failed: string[];
}

interface Got {
  readonly status: number | undefined;
  readonly closing: boolean;
  readonly id: unknown;
}

const send = (agent: Agent, port: number, where: string, body?: string): Promise<Got> =>
  new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const sent = request({
      agent,
      host: '127.0.0.1',
      port,
      path: where,
      method: body === undefined ? 'GET' : 'POST',
      headers,
    });
    sent.once('error', reject);
    sent.once('response', (response) => {
      const { statusCode: status, headers: got } = response;
      response.resume();
      response.once('error', reject);
      response.once('end', () =>
        resolve({ status, closing: got.connection === 'close', id: got['verdict-decision-id'] }),
      );
    });
    sent.end(body);
  });

const isRefused = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';

/** True when it is time to go to the other server: told to, or no connection was to be had, so nothing was sent. */
const ask = async (tally: Tally, agent: Agent, port: number, n: number): Promise<boolean> => {
  try {
    const { status, closing, id } = await send(agent, port, '/v1/data/todo/allow', `{"input":${INPUT(n)}}`);
    if (status !== 200 || typeof id !== 'string') tally.failed.push(`HTTP ${status}`);
    else {
      tally.http++;
      tally.ids.add(id);
    }
    return closing;
  } catch (error) {
    if (!isRefused(error)) tally.failed.push(String(error));
    return true;
  }
};

const isReady = (agent: Agent, port: number): Promise<boolean> =>
  send(agent, port, '/health/ready').then(
    ({ status }) => status === 200,
    (error: unknown) => {
      if (isRefused(error)) return false;
      throw error;
    },
  );

/** Keeps one connection, and goes to the other server when it is told to close it. */
const keepAlive = async (round: Round, tally: Tally, seed: number): Promise<void> => {
  let agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let server = round.leaving;
  for (let n = seed; !round.over || server === round.leaving; n++) {
    if (!(await ask(tally, agent, server.port, n))) continue;
    agent.destroy();
    agent = new Agent({ keepAlive: true, maxSockets: 1 });
    server = round.staying;
  }
  agent.destroy();
};

/** A connection a question, to the first server while it says that it is ready: what a load balancer does. */
const shortLived = async (round: Round, tally: Tally, seed: number): Promise<void> => {
  const agent = new Agent({ keepAlive: false });
  let server = round.leaving;
  for (let n = seed; !round.over || server === round.leaving; n++) {
    if (server === round.leaving && !(await isReady(agent, server.port))) server = round.staying;
    await ask(tally, agent, server.port, n);
  }
};

/** One channel that knows both servers; it leaves the first when that says GOAWAY. */
const overGrpc = async (round: Round, tally: Tally, seed: number): Promise<void> => {
  const [first, second] = [round.leaving, round.staying].map(({ grpcPort }) => `127.0.0.1:${grpcPort}`);
  const client = new Client(`ipv4:${first},${second}`, credentials.createInsecure());
  const asIs = (bytes: Buffer): Buffer => bytes;
  for (let n = seed; !round.over; n++) {
    const input = { case: 'json', value: Buffer.from(INPUT(n)) } as const;
    const bytes = Buffer.from(
      toBinary(DecideRequestSchema, create(DecideRequestSchema, { path: 'todo/allow', input: { input } })),
    );
    await new Promise<void>((resolve) => {
      client.makeUnaryRequest('/verdict.v1.Decisions/Decide', asIs, asIs, bytes, (error, answer) => {
        const decision = answer === undefined ? undefined : fromBinary(DecideResponseSchema, answer).decision;
        if (error !== null || decision?.verdict.case !== 'decided')
          tally.failed.push(`gRPC: ${error?.message ?? 'no decision'}`);
        else {
          tally.grpc++;
          tally.ids.add(decision.decisionId);
        }
        resolve();
      });
    });
  }
  client.close();
};

const start = async (storage: string): Promise<ServerProcess> => {
  const bundle = path.join(root, 'bundles', 'todo.tar.gz');
  return await startServerProcess({ storage, args: ['--set', 'server.drainSeconds=1', '--bundle', bundle] });
};

/**
 * Ends a server (SIGTERM) under load again and again, as a rolling restart does: another one is ready before, and
 * clients go there when they are told to. Every request that was sent must have its decision, and every decision its
 * record.
 */
export const drainRounds = async (
  stops: number,
  onStop?: (stop: number, answered: number) => void,
): Promise<DrainResult> => {
  const folders = [temporaryFolder('drain-a'), temporaryFolder('drain-b')] as const;
  const tally: Tally = { http: 0, grpc: 0, ids: new Set(), failed: [] };
  const placeOf = (stop: number): string => folders[stop % 2 === 0 ? 0 : 1].folder;
  let serving = await start(placeOf(0));
  try {
    for (let stop = 0; stop < stops; stop++) {
      const round: Round = { leaving: serving, staying: await start(placeOf(stop + 1)), over: false };
      const seed = stop * 1_000_000;
      const clients = [
        ...Array.from({ length: 6 }, (_, at) => keepAlive(round, tally, seed + at * 10_000)),
        ...Array.from({ length: 2 }, (_, at) => shortLived(round, tally, seed + 100_000 + at * 10_000)),
        ...Array.from({ length: 3 }, (_, at) => overGrpc(round, tally, seed + 200_000 + at * 10_000)),
      ];
      await sleep(100 + ((stop * 37) % 200));
      const { code, signal } = await round.leaving.kill('SIGTERM');
      if (code !== 0) tally.failed.push(`the server ended with ${code ?? signal}: ${round.leaving.errors()}`);
      round.over = true;
      await Promise.all(clients);
      serving = round.staying;
      onStop?.(stop, tally.ids.size);
    }
    await serving.kill('SIGTERM');
    const recorded = new Set<string>();
    for (const { folder } of folders) for (const id of await readDecisionIds(folder)) recorded.add(id);
    const lost = [...tally.ids].filter((id) => !recorded.has(id));
    return { stops, answered: { http: tally.http, grpc: tally.grpc }, failed: tally.failed, lost };
  } finally {
    serving.child.kill('SIGKILL');
    for (const { remove } of folders) remove();
  }
};
