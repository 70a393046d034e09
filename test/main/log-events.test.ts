import { closeSync, cpSync, openSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { RunningServer } from '../../src/cli/index.ts';
import { loadConfig } from '../../src/config/index.ts';
import { writeArchive } from '../../src/policy/index.ts';
import { startServer } from '../../src/server.ts';
import { ask } from '../interfaces/admin/support.ts';
import { readLog } from '../support/log-reader.mjs';
import { temporaryFolder } from '../support/server-process.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

let place: ReturnType<typeof temporaryFolder>;
let logFile: number;
const running: RunningServer[] = [];

const folder = (name: string): string => path.join(place.folder, name);

beforeEach(() => {
  place = temporaryFolder('log-events');
  logFile = openSync(folder('log'), 'a');
});
afterEach(async () => {
  for (const server of running.splice(0)) {
    server.stop();
    await server.stopped;
  }
  closeSync(logFile);
  place.remove();
});

const start = async (storage: string, sets: readonly string[] = []): Promise<RunningServer> => {
  const ports = ['server.http.port=0', 'server.grpc.port=0', 'server.admin.port=0', 'server.drainSeconds=0'];
  const config = loadConfig({ sets: [`storage.dir=${folder(storage)}`, ...ports, ...sets], env: {} });
  const server = await startServer(config, { bundles: [], output: { fd: logFile } });
  running.push(server);
  return server;
};

const stop = async (server: RunningServer): Promise<void> => {
  running.splice(running.indexOf(server), 1);
  server.stop();
  await server.stopped;
};

const said = (): string => readFileSync(folder('log'), 'utf8');

/** The events of a log, oldest first, as a reader of its files finds them. */
const events = (storage: string): { event: string; by: string; details: { [member: string]: unknown } }[] =>
  readLog(folder(path.join(storage, 'audit')))
    .records.map(({ record }) => record as never)
    .filter(({ type }: { type: string }) => type === 'event');

const names = (storage: string): string[] => events(storage).map(({ event }) => event);

test('who made and revoked a token, and who pushed what, is in the log', async () => {
  const server = await start('state');
  const token = readFileSync(folder('state/operator-token'), 'utf8').trim();
  const admin = (method: string, where: string, rest: object) =>
    ask(server.urls.admin, where, { method, token, headers: { 'content-type': 'application/json' }, ...rest });
  const wanted = { name: 'ci', roles: ['author'], bundles: ['shop'] };
  const made = await admin('POST', '/v1/tokens', { body: JSON.stringify(wanted) });
  const { secret } = made.body as { secret: string };
  const body = await writeArchive(new Map([['shop.rego', Buffer.from('package shop\n\nallow := true\n')]]));
  const push = { token: secret, headers: { 'content-type': 'application/gzip' }, body };
  expect((await admin('PUT', '/v1/bundles/shop', push)).status).toBe(201);
  // The same files again are no new version.
  expect((await admin('PUT', '/v1/bundles/shop', push)).status).toBe(200);
  for (let twice = 0; twice < 2; twice++)
    expect((await admin('DELETE', '/v1/tokens/ci', { headers: {} })).status).toBe(200);
  await stop(server);
  expect(events('state')).toMatchObject([
    { event: 'start', by: 'server' },
    { event: 'token_create', by: 'server', details: { name: 'operator' } },
    { event: 'token_create', by: 'operator', details: wanted },
    { event: 'push', by: 'ci', details: { bundle: 'shop', version: 1, digest: expect.any(String) } },
    { event: 'token_revoke', by: 'operator', details: { name: 'ci' } },
    { event: 'stop', by: 'server' },
  ]);
  const text = JSON.stringify(events('state'));
  expect(text).not.toContain(secret);
});

test('a start after a clean stop says nothing of the one before; a failed start is a clean one', async () => {
  await stop(await start('state'));
  await expect(start('state', ['policy.bundles=[{name: a, path: /nowhere}]'])).rejects.toThrow();
  await stop(await start('state'));
  expect(said()).not.toContain('cleanly');
  const starts = events('state').filter(({ event }) => event === 'start');
  expect(starts.map(({ details }) => Object.keys(details))).toEqual([['version'], ['version'], ['version']]);
  expect(names('state')).toEqual(['start', 'token_create', 'stop', 'start', 'stop', 'start', 'stop']);
});

test('a copy of a running folder opens beside the original, and says what it is', async () => {
  await start('state');
  cpSync(folder('state'), folder('copy'), { recursive: true });
  const copy = await start('copy');
  expect(said()).toMatch(/copy\/audit is a copy of \S+state\/audit, which a process writes/);
  expect(said()).toContain('the process before this one did not end cleanly');
  await expect(start('state')).rejects.toMatchObject({ code: 'AUDIT_UNUSABLE' });
  await expect(start('copy')).rejects.toMatchObject({ code: 'AUDIT_UNUSABLE' });
  await stop(copy);
  expect(events('copy').at(-2)).toMatchObject({ event: 'start', details: { unclean: true } });
});

test('what a start found wrong stands in its record, so that a restart hides nothing', async () => {
  await stop(await start('state'));
  rmSync(folder('state/audit/0000000000000000.seg'));
  await stop(await start('state'));
  expect(said()).toMatch(/records 0 to 2 are missing: they were written/);
  expect(events('state').at(0)).toMatchObject({ event: 'start', index: 3, details: { missing: 3 } });
});

test('a log that was emptied is told by the first record of the one that follows', async () => {
  await stop(await start('state'));
  rmSync(folder('state/audit'), { recursive: true });
  await stop(await start('state'));
  expect(events('state').at(0)).toMatchObject({ details: { former: { origin: expect.any(String), records: 3 } } });
});
