import type { DescMessage, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { afterEach } from 'vitest';
import type { Caller } from '../../src/decision/index.ts';
import {
  DecideBatchRequestSchema,
  DecideBatchResponseSchema,
  DecideRequestSchema,
  DecideResponseSchema,
  type Decision,
} from '../../src/interfaces/grpc/gen/verdict/v1/decisions_pb.ts';
import type { GrpcLimits, GrpcOptions, GrpcSettings } from '../../src/interfaces/grpc/index.ts';
import { defaultGrpcSettings, startGrpcServer } from '../../src/interfaces/grpc/index.ts';
import type { CoreOptions } from './decision.ts';
import { startCore } from './decision.ts';
import { shop } from './decision-http.ts';

export interface GrpcTestOptions extends CoreOptions {
  readonly settings?: Partial<Omit<GrpcSettings, 'limits'>>;
  readonly limits?: Partial<GrpcLimits>;
  readonly tokens?: { readonly [secret: string]: Caller };
  readonly ready?: GrpcOptions['ready'];
}

const stops: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

export const clientFor = (address: string): Client => {
  const client = new Client(address, credentials.createInsecure());
  stops.unshift(() => client.close());
  return client;
};

/** Calls a method with bytes, and answers its bytes; rejects with grpc-js's error. */
export const callBytes = (
  client: Client,
  method: string,
  message: Uint8Array,
  metadata = new Metadata(),
  timeoutMs?: number,
): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const options = timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
    const done = (error: ServiceError | null, answer?: Buffer): void =>
      error === null ? resolve(answer as Buffer) : reject(error);
    const asIs = (bytes: Buffer): Buffer => bytes;
    client.makeUnaryRequest(method, asIs, asIs, Buffer.from(message), metadata, options, done);
  });

const caller =
  <Asked extends DescMessage, Answered extends DescMessage>(method: string, asked: Asked, answered: Answered) =>
  async (client: Client, message: MessageInitShape<Asked>, metadata?: Metadata): Promise<MessageShape<Answered>> =>
    fromBinary(answered, await callBytes(client, method, toBinary(asked, create(asked, message)), metadata));

export const DECIDE = '/verdict.v1.Decisions/Decide';
export const DECIDE_BATCH = '/verdict.v1.Decisions/DecideBatch';
export const callDecide = caller(DECIDE, DecideRequestSchema, DecideResponseSchema);
export const callDecideBatch = caller(DECIDE_BATCH, DecideBatchRequestSchema, DecideBatchResponseSchema);

export type AskedDecision = MessageInitShape<typeof DecideRequestSchema>;
export type AskedBatch = MessageInitShape<typeof DecideBatchRequestSchema>;

/** An input as JSON bytes. */
export const json = (text: string) => ({ input: { case: 'json', value: Buffer.from(text) } }) as const;

/** The JSON text of a decision that was decided, or the name of what it was else. */
export const resultOf = (decision: Decision | undefined): string => {
  const verdict = decision?.verdict;
  if (verdict?.case !== 'decided') return verdict?.case ?? 'none';
  const { result } = verdict.value;
  return result.case === 'json' ? Buffer.from(result.value).toString() : 'value';
};

/** A whole gRPC server in memory, on a free port, with `shop` active, and a client. Stopped after the test. */
export const startGrpc = async (options: GrpcTestOptions = {}) => {
  const core = startCore(options);
  core.policy.activate(shop);
  const state = { draining: false, ready: true };
  const grpcWarnings: string[] = [];
  const refusals: string[] = [];
  const { tokens = {} } = options;
  const server = await startGrpcServer({
    decisions: core.decisions,
    policy: core.policy.source,
    settings: {
      ...defaultGrpcSettings,
      port: 0,
      ...options.settings,
      limits: { ...defaultGrpcSettings.limits, ...options.limits },
    },
    authenticate: (bearer) => (Object.hasOwn(tokens, bearer) ? tokens[bearer] : undefined),
    ready: options.ready ?? (() => ({ ready: state.ready })),
    draining: () => state.draining,
    onWarning: (message) => grpcWarnings.push(message),
    observer: { responded: () => {}, refused: (reason) => refusals.push(reason) },
  });
  stops.push(() => server.close(0));
  const client = clientFor(server.address);
  return {
    ...core,
    server,
    state,
    client,
    grpcWarnings,
    refusals,
    decide: async (asked: AskedDecision, metadata?: Metadata): Promise<Decision> =>
      (await callDecide(client, asked, metadata)).decision as Decision,
    decideBatch: (asked: AskedBatch, metadata?: Metadata) => callDecideBatch(client, asked, metadata),
  };
};

export type Grpc = Awaited<ReturnType<typeof startGrpc>>;
