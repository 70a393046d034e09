import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { create, toBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { DecideRequestSchema } from '../../src/interfaces/grpc/gen/verdict/v1/decisions_pb.ts';
import { DECIDE, json, startGrpc } from '../support/decision-grpc.ts';
import { startHttp } from '../support/decision-http.ts';

const GRACE_MS = 60_000;
const QUESTION = 'POST /v0/data/shop/orders/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n42';

const portOf = (url: string): number => Number(new URL(url.includes('//') ? url : `http://${url}`).port);

const connected = async (port: number): Promise<Socket> => {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
};

const textOf = async (socket: Socket): Promise<string> => {
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    text += error.code;
  });
  await once(socket, 'close');
  return text;
};

/** Resolves once nobody listens any more. */
const closedPort = async (port: number): Promise<void> => {
  const taken = await connected(port).catch((error: NodeJS.ErrnoException) => error.code);
  if (taken === 'ECONNREFUSED') return;
  if (typeof taken === 'object') taken.destroy();
  await closedPort(port);
};

/** Connects and asks from another thread, on as many connections, while this one stands still. */
const askMeanwhile = (port: number, connections: number): (() => Promise<readonly string[]>) => {
  const flag = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(
    `const { workerData: { port, connections, question, flag }, parentPort } = require('node:worker_threads');
     let asked = 0;
     const ask = () => new Promise((resolve) => {
       let text = '';
       const socket = require('node:net').connect(port, '127.0.0.1', () => socket.write(question, () => {
         if (++asked === connections) { Atomics.store(flag, 0, 1); Atomics.notify(flag, 0); }
       }));
       socket.on('data', (chunk) => { text += chunk; });
       socket.on('error', (error) => { text += error.code; });
       socket.on('close', () => resolve(text));
     });
     Promise.all(Array.from({ length: connections }, ask)).then((texts) => parentPort.postMessage(texts));`,
    { eval: true, workerData: { port, connections, question: QUESTION, flag } },
  );
  const said = once(worker, 'message') as Promise<[readonly string[]]>;
  Atomics.wait(flag, 0, 0);
  return async () => (await said)[0];
};

const ANSWERED = /^HTTP\/1\.1 200 [\s\S]*\r\nConnection: close\r\n(?:[\s\S]*\r\n)?\r\n42\n?$/;

test('connections that wait to be taken when the drain ends are answered', async () => {
  const { server, state } = await startHttp();
  state.draining = true;
  const answers = askMeanwhile(portOf(server.url), 20);
  const closed = server.close(GRACE_MS);
  for (const answer of await answers()) expect(answer).toMatch(ANSWERED);
  await closed;
});

test('a connection from before the end of the drain is answered when it asks right after', async () => {
  const { server, state } = await startHttp();
  state.draining = true;
  const socket = await connected(portOf(server.url));
  const closed = server.close(GRACE_MS);
  const answer = textOf(socket);
  await closedPort(portOf(server.url));
  socket.write(QUESTION);
  expect(await answer).toMatch(ANSWERED);
  await closed;
});

test('one that never asks does not hold up the end for all of its grace', async () => {
  const { server } = await startHttp();
  const silent = textOf(await connected(portOf(server.url)));
  await server.close(GRACE_MS);
  expect(await silent).toBe('');
});

/** A call on a connection as a gRPC client makes it: asked once the server's settings are there. */
const callOn = async (socket: Socket): Promise<string> => {
  const session = connectHttp2('http://localhost', { createConnection: () => socket });
  await once(session, 'remoteSettings');
  const headers = { ':method': 'POST', ':path': DECIDE, 'content-type': 'application/grpc', te: 'trailers' };
  const stream = session.request(headers);
  const message = toBinary(
    DecideRequestSchema,
    create(DecideRequestSchema, { path: 'shop/orders/echo', input: json('42') }),
  );
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  stream.end(Buffer.concat([prefix, message]));
  stream.resume();
  const [trailers] = (await once(stream, 'trailers')) as [{ readonly 'grpc-status'?: string }];
  session.close();
  return String(trailers['grpc-status']);
};

test('over gRPC, too, a connection from before the end of the drain is answered when it asks right after', async () => {
  const { server, audit } = await startGrpc();
  const [early, late] = [await connected(portOf(server.address)), await connected(portOf(server.address))];
  const closed = server.close(GRACE_MS);
  const first = callOn(early);
  const second = closedPort(portOf(server.address)).then(() => callOn(late));
  expect(await Promise.all([first, second])).toEqual(['0', '0']);
  await closed;
  expect(audit.records).toHaveLength(2);
});
