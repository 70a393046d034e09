import { mkdtempSync, rmSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { type ServiceError, status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { DecideRequestSchema } from '../../../src/interfaces/grpc/gen/verdict/v1/decisions_pb.ts';
import { callBytes, clientFor, DECIDE, json, resultOf, startGrpc } from '../../support/decision-grpc.ts';
import { shop } from '../../support/decision-http.ts';

const asked = { path: 'shop/orders/allow', input: json('{"user":"u1"}') };
const bytes = toBinary(DecideRequestSchema, create(DecideRequestSchema, asked));

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
};

describe('where it listens', () => {
  test.each(['0.0.0.0', '10.1.2.3', 'example.com'])('host %s is refused with a sentence', async (host) => {
    await expect(startGrpc({ settings: { host } })).rejects.toMatchObject({
      code: 'bind_refused',
      message: expect.stringContaining('Set server.grpc.host to 127.0.0.1 or ::1'),
    });
  });

  test('a Unix socket is served', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'verdict-grpc-'));
    try {
      const socket = path.join(folder, 'v.sock');
      const { decide, server, audit } = await startGrpc({ settings: { socket } });
      expect(server.address).toBe(`unix:${socket}`);
      expect(resultOf(await decide(asked))).toBe('true');
      expect(audit.records[0]?.facts.requestedBy).toBe('');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('a port that is taken is said', async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const { port } = holder.address() as { port: number };
    await expect(startGrpc({ settings: { port } })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    holder.close();
  });
});

describe('calls that nobody waits for', () => {
  test('a cancelled call is recorded, and the next one is answered', async () => {
    const { client, decide, audit } = await startGrpc();
    audit.state.holding = true;
    const asIs = (message: Buffer): Buffer => message;
    const call = client.makeUnaryRequest(DECIDE, asIs, asIs, Buffer.from(bytes), () => {});
    await until(() => audit.records.length === 1);
    const gone = new Promise((resolve) => call.on('status', resolve));
    call.cancel();
    expect(await gone).toMatchObject({ code: status.CANCELLED });
    audit.state.holding = false;
    audit.release();
    expect(resultOf(await decide(asked))).toBe('true');
  });

  test('a call past its deadline ends with that', async () => {
    const { client, decide, audit } = await startGrpc();
    audit.state.holding = true;
    const late = callBytes(client, DECIDE, bytes, undefined, 50);
    await expect(late).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
    audit.state.holding = false;
    audit.release();
    expect(resultOf(await decide(asked))).toBe('true');
  });
});

describe('requests that do not come', () => {
  test('half a request ends its call, and the connection goes on', async () => {
    const { client, decide, audit } = await startGrpc({ limits: { requestSeconds: 1 } });
    const asIs = (message: Buffer): Buffer => message;
    const ended = new Promise<ServiceError | null>((resolve) => {
      // A stream of requests, as the client sees it: its end never comes.
      client.makeClientStreamRequest(DECIDE, asIs, asIs, (error) => resolve(error)).write(Buffer.from(bytes));
    });
    expect(await ended).toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      details: 'the request did not come whole within 1 seconds',
    });
    expect(audit.records).toEqual([]);
    expect(resultOf(await decide(asked))).toBe('true');
  });
});

