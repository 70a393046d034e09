import type { Socket } from 'node:net';
import { createServer } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { WireOptions, WireService } from '../wire/index.ts';
import { listen, stopListening, UNASKED_MS, wireService } from '../wire/index.ts';
import { decide, decideBatch } from './decide.ts';
import { file_grpc_health_v1_health } from './gen/grpc/health/v1/health_pb.ts';
import { file_grpc_reflection_v1_reflection } from './gen/grpc/reflection/v1/reflection_pb.ts';
import { Decisions, file_verdict_v1_decisions } from './gen/verdict/v1/decisions_pb.ts';
import { createHealthService } from './health.ts';
import { patience } from './patience.ts';
import { awaitPreface } from './preface.ts';
import { createReflectionService } from './reflection.ts';
import { keepRepeated } from './repeated.ts';
import type { GrpcSettings } from './settings.ts';
import { traced } from './trace.ts';

export interface GrpcOptions extends WireOptions {
  readonly settings: GrpcSettings;
}

export interface GrpcServer {
  /** What a client dials: `127.0.0.1:9191`, or `unix:/path` on a Unix socket. */
  readonly address: string;
  /**
   * Takes no new connections, says GOAWAY on the others, lets calls under way end, and cancels what is still there
   * after `graceMs`. Resolves when the last connection is gone.
   */
  close(graceMs?: number): Promise<void>;
}

// Messages stay bytes: what they mean is read where it is needed.
const asIs = (bytes: Buffer): Buffer => bytes;
const codec = { requestSerialize: asIs, requestDeserialize: asIs, responseSerialize: asIs, responseDeserialize: asIs };

const unary = (path: string) => ({ path, requestStream: false, responseStream: false, ...codec }) as const;

const addDecisions = (grpc: Server, service: WireService): void =>
  grpc.addService(
    { Decide: unary('/verdict.v1.Decisions/Decide'), DecideBatch: unary('/verdict.v1.Decisions/DecideBatch') },
    {
      Decide: traced(service, 'verdict.v1.Decisions/Decide', decide),
      DecideBatch: traced(service, 'verdict.v1.Decisions/DecideBatch', decideBatch),
    },
  );

/** What is open until somebody ends it. */
interface Lasting {
  end(): void;
}

const addHealth = (grpc: Server, { ready }: WireService): Lasting => {
  const health = createHealthService({ services: [Decisions.typeName], ready });
  const watch = { ...unary('/grpc.health.v1.Health/Watch'), responseStream: true };
  grpc.addService(
    { Check: unary('/grpc.health.v1.Health/Check'), Watch: watch },
    { Check: health.check, Watch: health.watch },
  );
  return health;
};

const addReflection = (grpc: Server): Lasting => {
  const reflection = createReflectionService([
    file_verdict_v1_decisions,
    file_grpc_health_v1_health,
    file_grpc_reflection_v1_reflection,
  ]);
  for (const version of ['v1', 'v1alpha']) {
    const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;
    const info = { ...unary(path), requestStream: true, responseStream: true };
    grpc.addService({ ServerReflectionInfo: info }, { ServerReflectionInfo: reflection.info });
  }
  return reflection;
};

const createGrpc = ({ limits }: GrpcSettings): Server =>
  new Server({
    'grpc.max_receive_message_length': limits.bodyBytes,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': limits.streams,
    'grpc.max_connection_idle_ms': limits.idleSeconds * 1000,
    // A peer that is gone without a word would keep its connection for good.
    'grpc.keepalive_time_ms': limits.idleSeconds * 500,
    'grpc.keepalive_timeout_ms': limits.idleSeconds * 500,
    'grpc.enable_channelz': 0,
    interceptors: [patience(limits.requestSeconds)],
  });

/** Serves decisions over gRPC on the address that the settings name; rejects when it may not or cannot be had. */
export const startGrpcServer = async (options: GrpcOptions): Promise<GrpcServer> => {
  const { settings } = options;
  const service = wireService(options, settings.limits);
  const grpc = createGrpc(settings);
  addDecisions(grpc, service);
  const lasting = [addHealth(grpc, service), ...(settings.reflection ? [addReflection(grpc)] : [])];
  const injector = grpc.createConnectionInjector(ServerCredentials.createInsecure());
  // Our own listener rather than grpc-js's: it bounds connections, and says what is wrong with an address.
  /** With the moment at which each came. */
  const open = new Map<Socket, number>();
  /** Those that have not said yet that they speak HTTP/2. */
  const unheard = new Set<Socket>();
  const sockets = createServer({ noDelay: true }, (socket) => {
    open.set(socket, performance.now());
    unheard.add(socket);
    socket.once('close', () => {
      open.delete(socket);
      unheard.delete(socket);
    });
    awaitPreface(socket, {
      withinMs: settings.limits.requestSeconds * 1000,
      onHttp2: () => {
        unheard.delete(socket);
        injector.injectConnection(socket);
      },
      onRefused: () => service.observer?.refused('request_malformed'),
    });
  });
  sockets.maxConnections = settings.limits.connections;
  const address = await listen(sockets, 'server.grpc', settings);
  const forget = keepRepeated();

  const end = async (graceMs: number): Promise<void> => {
    const { gone } = await stopListening(sockets);
    const late = setTimeout(() => {
      grpc.forceShutdown();
      // A call that is never answered keeps its session for half a minute more, destroyed or not.
      for (const socket of open.keys()) socket.destroy();
    }, graceMs);
    // A client that has just come asks once it knows our settings: GOAWAY before that would lose its first call.
    const unaskedMs = Math.max(0, ...open.values()) + UNASKED_MS - performance.now();
    await Promise.race([sleep(Math.max(0, Math.min(graceMs, unaskedMs))), gone]);
    await nextTurn();
    for (const stream of lasting) stream.end();
    for (const socket of unheard) socket.destroy();
    await new Promise<void>((resolve) => grpc.tryShutdown(() => resolve()));
    await gone;
    clearTimeout(late);
    forget();
  };
  let closing: Promise<void> | undefined;
  return {
    address,
    close: (graceMs = 0) => {
      closing ??= end(graceMs);
      return closing;
    },
  };
};
