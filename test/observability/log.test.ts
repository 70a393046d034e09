import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Log, type ObservabilitySettings, openLog } from '../../src/observability/index.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'verdict-log-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const written = async (settings: Partial<ObservabilitySettings>, work: (log: Log) => void, isTTY = false) => {
  const file = path.join(dir, 'log');
  const fd = openSync(file, 'w');
  const { log, flush } = openLog({ logLevel: 'info', logFormat: 'auto', ...settings }, { fd, isTTY });
  work(log);
  // Lines for people pass through a stream of their own; every test here writes one line at least.
  while (readFileSync(file).length === 0) await sleep(5);
  flush();
  closeSync(fd);
  return readFileSync(file, 'utf8');
};

test('a line is one JSON object with its level, time and sentence', async () => {
  const text = await written({}, (log) => log.info({ bundle: 'todo' }, 'activated'));
  const line = JSON.parse(text) as Record<string, unknown>;
  expect(line).toMatchObject({ level: 'info', bundle: 'todo', msg: 'activated' });
  expect(new Date(String(line.time)).toISOString()).toBe(line.time);
});

test('on a terminal lines are for people', async () => {
  const text = await written({}, (log) => log.warn({ bundle: 'todo' }, 'activated'), true);
  expect(text).toMatch(/WARN.*activated/);
  expect(() => JSON.parse(text)).toThrow();
});

test('the format that was set wins over the terminal', async () => {
  expect(await written({ logFormat: 'json' }, (log) => log.info('hello'), true)).toMatch(/^\{/);
  expect(await written({ logFormat: 'pretty' }, (log) => log.info('hello'), false)).not.toMatch(/^\{/);
});

test('what is below the level is not written', async () => {
  const text = await written({ logLevel: 'warn' }, (log) => {
    log.info('quiet');
    log.warn('loud');
  });
  expect(text).not.toContain('quiet');
  expect(text).toContain('loud');
});

test.each(['json', 'pretty'] as const)('credentials and inputs do not reach a %s line', async (logFormat) => {
  const text = await written({ logFormat }, (log) => {
    log.info({ token: 'vdt_1', authorization: 'vdt_2', input: 'vdt_3', body: 'vdt_4' }, 'top');
    log.info({ headers: { authorization: 'vdt_5', cookie: 'vdt_6' } }, 'below');
    log.info({ request: { headers: { authorization: 'vdt_7' }, input: { password: 'vdt_8' } } }, 'further below');
  });
  expect(text).not.toContain('vdt_');
  expect(text.match(/\[hidden\]/g)?.length).toBeGreaterThanOrEqual(8);
});
