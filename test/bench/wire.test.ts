import http from 'node:http';
import http2 from 'node:http2';
import type { AddressInfo, Server } from 'node:net';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { afterEach, expect, test } from 'vitest';
import { source } from '../../bench/measure.ts';
import { todo } from '../../bench/policies/todo.ts';
import { checkResources, readCheckResources } from '../../bench/wire/cerbos.ts';
import { loadGrpc } from '../../bench/wire/grpc-load.ts';
import { load, post, type Received } from '../load/client.ts';

const servers: Server[] = [];

const listen = <S extends Server>(server: S): Promise<number> =>
  new Promise((resolve) => {
    servers.push(server);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

test('the load client reads an answer that comes in chunks', async () => {
  const parts = ['{"text":"', 'ä'.repeat(30_000), '"}'];
  const port = await listen(
    http.createServer((_request, response) => {
      for (const part of parts) response.write(part);
      response.end();
    }),
  );
  const answers: Received[] = [];
  const result = await load({
    port,
    connections: 1,
    request: (n) => (n < 3 ? post('/', '{}') : undefined),
    onAnswer: (answer) => answers.push(answer),
  });
  expect(result).toMatchObject({ answered: 3, unanswered: 0 });
  expect(answers.map(({ head }) => /transfer-encoding: chunked/i.test(head))).toEqual([true, true, true]);
  expect(answers.map(({ body }) => body)).toEqual(Array(3).fill(parts.join('')));
});

/** A gRPC server that gives the request back, or the status that the path names. */
const echo = (): Promise<number> => {
  const server = http2.createServer();
  server.on('stream', (stream, headers) => {
    const status = /\d+$/.exec(String(headers[':path']))?.[0] ?? '0';
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': status, 'grpc-message': 'as asked' }));
      stream.end(Buffer.concat(chunks));
    });
  });
  return listen(server as unknown as Server);
};

test('the gRPC load client asks every question once and gives the response to each', async () => {
  const port = await echo();
  const seen = new Map<number, string>();
  const result = await loadGrpc({
    port,
    connections: 4,
    request: (n) => (n < 20 ? { path: '/test.Echo/Say', message: Buffer.from(`question ${n}`) } : undefined),
    onAnswer: (message, n) => seen.set(n, message.toString()),
  });
  expect(result.answered).toBe(20);
  expect([...seen].filter(([n, text]) => text !== `question ${n}`)).toEqual([]);
  expect(seen.size).toBe(20);
});

test('a gRPC call that fails ends the load with what the server said', async () => {
  const port = await echo();
  const request = () => ({ path: '/test.Echo/Fail/14', message: Buffer.alloc(0) });
  await expect(loadGrpc({ port, connections: 1, request })).rejects.toThrow('gRPC status 14: as asked');
});

test('what Cerbos is asked has a resource for each question, and its effects are read in their order', () => {
  const asked = source(todo, 'batch')(0);
  const { path, message } = checkResources(asked);
  expect(path).toBe('/cerbos.svc.v1.CerbosService/CheckResources');
  for (const { action, resource } of asked.questions) {
    expect(message.includes(action)).toBe(true);
    expect(message.includes(resource.id)).toBe(true);
  }

  const response = new BinaryWriter();
  response.tag(1, WireType.LengthDelimited).string('request');
  for (const effect of [1, 2, 1]) {
    response.tag(2, WireType.LengthDelimited).fork();
    response.tag(1, WireType.LengthDelimited).fork().tag(1, WireType.LengthDelimited).string('todo-7').join();
    response.tag(2, WireType.LengthDelimited).fork();
    response.tag(1, WireType.LengthDelimited).string('can_read_user').tag(2, WireType.Varint).int32(effect);
    response.join().join();
  }
  expect(readCheckResources(response.finish())).toEqual({ permits: [true, false, true] });
});
