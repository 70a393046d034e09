import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { goodPolicy } from './policies.ts';
import { cli, folderOf } from './run.ts';

const untidy = 'package a\nallow if   input.x==1\n\n\n\ndeny if input.x == 2\n';
const tidy = 'package a\n\nallow if input.x == 1\n\ndeny if input.x == 2\n';

test('stdin is formatted to stdout', async () => {
  expect(await cli(['fmt', '-'], { stdin: untidy })).toMatchObject({ code: 0, stdout: tidy, stderr: '' });
});

test('--write changes what is untidy, names it, and leaves the rest alone', async () => {
  const cwd = folderOf({ 'p/a.rego': untidy, 'p/b.rego': goodPolicy });
  expect(await cli(['fmt', '--write', 'p'], { cwd })).toMatchObject({ code: 0, stdout: 'p/a.rego\n' });
  expect(readFileSync(path.join(cwd, 'p/a.rego'), 'utf8')).toBe(tidy);
  expect(readFileSync(path.join(cwd, 'p/b.rego'), 'utf8')).toBe(goodPolicy);
  expect(await cli(['fmt', '--write', 'p'], { cwd })).toMatchObject({ code: 0, stdout: '' });
});

test('--check names what is untidy, changes nothing, and fails', async () => {
  const cwd = folderOf({ 'a.rego': untidy, 'b.rego': goodPolicy });
  expect(await cli(['fmt', '--check', '.'], { cwd })).toMatchObject({ code: 1, stdout: 'a.rego\n' });
  expect(readFileSync(path.join(cwd, 'a.rego'), 'utf8')).toBe(untidy);
  expect(await cli(['fmt', '--check', 'b.rego'], { cwd })).toMatchObject({ code: 0, stdout: '' });
  const run = await cli(['fmt', '--check', '.', '--output', 'json'], { cwd });
  expect(run.json()).toEqual({ unformatted: ['a.rego'] });
});

test('--diff shows what would change', async () => {
  const { code, stdout } = await cli(['fmt', '--diff', 'a.rego'], { cwd: folderOf({ 'a.rego': untidy }) });
  expect(code).toBe(1);
  expect(stdout.split('\n').slice(0, 3)).toEqual(['--- a.rego', '+++ a.rego (formatted)', '@@ -1,6 +1,5 @@']);
  expect(stdout).toContain('-allow if   input.x==1\n');
  expect(stdout).toContain('+allow if input.x == 1\n');
});

test('files that do not parse are named, all of them, and none is written', async () => {
  const cwd = folderOf({ 'a.rego': untidy, 'b.rego': 'package b\n\nx := {\n', 'c.rego': 'package c\n\ny := [\n' });
  const { code, stderr } = await cli(['fmt', '--write', '.'], { cwd });
  expect(code).toBe(3);
  expect(stderr).toMatch(/^b\.rego:\d+:\d+: /m);
  expect(stderr).toMatch(/^c\.rego:\d+:\d+: /m);
  expect(readFileSync(path.join(cwd, 'a.rego'), 'utf8')).toBe(untidy);
});
