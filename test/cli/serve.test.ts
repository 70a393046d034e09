import path from 'node:path';
import { expect, test } from 'vitest';
import type { BundleArgument, RunningServer } from '../../src/cli/index.ts';
import { loadConfig } from '../../src/config/index.ts';
import { startServer } from '../../src/server.ts';
import { good } from './policies.ts';
import { cli, folderOf } from './run.ts';

const inShop = Object.fromEntries(Object.entries(good).map(([name, text]) => [`shop/${name}`, text]));

/** A start that tells what it was given and ends at once. */
const recordingStart = () => {
  const seen: { bundles?: readonly BundleArgument[]; stops: number } = { stops: 0 };
  const end = Promise.withResolvers<void>();
  const start = async (_: unknown, { bundles }: { bundles: readonly BundleArgument[] }): Promise<RunningServer> => {
    seen.bundles = bundles;
    return {
      urls: { http: 'http://127.0.0.1:8181', admin: 'http://127.0.0.1:8282' },
      addBundles: () => Promise.reject(new Error('nothing is watched here')),
      stop: () => {
        seen.stops += 1;
        end.resolve();
      },
      stopped: end.promise,
    };
  };
  return { seen, start };
};

test('a server answers until the process is asked to end, and then ends with 0', async () => {
  const cwd = folderOf(inShop);
  const ending = new AbortController();
  const started = Promise.withResolvers<string>();
  const ports = ['server.http.port=0', 'server.grpc.port=0', 'server.admin.port=0'];
  const sets = [...ports, 'server.drainSeconds=0', 'server.graceSeconds=2'];
  const argv = ['serve', '--bundle', 'shop', ...sets.flatMap((set) => ['--set', set])];
  const running = cli([...argv, '--set', `storage.dir=${cwd}/state`, '--set', 'observability.logLevel=error'], {
    cwd,
    ending: ending.signal,
    startServer: (config, options) => startServer(config as ReturnType<typeof loadConfig>, options),
    onStderr: (text) => {
      const url = /decisions on (\S+),? /.exec(text)?.[1];
      if (url !== undefined) started.resolve(url);
    },
  });
  const url = await Promise.race([started.promise, running.then(({ stderr }) => Promise.reject(new Error(stderr)))]);
  const answer = await fetch(`${url}/v1/data/shop/allow`, { method: 'POST', body: '{"input": {"user": "alice"}}' });
  expect(await answer.json()).toMatchObject({ result: true });
  ending.abort();
  expect(await running).toMatchObject({ code: 0, stdout: '' });
});

test('a bundle is named after the last part of its path, or before the equals sign', async () => {
  const cwd = folderOf({ ...inShop, 'build/other.tar.gz': 'x', 'odd=name/a.rego': 'package a\n' });
  const { seen, start } = recordingStart();
  const ending = AbortSignal.abort();
  const bundles = ['shop/', 'build/other.tar.gz', 'mine=shop'].flatMap((bundle) => ['--bundle', bundle]);
  const { code, stderr } = await cli(['serve', ...bundles], { cwd, ending, startServer: start });
  expect(code).toBe(0);
  expect(stderr).toContain('decisions on http://127.0.0.1:8181, admin on http://127.0.0.1:8282');
  expect(seen.bundles).toEqual([
    { name: 'shop', path: path.join(cwd, 'shop') },
    { name: 'other', path: path.join(cwd, 'build/other.tar.gz') },
    { name: 'mine', path: path.join(cwd, 'shop') },
  ]);
  expect(seen.stops).toBe(1);
});

test.each([
  [['serve', '--bundle', 'nowhere'], 1, 'nowhere is not there'],
  [['serve', '--bundle', 'a=nowhere'], 1, 'nowhere is not there'],
  [['serve', '--bundle', 'Shop'], 2, "a bundle's name"],
])('%j is refused before anything starts', async (argv, code, message) => {
  const { seen, start } = recordingStart();
  const run = await cli(argv, { cwd: folderOf({ 'Shop/a.rego': 'package a\n' }), startServer: start });
  expect(run.stderr).toContain(message);
  expect(run.code).toBe(code);
  expect(seen.bundles).toBeUndefined();
});

test('a bundle that does not compile keeps the server from starting, with its places', async () => {
  const cwd = folderOf({ 'p/a.rego': 'package a\n\nallow if nobody == 1\n' });
  const { code, stderr } = await cli(
    ['serve', '--bundle', 'p', '--set', `storage.dir=${cwd}/state`, '--set', 'observability.logLevel=error'],
    { cwd, startServer: (config, options) => startServer(config as ReturnType<typeof loadConfig>, options) },
  );
  expect(code).toBe(3);
  expect(stderr).toMatch(/^p\/a\.rego:3:\d+: /m);
  expect(stderr).toContain('var nobody is unsafe');
});

test('any other command is given up when the process is asked to end', async () => {
  const { code, stderr } = await cli(['check', '.'], { cwd: folderOf(good), ending: AbortSignal.abort() });
  expect(code).toBe(1);
  expect(stderr).toBe('verdict: interrupted\n');
});
