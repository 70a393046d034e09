import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import type { AuditReader } from '../../../src/audit/index.ts';
import type { Outcome } from '../../../src/decision/model.ts';
import { append, content, openLog, temporaryDirectory } from '../../audit/builders.ts';
import { type Admin, startAdmin } from './support.ts';

interface Event {
  readonly id?: string;
  readonly event?: string;
  readonly data: { readonly [member: string]: unknown };
}

interface Stream {
  readonly status: number;
  /** The next event; rejects when the stream ends first. */
  next(): Promise<Event>;
  /** Resolves when the connection is at its end. */
  readonly ended: Promise<void>;
  destroy(): void;
}

const eventOf = (text: string): Event | undefined => {
  const fields = new Map(text.split('\n').map((line) => line.split(/: (.*)/s, 2) as [string, string]));
  const data = fields.get('data');
  if (data === undefined) return undefined;
  const [id, event] = [fields.get('id'), fields.get('event')];
  return { ...(id && { id }), ...(event && { event }), data: JSON.parse(data) as Event['data'] };
};

const streamOf = (response: IncomingMessage, sent: ClientRequest): Stream => {
  const events: Event[] = [];
  const waiting: ((event: Event) => void)[] = [];
  let text = '';
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    const parts = text.split('\n\n');
    text = parts.pop() ?? '';
    for (const event of parts.map(eventOf)) {
      if (event === undefined) continue;
      const taker = waiting.shift();
      if (taker === undefined) events.push(event);
      else taker(event);
    }
  });
  response.on('error', () => {});
  return {
    status: response.statusCode ?? 0,
    next: async () => events.shift() ?? (await new Promise((resolve) => waiting.push(resolve))),
    ended: new Promise((resolve) => response.once('close', () => resolve())),
    destroy: () => sent.destroy(),
  };
};

const open = (admin: Admin, token: string, query = '', headers: { readonly [name: string]: string } = {}) =>
  new Promise<Stream>((resolve, reject) => {
    const options = { agent: false, headers: { authorization: `Bearer ${token}`, ...headers } };
    const sent = request(`${admin.server.url}/v1/decisions/tail${query}`, options, (response) =>
      resolve(streamOf(response, sent)),
    );
    sent.on('error', reject);
    onTestFinished(() => void sent.destroy());
    sent.end();
  });

const started = async (wrap: (reader: AuditReader) => AuditReader = (reader) => reader) => {
  const log = await openLog(temporaryDirectory());
  const admin = await startAdmin({ reader: wrap(log.reader) });
  onTestFinished(() => admin.close());
  const add = (outcome: Outcome = 'permit') => append(log, content('{"a":\n1}'), { outcome });
  return { log, admin, add, token: admin.token(['auditor']) };
};

test('records come as they are written, those alone that the filter wants', async () => {
  const { admin, add, token } = await started();
  await add('refuse');
  const stream = await open(admin, token, '?outcome=refuse');
  expect(stream.status).toBe(200);
  await add('permit');
  const id = await add('refuse');
  expect(await stream.next()).toMatchObject({ event: 'decision', data: { decision_id: id, input: { a: 1 } } });
});

test('a stream can begin with the last records, oldest first', async () => {
  const { log, admin, add, token } = await started();
  for (let at = 0; at < 5; at++) await add();
  await log.note({ event: 'activation', by: 'ci', details: {} });
  const stream = await open(admin, token, '?last=3&events=true');
  await add();
  const events = [await stream.next(), await stream.next(), await stream.next(), await stream.next()];
  expect(events.map(({ data }) => data.index)).toEqual([3, 4, 5, 6]);
  expect(events.map(({ event }) => event)).toEqual(['decision', 'decision', 'event', 'decision']);
});

test('after a dropped connection, Last-Event-ID goes on without a gap or a repetition', async () => {
  const { admin, add, token } = await started();
  const first = await open(admin, token);
  await add();
  const { id = '', data } = await first.next();
  expect(data.index).toBe(0);
  first.destroy();
  await add();
  await add();
  const second = await open(admin, token, '', { 'last-event-id': id });
  expect([(await second.next()).data.index, (await second.next()).data.index]).toEqual([1, 2]);
});

test('a reader that is too far behind is told how many records it missed', async () => {
  // As if a hundred thousand records more had been written than there are.
  const { admin, add, token, log } = await started((reader) => ({
    ...reader,
    end: () => reader.end() + 100_000 - 2,
  }));
  await add();
  const id = log.reader.cursorOf(0);
  for (let at = 0; at < 9; at++) await add();
  const stream = await open(admin, token, '', { 'last-event-id': id });
  expect(await stream.next()).toMatchObject({ event: 'gap', data: { missed: 7 } });
  expect((await stream.next()).data.index).toBe(8);
});

test('streams end when the server drains, and say so', async () => {
  const { admin, token } = await started();
  const stream = await open(admin, token);
  admin.server.drain();
  expect(await stream.next()).toEqual({ event: 'end', data: { why: 'the server ends' } });
  await stream.ended;
});

test('a stream ends when its token is revoked', async () => {
  const { admin, token } = await started();
  const stream = await open(admin, token);
  admin.tokens.revoke('t1', 'test');
  expect(await stream.next()).toMatchObject({ event: 'end' });
  await stream.ended;
});

test('a token is needed, its bundles narrow the stream, and bad parameters are refused before it begins', async () => {
  const { admin, add, token } = await started();
  expect(await admin.ask('/v1/decisions/tail')).toMatchObject({ status: 401 });
  expect(await admin.ask('/v1/decisions/tail?outcome=no', { token })).toMatchObject({ status: 400 });
  const bad = await admin.ask('/v1/decisions/tail', { token, headers: { 'last-event-id': 'x' } });
  expect(bad).toMatchObject({ status: 400, body: { code: 'AUDIT_CURSOR_INVALID' } });
  await add();
  const other = await open(admin, admin.token(['auditor'], ['shop']), '?last=10');
  const own = await open(admin, admin.token(['auditor'], ['todo']), '?last=10');
  expect((await own.next()).data.index).toBe(0);
  admin.server.drain();
  expect(await other.next()).toMatchObject({ event: 'end' });
});

test('more streams than there may be are refused, and a stream that ends makes room', async () => {
  const { admin, token } = await started();
  const streams: Stream[] = [];
  for (let at = 0; at < 16; at++) streams.push(await open(admin, token));
  expect((await open(admin, token)).status).toBe(429);
  streams[0]?.destroy();
  await expect.poll(async () => (await open(admin, token)).status).toBe(200);
});
