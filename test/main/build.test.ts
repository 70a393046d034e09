import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { root, temporaryFolder } from '../support/server-process.ts';

// scripts/build.mjs in a checkout of its own, with a compiler that does what a test tells it.
const place = temporaryFolder('build');
const at = (...names: readonly string[]): string => path.join(place.folder, ...names);

afterAll(() => place.remove());

const write = (name: string, text: string): void => {
  mkdirSync(path.dirname(at(name)), { recursive: true });
  writeFileSync(at(name), text);
};

/** `body` runs with `outDir`, where the program belongs, and `fs`; without one no compiler is installed. */
const compiler = (body?: string): void => {
  const name = 'node_modules/@nestjs/cli/bin/nest.js';
  if (body === undefined) rmSync(at(name), { force: true });
  else
    write(
      name,
      `const fs = require('node:fs');
const path = require('node:path');
const config = process.argv[process.argv.indexOf('--path') + 1];
const { compilerOptions } = JSON.parse(fs.readFileSync(config, 'utf8'));
const outDir = path.resolve(path.dirname(config), compilerOptions.outDir);
fs.mkdirSync(outDir, { recursive: true });
${body}`,
    );
};

const COMPILES = `fs.writeFileSync(path.join(outDir, 'main.js'), fs.readFileSync('src/main.ts'));`;

const build = (...argv: readonly string[]) =>
  spawnSync(process.execPath, [at('scripts/build.mjs'), ...argv], { cwd: place.folder, encoding: 'utf8' });

const built = (): string => readFileSync(at('dist/main.js'), 'utf8');

beforeEach(() => {
  for (const name of readdirSync(place.folder)) rmSync(at(name), { recursive: true, force: true });
  for (const name of ['build.mjs', 'stamps.mjs']) cpSync(path.join(root, 'scripts', name), at('scripts', name));
  write('package.json', '{}');
  write('src/main.ts', 'one');
  compiler(COMPILES);
});

test('it builds what is not built, and again when the sources change, and leaves nothing beside', () => {
  expect(build()).toMatchObject({ status: 0, stderr: '' });
  expect(built()).toBe('one');
  compiler('process.exit(9);');
  expect(build().status).toBe(0);
  compiler(COMPILES);
  write('src/main.ts', 'two');
  expect(build().status).toBe(0);
  expect(built()).toBe('two');
  expect(readdirSync(place.folder).filter((name) => name.startsWith('dist'))).toEqual(['dist']);
  expect(readdirSync(at('.cache'))).toEqual([]);
});

test('without a compiler an old program is no success, an up-to-date one is, and so is one without sources', () => {
  compiler();
  expect(build()).toMatchObject({ status: 1, stderr: expect.stringContaining('dist/ is missing, and the compiler') });
  compiler(COMPILES);
  build();
  compiler();
  expect(build().status).toBe(0);
  expect(build('--force').status).toBe(1);
  write('src/main.ts', 'two');
  expect(build()).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('dist/ was not built from the sources that are here, and the compiler'),
  });
  rmSync(at('src'), { recursive: true });
  expect(build().status).toBe(0);
});

test('sources that do not compile leave the program as it was', () => {
  build();
  write('src/main.ts', 'two');
  compiler(`${COMPILES} process.exit(3);`);
  expect(build().status).toBe(3);
  expect(built()).toBe('one');
  expect(readdirSync(place.folder).filter((name) => name.startsWith('dist'))).toEqual(['dist']);
});

test('the program is whole all the while that it is built anew', async () => {
  build();
  write('src/main.ts', 'two');
  compiler(`fs.writeFileSync('compiling', ''); while (!fs.existsSync('go')); ${COMPILES}`);
  const child = spawn(process.execPath, [at('scripts/build.mjs')], { cwd: place.folder, stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await expect.poll(() => existsSync(at('compiling')), { timeout: 20_000 }).toBe(true);
  expect(built()).toBe('one');
  write('go', '');
  expect(await ended).toBe(0);
  expect(built()).toBe('two');
});

test('of two builds of the same sources the second leaves the first as it is', () => {
  // While this one compiles, another build runs from its beginning to its end.
  compiler(`${COMPILES}
if (process.env.INNER === undefined) {
  const argv = [path.resolve('scripts/build.mjs')];
  require('node:child_process').spawnSync(process.execPath, argv, { env: { ...process.env, INNER: '1' } });
  fs.writeFileSync('dist/first', '');
}`);
  expect(build().status).toBe(0);
  expect(built()).toBe('one');
  expect(existsSync(at('dist/first'))).toBe(true);
});
