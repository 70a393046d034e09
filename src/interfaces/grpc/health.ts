import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { ServerUnaryCall, ServerWritableStream, sendUnaryData } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import type { Readiness } from '../wire/index.ts';
import {
  HealthCheckRequestSchema,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from './gen/grpc/health/v1/health_pb.ts';

type Watching = ServerWritableStream<Buffer, Buffer>;

export interface HealthOptions {
  /** Full names of services that are ready when the server is. */
  readonly services: readonly string[];
  readonly ready: () => Readiness;
  /** How often watched services are looked at. */
  readonly everyMs?: number;
}

const answer = (state: ServingStatus): Buffer =>
  Buffer.from(toBinary(HealthCheckResponseSchema, create(HealthCheckResponseSchema, { status: state })));

const serviceOf = (request: Buffer): string => fromBinary(HealthCheckRequestSchema, request).service;

/** `grpc.health.v1.Health`: the same readiness as over HTTP. */
export const createHealthService = ({ services, ready, everyMs = 500 }: HealthOptions) => {
  const known = new Set(['', ...services]);
  const watching = new Map<Watching, ServingStatus>();
  let timer: NodeJS.Timeout | undefined;
  const now = (): ServingStatus => (ready().ready ? ServingStatus.SERVING : ServingStatus.NOT_SERVING);

  const tell = (): void => {
    const state = now();
    for (const [call, told] of watching) {
      // The call of a service that is not here stays open, as the standard has it, and has nothing more to say.
      if (told === state || told === ServingStatus.SERVICE_UNKNOWN) continue;
      watching.set(call, state);
      call.write(answer(state));
    }
  };
  const forget = (call: Watching): void => {
    watching.delete(call);
    if (watching.size === 0) clearInterval(timer);
  };

  return {
    check: (call: ServerUnaryCall<Buffer, Buffer>, send: sendUnaryData<Buffer>): void => {
      let service: string;
      try {
        service = serviceOf(call.request);
      } catch {
        send({ code: status.INVALID_ARGUMENT, details: 'the message is no HealthCheckRequest' });
        return;
      }
      if (known.has(service)) send(null, answer(now()));
      else send({ code: status.NOT_FOUND, details: 'there is no such service here' });
    },
    watch: (call: Watching): void => {
      call.on('error', () => forget(call));
      call.on('cancelled', () => forget(call));
      let service: string;
      try {
        service = serviceOf(call.request);
      } catch {
        call.destroy(
          Object.assign(new Error('the message is no HealthCheckRequest'), { code: status.INVALID_ARGUMENT }),
        );
        return;
      }
      const state = known.has(service) ? now() : ServingStatus.SERVICE_UNKNOWN;
      call.write(answer(state));
      if (watching.size === 0) timer = setInterval(tell, everyMs).unref();
      watching.set(call, state);
    },
    /** Ends what would otherwise be open for ever. */
    end: (): void => {
      clearInterval(timer);
      for (const call of watching.keys()) call.end();
      watching.clear();
    },
  };
};
