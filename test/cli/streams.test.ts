import { execFileSync, spawn } from 'node:child_process';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { good } from './policies.ts';
import { cli, folderOf } from './run.ts';

const root = path.join(import.meta.dirname, '..', '..');

test('a reader that goes away early is no error', async () => {
  const child = spawn(process.execPath, ['src/main.ts', 'config', 'schema'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.destroy();
  const said = text(child.stderr);
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect(await said).toBe('');
  expect(code).toBe(0);
});

test('a reader of a pipe gets all of a long answer, however late it reads', () => {
  const command = '"$0" src/main.ts eval "numbers.range(1, 60000)" | { head -c 1; sleep 1; cat; }';
  const said = execFileSync('sh', ['-c', command, process.execPath], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 24,
  });
  expect((JSON.parse(said) as readonly number[]).length).toBe(60_000);
});

test('how far long work is stands on stderr of a terminal, and is wiped away at the end', async () => {
  const cwd = folderOf(good);
  const run = await cli(['test', '.'], { cwd, tty: true });
  expect(run.stderr).toMatch(/\.\.\./);
  expect(run.stderr.endsWith('\r\u001b[K')).toBe(true);
  expect(run.stdout).not.toContain('...');
  expect((await cli(['test', '.'], { cwd })).stderr).toBe('');
  expect((await cli(['test', '.', '--output', 'json'], { cwd, tty: true })).stderr).toBe('');
});
