import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { defaultHttpSettings, httpSchema } from '../../../src/interfaces/http/index.ts';
import { gives } from '../../support/decision.ts';
import { startHttp } from '../../support/decision-http.ts';

const PATH = '/v1/data/shop/orders/allow';
const BODY = '{"input":{"user":"u1"}}';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'verdict-http-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('where it listens', () => {
  test.each(['0.0.0.0', '::', '10.1.2.3', 'example.com', '', '127.0.0.1.evil.example'])(
    'host %j is refused with a sentence that says what to set',
    async (host) => {
      await expect(startHttp({ settings: { host } })).rejects.toMatchObject({
        code: 'bind_refused',
        message: expect.stringContaining('Set server.http.host to 127.0.0.1 or ::1'),
      });
    },
  );

  test.each(['127.0.0.1', 'localhost', '127.0.0.2'])('host %s is served', async (host) => {
    const { server, call } = await startHttp({ settings: { host } });
    expect(server.url).toMatch(/^http:\/\/(127\.0\.0\.[12]|\[::1\]):\d+$/);
    expect(await call(PATH, { body: BODY })).toMatchObject({ status: 200 });
  });

  test('a Unix socket is served, whatever the Host', async () => {
    const socket = path.join(dir, 'v.sock');
    const { server, call, audit } = await startHttp({ settings: { socket } });
    expect(server.url).toBe(`unix:${socket}`);
    expect(await call(PATH, { body: BODY, headers: { Host: 'anything' } })).toMatchObject({ status: 200 });
    expect(audit.records[0]?.facts.requestedBy).toBe('');
  });

  test('a socket file that a dead process left is taken over, one that is served is not', async () => {
    const socket = path.join(dir, 'v.sock');
    const first = await startHttp({ settings: { socket } });
    await expect(startHttp({ settings: { socket } })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect(await first.call(PATH, { body: BODY })).toMatchObject({ status: 200 });
    await first.server.close();
    // A file without a listener: made by a server in a process that was killed.
    const { spawnSync } = await import('node:child_process');
    const script = `require('net').createServer().listen(${JSON.stringify(socket)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', script]);
    const second = await startHttp({ settings: { socket } });
    expect(await second.call(PATH, { body: BODY })).toMatchObject({ status: 200 });
  });

  test('a port that is taken is said', async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const { port } = holder.address() as { port: number };
    await expect(startHttp({ settings: { port } })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await new Promise((resolve) => holder.close(resolve));
  });
});

test('a client that does not take its answer is cut off when it stood idle', { timeout: 30_000 }, async () => {
  const { server, policy } = await startHttp({ limits: { idleSeconds: 1 } });
  policy.activate({ name: 'large', rules: { large: gives(`"${'x'.repeat(30_000_000)}"`) } });
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1').pause();
  socket.write('GET /v1/data/large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  await new Promise((resolve) => setTimeout(resolve, 4_000));
  let taken = 0;
  socket.on('data', (chunk) => {
    taken += chunk.length;
  });
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.resume();
  await closed;
  expect(taken).toBeLessThan(30_000_000);
});

describe('closing', () => {
  test('a request under way is answered, and then nobody is', async () => {
    const { server, call, audit } = await startHttp();
    audit.state.holding = true;
    const late = call(PATH, { body: BODY });
    while (audit.records.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const closed = server.close(10_000);
    audit.release();
    expect(await late).toMatchObject({ status: 200 });
    await closed;
    await expect(call(PATH, { body: BODY })).rejects.toThrow();
  });

  test('an answer on its way is taken whole, by a slow client too', async () => {
    const { server, policy } = await startHttp();
    policy.activate({ name: 'large', rules: { large: gives(`"${'x'.repeat(30_000_000)}"`) } });
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    const idle = connect(Number(new URL(server.url).port), '127.0.0.1');
    socket.write('GET /v1/data/large HTTP/1.1\r\nHost: localhost\r\n\r\n');
    let taken = 0;
    socket.on('data', (chunk) => {
      taken += chunk.length;
    });
    await new Promise((resolve) => socket.once('data', resolve));
    socket.pause();
    const ended = new Promise((resolve) => socket.on('close', resolve));
    const closed = server.close(10_000);
    await new Promise((resolve) => setTimeout(resolve, 100));
    socket.resume();
    await Promise.all([closed, ended]);
    expect(taken).toBeGreaterThan(30_000_000);
    idle.destroy();
  });

  test('what is still open after the grace is cut off', async () => {
    const { server, raw } = await startHttp();
    const idle = raw('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n');
    await new Promise((resolve) => setTimeout(resolve, 20));
    await server.close(1);
    expect(await idle).toBe('');
  });

  test('closing twice is closing once', async () => {
    const { server } = await startHttp();
    await Promise.all([server.close(), server.close(5)]);
  });
});

test('the schema of the section names every setting, with a default and a description', () => {
  const { properties } = httpSchema;
  expect(Object.keys(properties)).toEqual(Object.keys(defaultHttpSettings));
  expect(Object.keys(properties.limits.properties)).toEqual(Object.keys(defaultHttpSettings.limits));
  const described = [...Object.values(properties), ...Object.values(properties.limits.properties)];
  for (const property of described) expect(property.description.length).toBeGreaterThan(20);
});
