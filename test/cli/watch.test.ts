import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { loadConfig } from '../../src/config/index.ts';
import { startServer } from '../../src/server.ts';
import { cli, folderOf, type Run } from './run.ts';

const rule = (value: string): string => `package shop\n\nprice := ${value}\n`;
const tests = 'package shop_test\n\nimport data.shop\n\ntest_price if shop.price > 0\n';

const ports = ['server.http.port=0', 'server.grpc.port=0', 'server.admin.port=0'];
const sets = [...ports, 'server.drainSeconds=0', 'server.graceSeconds=2'];

let cwd: string;
let url: string;
let ending: AbortController;
let running: Promise<Run>;
let said: string;
let listeners: Set<() => void>;

/** Resolves once everything said after `from` has the text; rejects when the server ends before. */
const says = async (pattern: RegExp, from = 0): Promise<RegExpExecArray> => {
  const ended = running.then(({ stderr }) => Promise.reject(new Error(`it ended: ${stderr}`)));
  ended.catch(() => undefined);
  for (;;) {
    const found = pattern.exec(said.slice(from));
    if (found !== null) return found;
    const more = Promise.withResolvers<void>();
    listeners.add(more.resolve);
    await Promise.race([more.promise, ended]);
    listeners.delete(more.resolve);
  }
};

const start = async (...bundles: string[]): Promise<void> => {
  const args = [...sets, `storage.dir=${cwd}/state`, 'observability.logLevel=error'].flatMap((set) => ['--set', set]);
  const named = bundles.flatMap((bundle) => ['--bundle', bundle]);
  running = cli(['serve', '--watch', ...named, ...args], {
    cwd,
    ending: ending.signal,
    startServer: (config, options) => startServer(config as ReturnType<typeof loadConfig>, options),
    onStderr: (text) => {
      said += text;
      for (const listener of listeners) listener();
    },
  });
  url = (await says(/decisions on (http\S+?),? /))[1] ?? '';
};

const write = (file: string, text: string): void => {
  mkdirSync(path.dirname(path.join(cwd, file)), { recursive: true });
  writeFileSync(path.join(cwd, file), text);
};

const ask = async (where: string): Promise<unknown> => {
  const response = await fetch(`${url}/v1/data/${where}`, { method: 'POST', body: '{"input": {}}' });
  return ((await response.json()) as { readonly result?: unknown }).result;
};

beforeEach(() => {
  cwd = folderOf({});
  said = '';
  listeners = new Set();
  ending = new AbortController();
});

afterEach(async () => {
  ending.abort();
  expect(await running).toMatchObject({ code: 0 });
});

test('a change is active, a broken one is shown at its place and changes nothing, and a mended one is active', async () => {
  write('shop/shop.rego', rule('1'));
  write('shop/shop_test.rego', tests);
  await start('shop');
  await says(/bundle shop: version 1 active, 1 test passed/);
  expect(await ask('shop/price')).toBe(1);

  write('shop/shop.rego', rule('2'));
  await says(/bundle shop: version 2 active, 1 test passed/);
  expect(await ask('shop/price')).toBe(2);

  write('shop/shop.rego', rule('nobody'));
  await says(/^shop\/shop\.rego:3:10: var nobody is unsafe .*\n.*price := nobody\n.*\^\n[\s\S]*what was active stays/m);
  expect(await ask('shop/price')).toBe(2);

  write('shop/shop.rego', rule('-3'));
  await says(/shop_test\.rego:5:1: [\s\S]*what was active stays/, said.length);
  expect(await ask('shop/price')).toBe(2);

  write('shop/shop.rego', rule('4'));
  await says(/bundle shop: version 3 active, 1 test passed/);
  expect(await ask('shop/price')).toBe(4);
});

test('a file that comes, one that goes, and a folder that is moved away and made anew are changes as any', async () => {
  write('shop/shop.rego', rule('1'));
  await start('shop');
  await says(/version 1 active, no tests/);

  write('shop/more/more.rego', 'package shop.more\n\nx := 5\n');
  await says(/version 2 active/);
  expect(await ask('shop/more/x')).toBe(5);

  rmSync(path.join(cwd, 'shop/more'), { recursive: true });
  await says(/version 1 active/, said.length);
  expect(await ask('shop/more/x')).toBeUndefined();

  renameSync(path.join(cwd, 'shop'), path.join(cwd, 'away'));
  await says(/bundle shop: shop is not there any more; what was active stays/);
  expect(await ask('shop/price')).toBe(1);

  write('new/shop.rego', rule('7'));
  renameSync(path.join(cwd, 'new'), path.join(cwd, 'shop'));
  await says(/bundle shop: shop is there again/);
  await says(/version 3 active/);
  expect(await ask('shop/price')).toBe(7);

  // As editors save: beside it, and then over it.
  write('shop/.shop.rego.swp', rule('8'));
  renameSync(path.join(cwd, 'shop/.shop.rego.swp'), path.join(cwd, 'shop/shop.rego'));
  await says(/version 4 active/);
  expect(await ask('shop/price')).toBe(8);
});

test('a data file by another name is told when it comes, though nothing changes by it', async () => {
  write('shop/shop.rego', rule('1'));
  await start('shop');
  await says(/version 1 active/);
  write('shop/limits.json', '{}');
  await says(/bundle shop: left out, as OPA loads no such files: limits\.json; data is read from/);
});

test('many saves end in the last one, and a change without effect makes no version', async () => {
  write('shop/shop.rego', rule('0'));
  await start('shop');
  await says(/version 1 active/);
  for (let value = 1; value <= 50; value++) write('shop/shop.rego', rule(String(value)));
  write('shop/README.md', 'nothing');
  for (let from = said.length; (await ask('shop/price')) !== 50; from = said.length)
    await says(/version \d+ active/, from);
  const from = said.length;
  write('shop/shop.rego', rule('50'));
  write('other.rego', 'package other\n');
  // The same files give the same version: the next word is of the change after it.
  write('shop/shop.rego', rule('51'));
  const number = Number((await says(/version (\d+) active/, from))[1]);
  expect(await ask('shop/price')).toBe(51);
  expect(number).toBeLessThan(20);
});

test('a server starts with a broken bundle and takes it when it is mended, with one that refers to it', async () => {
  write('a/a.rego', 'package a\n\nx := data.b.y + 1\n');
  write('b/b.rego', 'package b\n\ny := \n');
  await start('a', 'b');
  await says(/^b\/b\.rego:\d:\d/m);
  expect(await ask('a/x')).toBeUndefined();
  write('b/b.rego', 'package b\n\ny := 1\n');
  await says(/bundle b: version 1 active/);
  expect(await ask('a/x')).toBe(2);

  write('b/b.rego', 'package b\n\nz := 1\n');
  await says(/^a\/a\.rego:3:6: data\.b\.y is provided by no active bundle.*\n.*x := data\.b\.y/m);
  expect(await ask('a/x')).toBe(2);
  // Only both together are whole again.
  write('a/a.rego', 'package a\n\nx := data.b.z + 10\n');
  await says(/bundle b: version 2 active/);
  expect(await ask('a/x')).toBe(11);
});
