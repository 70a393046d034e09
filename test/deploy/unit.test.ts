import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/index.ts';
import { root } from '../support/server-process.ts';

const file = path.join(root, 'deploy', 'systemd', 'verdict.service');

/** Keys of the unit with all their values, in order. */
const unit = new Map<string, string[]>();
for (const line of readFileSync(file, 'utf8').split('\n')) {
  const [, key, value] = /^([A-Z]\w+)=(.*)$/.exec(line) ?? [];
  if (key !== undefined) unit.set(key, [...(unit.get(key) ?? []), value ?? '']);
}
const value = (key: string): string => unit.get(key)?.join(' ') ?? '';

const config = loadConfig({ file: path.join(root, 'deploy', 'verdict.yaml'), sets: [], env: {} });

test('its command is one of the program, with a configuration that is accepted', () => {
  const [program, command, ...args] = value('ExecStart').split(' ');
  expect(existsSync(path.join(root, program!.replace('/opt/verdict/', '')))).toBe(true);
  expect(args).toEqual(['--config', '/etc/verdict/verdict.yaml']);
  expect(command).toBe('serve');
});

test('the configuration stores where the unit gives it a folder of its own', () => {
  expect(config.storage.dir).toBe(`/var/lib/${value('StateDirectory')}`);
  expect(value('StateDirectoryMode')).toBe('0700');
  expect(value('ProtectSystem')).toBe('strict');
});

test('it is given the time that it takes to drain', () => {
  const { drainSeconds, graceSeconds } = config.server;
  expect(Number(value('TimeoutStopSec'))).toBeGreaterThan(drainSeconds + graceSeconds);
});

test('it may compile code while it runs, and nothing else that it does not need', () => {
  expect(unit.has('MemoryDenyWriteExecute')).toBe(false);
  expect(value('User')).not.toMatch(/^(root|0|)$/);
  for (const key of ['NoNewPrivileges', 'ProtectHome', 'PrivateTmp', 'PrivateDevices', 'RestrictNamespaces'])
    expect(value(key), key).toBe('yes');
  expect(value('CapabilityBoundingSet')).toBe('');
});
