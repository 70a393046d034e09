import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { type Client, status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import {
  HealthCheckRequestSchema,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../../../src/interfaces/grpc/gen/grpc/health/v1/health_pb.ts';
import {
  type ServerReflectionRequest,
  ServerReflectionRequestSchema,
  type ServerReflectionResponse,
  ServerReflectionResponseSchema,
} from '../../../src/interfaces/grpc/gen/grpc/reflection/v1/reflection_pb.ts';
import { callBytes, startGrpc } from '../../support/decision-grpc.ts';

const asIs = (bytes: Buffer): Buffer => bytes;

const healthRequest = (service: string): Buffer =>
  Buffer.from(toBinary(HealthCheckRequestSchema, create(HealthCheckRequestSchema, { service })));

const check = async (client: Client, service = ''): Promise<number> =>
  fromBinary(HealthCheckResponseSchema, await callBytes(client, '/grpc.health.v1.Health/Check', healthRequest(service)))
    .status;

/** The states that a watch tells, one at a time; undefined at its end. */
const watch = (client: Client, service = '') => {
  const call = client.makeServerStreamRequest('/grpc.health.v1.Health/Watch', asIs, asIs, healthRequest(service));
  const told = call[Symbol.asyncIterator]();
  call.on('error', () => {});
  return {
    next: async (): Promise<number | undefined> => {
      const { done, value } = await told.next();
      return done === true ? undefined : fromBinary(HealthCheckResponseSchema, value as Buffer).status;
    },
    cancel: () => call.cancel(),
  };
};

describe('health', () => {
  test.each(['', 'verdict.v1.Decisions'])('the service %j is as ready as the server', async (service) => {
    const { client, state } = await startGrpc();
    expect(await check(client, service)).toBe(ServingStatus.SERVING);
    state.ready = false;
    expect(await check(client, service)).toBe(ServingStatus.NOT_SERVING);
  });

  test('a service that is not here is not found', async () => {
    const { client } = await startGrpc();
    await expect(check(client, 'no.Service')).rejects.toMatchObject({ code: status.NOT_FOUND });
    const watching = watch(client, 'no.Service');
    expect(await watching.next()).toBe(ServingStatus.SERVICE_UNKNOWN);
    watching.cancel();
  });

  test('who watches hears of every change, and of the end', async () => {
    const { client, state, server } = await startGrpc();
    const watching = watch(client, 'verdict.v1.Decisions');
    expect(await watching.next()).toBe(ServingStatus.SERVING);
    state.ready = false;
    expect(await watching.next()).toBe(ServingStatus.NOT_SERVING);
    state.ready = true;
    expect(await watching.next()).toBe(ServingStatus.SERVING);
    const closed = server.close(10_000);
    expect(await watching.next()).toBeUndefined();
    await closed;
  });

  test('bytes that are no request are refused', async () => {
    const { client } = await startGrpc();
    const broken = callBytes(client, '/grpc.health.v1.Health/Check', Buffer.from([10, 255]));
    await expect(broken).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
  });
});

describe.each(['v1', 'v1alpha'])('reflection %s', (version) => {
  const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;

  const ask = async (
    client: Client,
    messageRequest: ServerReflectionRequest['messageRequest'],
  ): Promise<ServerReflectionResponse['messageResponse']> => {
    const call = client.makeBidiStreamRequest(path, asIs, asIs);
    const message = create(ServerReflectionRequestSchema, { messageRequest });
    call.write(Buffer.from(toBinary(ServerReflectionRequestSchema, message)));
    call.end();
    const answers: ServerReflectionResponse[] = [];
    for await (const bytes of call) answers.push(fromBinary(ServerReflectionResponseSchema, bytes as Buffer));
    expect(answers).toHaveLength(1);
    return (answers[0] as ServerReflectionResponse).messageResponse;
  };

  test('it lists the services', async () => {
    const { client } = await startGrpc({ settings: { reflection: true } });
    const answer = await ask(client, { case: 'listServices', value: '' });
    const names = answer.case === 'listServicesResponse' ? answer.value.service.map(({ name }) => name) : [];
    expect(names).toEqual(['verdict.v1.Decisions', 'grpc.health.v1.Health', 'grpc.reflection.v1.ServerReflection']);
  });

  test.each([
    ['fileContainingSymbol', 'verdict.v1.Decisions'],
    ['fileContainingSymbol', 'verdict.v1.Decisions.Decide'],
    ['fileContainingSymbol', 'verdict.v1.CacheState'],
    ['fileByFilename', 'verdict/v1/decisions.proto'],
  ] as const)('%s %s gives the file and what it imports', async (name, value) => {
    const { client } = await startGrpc({ settings: { reflection: true } });
    const answer = await ask(client, { case: name, value });
    const files = answer.case === 'fileDescriptorResponse' ? answer.value.fileDescriptorProto : [];
    expect(files.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name)).toEqual([
      'verdict/v1/decisions.proto',
      'google/protobuf/struct.proto',
      'google/protobuf/timestamp.proto',
    ]);
  });

  test('what is not here is not found', async () => {
    const { client } = await startGrpc({ settings: { reflection: true } });
    for (const name of ['fileContainingSymbol', 'fileByFilename'] as const) {
      const answer = await ask(client, { case: name, value: 'no.Thing' });
      expect(answer).toMatchObject({ case: 'errorResponse', value: { errorCode: status.NOT_FOUND } });
    }
  });

  test('it is off unless configured', async () => {
    const { client } = await startGrpc();
    const asked = ask(client, { case: 'listServices', value: '' });
    await expect(asked).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
  });
});
