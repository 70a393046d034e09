import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/index.ts';
import { freePort, root, temporaryFolder } from '../support/server-process.ts';
import { image, only, stages } from './dockerfile.ts';

// The image without Docker: its files as the Dockerfile copies them, its commands as it gives them, in a folder.
const place = temporaryFolder('image');
const app = path.join(place.folder, 'app');
const state = path.join(place.folder, 'state');

const environment = Object.fromEntries(
  only('ENV')
    .text.split(' ')
    .map((pair): [string, string] => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
);

const json = (text: string): string[] => JSON.parse(text.replace(/^CMD /, '')) as string[];

/** A command line of the image, in the folder: its Node, its program, its state. */
const inFolder = (argv: readonly string[]): string[] =>
  argv.map((word) => (word === '/nodejs/bin/node' ? process.execPath : word.replace(/^\/app\//, `${app}/`)));

const copyImage = (): void => {
  for (const { name, flags, text } of image()) {
    if (name !== 'COPY') continue;
    const words = text.split(' ');
    const target = words.pop() ?? '';
    if (!target.startsWith('/app/')) continue;
    for (const source of words) {
      const from = path.join(root, source.replace(/^\/app\//, ''));
      const to = path.join(app, target.slice('/app/'.length), target.endsWith('/') ? path.basename(source) : '');
      mkdirSync(path.dirname(to), { recursive: true });
      if (source.endsWith('node_modules')) symlinkSync(from, to);
      else cpSync(from, to, { recursive: true });
    }
    expect(flags.every((flag) => flag.startsWith('--from='))).toBe(true);
  }
};

let ports: { readonly http: number; readonly admin: number };
let server: ChildProcess | undefined;

const around = (): NodeJS.ProcessEnv => ({
  ...environment,
  VERDICT_STORAGE__DIR: state,
  VERDICT_SERVER__HTTP__PORT: String(ports.http),
  VERDICT_SERVER__GRPC__PORT: '0',
  VERDICT_SERVER__ADMIN__PORT: String(ports.admin),
  VERDICT_SERVER__DRAIN_SECONDS: '0',
});

const entrypoint = inFolder(json(only('ENTRYPOINT').text));

const run = (argv: readonly string[]) =>
  spawnSync(argv[0]!, argv.slice(1), { cwd: place.folder, env: around(), encoding: 'utf8', timeout: 60_000 });

const verdict = (...args: string[]) => run([...entrypoint, ...args]);

const start = async (): Promise<ChildProcess> => {
  const [node, ...args] = [...entrypoint, ...json(only('CMD').text)];
  const child = spawn(node!, args, { cwd: place.folder, env: around(), stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  server = child;
  await expect.poll(() => errors, { timeout: 60_000 }).toContain('live, but not ready');
  return child;
};

beforeAll(async () => {
  const built = spawnSync(process.execPath, [path.join(root, 'scripts', 'build.mjs')], { encoding: 'utf8' });
  expect(built.status, built.stderr).toBe(0);
  copyImage();
  chmodSync(app, 0o500);
  ports = { http: await freePort(), admin: await freePort() };
}, 180_000);

afterAll(() => {
  server?.kill('SIGKILL');
  chmodSync(app, 0o700);
  place.remove();
});

test('what it copies is all that a server needs: it starts, compiles a push, decides, and ends on SIGTERM', async () => {
  const child = await start();
  const pushed = verdict('push', 'todo', path.join(root, 'policies', 'todo'), '--activate');
  expect(pushed.stderr).toBe('');
  expect(pushed.stdout).toContain('todo@1 pushed, active');
  const asked = verdict('eval', 'todo/decision', '--server', `http://127.0.0.1:${ports.http}`);
  expect(asked.status, asked.stderr).toBe(0);
  const health = inFolder(json(only('HEALTHCHECK').text));
  expect(run(health)).toMatchObject({ status: 0, stdout: `http://127.0.0.1:${ports.http} is live\n` });
  expect(verdict('healthcheck', '--ready')).toMatchObject({ status: 0 });
  const ended = new Promise((resolve) => child.once('exit', (code) => resolve(code)));
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect(run(health)).toMatchObject({ status: 1, stdout: '' });
}, 180_000);

test('its environment is configuration that is accepted, and its volume is the only folder that is written', () => {
  const config = loadConfig({ sets: [], env: environment });
  const volume = JSON.parse(only('VOLUME').text) as string[];
  expect(volume).toEqual([config.storage.dir]);
  const made = image().filter(({ name, text }) => name === 'COPY' && text.endsWith(` ${config.storage.dir}`));
  expect(made.map(({ flags }) => flags)).toEqual([
    ['--from=dependencies', `--chown=${only('USER').text}`, '--chmod=0700'],
  ]);
});

test('it runs as a user with a number and not root, on the ports and with the heap flags of the program', () => {
  expect(only('USER').text).toMatch(/^[1-9]\d*:[1-9]\d*$/);
  const { http, grpc, admin } = loadConfig({ sets: [], env: {} }).server;
  expect(only('EXPOSE').text).toBe(`${http.port} ${grpc.port} ${admin.port}`);
  const flags = json(only('ENTRYPOINT').text).filter((word) => word.startsWith('--'));
  for (const file of ['bin/verdict', 'package.json'])
    expect(readFileSync(path.join(root, file), 'utf8')).toContain(flags.join(' '));
});

test('what the build copies exists, and .dockerignore lets it through and nothing else', () => {
  const allowed = readFileSync(path.join(root, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1));
  const copied = stages()
    .flat()
    .filter(({ name, flags }) => name === 'COPY' && !flags.some((flag) => flag.startsWith('--from=')))
    .flatMap(({ text }) => text.split(' ').slice(0, -1));
  expect(copied.filter((file) => !existsSync(path.join(root, file)))).toEqual([]);
  expect([...new Set(copied)].sort()).toEqual(allowed.sort());
});

test('it is built for the Node that the project is pinned to', () => {
  const { optionalDependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    optionalDependencies: { readonly [name: string]: string };
  };
  const [major] = Object.values(optionalDependencies)[0]!.split('.');
  const dockerfile = readFileSync(path.join(root, 'deploy', 'Dockerfile'), 'utf8');
  expect(dockerfile).toContain(`ARG BUILD=node:${major}-`);
  expect(dockerfile).toContain(`ARG RUNTIME=gcr.io/distroless/nodejs${major}-`);
});