describe('what is no HTTP/2', () => {
  /** All that comes back until the server closes the connection. */
  const say = (address: string, ...parts: readonly (string | Buffer)[]): Promise<string> =>
    new Promise((resolve) => {
      const socket = connect(Number(address.slice(address.lastIndexOf(':') + 1)), '127.0.0.1');
      let got = '';
      socket.on('data', (chunk) => {
        got += chunk.toString('latin1');
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve(got));
      for (const part of parts) socket.write(part);
    });

  test.each([
    ['GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['GET / HTTP/1.0\r\n\r\n'],
    [`POST /v1/data/shop HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n${'x'.repeat(500_000)}`],
  ])('a request of HTTP/1 is answered, and the connection closed', async (request) => {
    const { server, refusals } = await startGrpc();
    const answer = await say(server.address, request);
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer).toMatch(
      /\r\nConnection: close\r\n\r\nthis port speaks gRPC \(HTTP\/2 without TLS\); HTTP\/1\.1 is answered by/,
    );
    expect(refusals).toEqual(['request_malformed']);
  });

  test.each([[Buffer.from([0x16, 3, 1, 0, 5])], ['hello'], ['PRI * HTTP/3.0\r\n\r\n']])(
    'anything else is closed without a word',
    async (bytes) => {
      const { server, refusals } = await startGrpc();
      expect(await say(server.address, bytes)).toBe('');
      expect(refusals).toEqual(['request_malformed']);
    },
  );

  test('who says nothing is closed in time, and soon when the server ends', async () => {
    const { server } = await startGrpc({ limits: { requestSeconds: 1 } });
    expect(await say(server.address)).toBe('');
    const other = await startGrpc();
    const silent = say(other.server.address);
    // Connections are taken in their order: after this call the silent one was.
    await other.decide(asked);
    await other.server.close(60_000);
    expect(await silent).toBe('');
  });
});

describe('the end', () => {
  test('a call on its way is answered, and then the connection is gone', async () => {
    const { decide, server, audit, client } = await startGrpc();
    audit.state.holding = true;
    const pending = decide(asked);
    await until(() => audit.records.length === 1);
    const closed = server.close(10_000);
    audit.release();
    expect(resultOf(await pending)).toBe('true');
    await closed;
    await expect(callBytes(client, DECIDE, bytes)).rejects.toMatchObject({ code: status.UNAVAILABLE });
  });

  test('what does not end in time is cut off', async () => {
    const { client, server, audit } = await startGrpc();
    audit.state.holding = true;
    const pending = callBytes(client, DECIDE, bytes);
    const failed = expect(pending).rejects.toThrow();
    await until(() => audit.records.length === 1);
    await server.close(10);
    await failed;
    audit.release();
    // Half a minute is what the session alone would take.
  }, 20_000);

  test('while draining, calls are still answered', async () => {
    const { decide, state, server } = await startGrpc();
    state.draining = true;
    expect(resultOf(await decide(asked))).toBe('true');
    const other = clientFor(server.address);
    await callBytes(other, DECIDE, bytes);
  });
});

test('an answer that cannot be written is an error, told to operators and hidden from who asked', async () => {
  const { client, policy, grpcWarnings } = await startGrpc();
  policy.activate({ ...shop, rules: {}, data: { text: '{"broken' } });
  const options = { resultAsValue: true };
  const message = toBinary(DecideRequestSchema, create(DecideRequestSchema, { path: 'text', options }));
  await expect(callBytes(client, DECIDE, message)).rejects.toMatchObject({
    code: status.INTERNAL,
    details: 'the request failed unexpectedly',
  });
  expect(grpcWarnings).toHaveLength(1);
});

describe('entries of metadata', () => {
  /** The trailers of a call whose `authorization` entries are these, made without grpc-js, which sends one at most. */
  const callWith = async (address: string, entries: readonly string[]) => {
    const session = connectHttp2(`http://${address}`, { strictSingleValueFields: false } as object);
    const head = [
      ':method',
      'POST',
      ':path',
      DECIDE,
      'content-type',
      'application/grpc',
      'te',
      'trailers',
      'x',
      'authorization',
    ];
    const raw = [...head, ...entries.flatMap((entry) => ['authorization', entry])];
    const stream = session.request(raw as never);
    const ended = new Promise<{ readonly [name: string]: unknown }>((resolve, reject) => {
      stream.on('error', reject);
      // A call that is refused has its trailers as headers.
      let trailers: object = {};
      stream.on('response', (headers) => {
        trailers = headers;
      });
      stream.on('trailers', (headers) => {
        trailers = headers;
      });
      stream.on('end', () => resolve({ ...trailers }));
    });
    const frame = Buffer.alloc(5);
    frame.writeUInt32BE(bytes.length, 1);
    stream.end(Buffer.concat([frame, bytes]));
    stream.resume();
    const { 'grpc-status': grpcStatus, 'verdict-error': error } = await ended;
    session.close();
    return { status: Number(grpcStatus), error };
  };

  test('authorization that came twice is refused, whichever of them is right', async () => {
    const tokens = { vdt_secret: { kind: 'token', name: 'svc', roles: ['ask'] } } as const;
    const { server, audit, refusals } = await startGrpc({ tokens });
    const twice = { status: status.INVALID_ARGUMENT, error: 'header_repeated' };
    expect(await callWith(server.address, ['Bearer vdt_secret', 'Bearer other'])).toEqual(twice);
    expect(await callWith(server.address, ['Bearer vdt_secret', 'Bearer vdt_secret'])).toEqual(twice);
    expect(await callWith(server.address, ['', 'Bearer vdt_secret'])).toEqual(twice);
    expect(refusals).toEqual(['header_repeated', 'header_repeated', 'header_repeated']);
    expect(await callWith(server.address, ['Bearer vdt_secret'])).toEqual({ status: status.OK, error: undefined });
    expect(audit.records.map(({ facts }) => facts.caller.name)).toEqual(['svc']);
  });
});
