import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { defaultArchiveLimits, readArchive } from '../../src/policy/index.ts';
import { broken, good } from './policies.ts';
import { cli, folderOf } from './run.ts';

const root = path.join(import.meta.dirname, '..', '..');

test('a build writes a bundle with sources and module, and says what answers', async () => {
  const cwd = folderOf(Object.fromEntries(Object.entries(good).map(([name, text]) => [`shop/${name}`, text])));
  const { code, stdout } = await cli(['build', 'shop'], { cwd });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^shop\.tar\.gz: \d+ bytes, sha256 [0-9a-f]{64}\n {2}shop\/allow\n$/);
  expect(readdirSync(cwd).sort()).toEqual(['shop', 'shop.tar.gz']);
  const { files } = await readArchive(readFileSync(path.join(cwd, 'shop.tar.gz')), defaultArchiveLimits);
  expect([...files.keys()].sort()).toEqual(['.manifest', 'data.json', 'policy.wasm', 'shop.rego', 'shop_test.rego']);
});

test('the same sources give the same bytes, also when a bundle file is built again', async () => {
  const cwd = folderOf(good);
  const build = async (from: string, out: string): Promise<Buffer> => {
    expect(await cli(['build', from, '-o', out], { cwd })).toMatchObject({ code: 0 });
    return readFileSync(path.join(cwd, out));
  };
  const first = await build('.', 'one.tar.gz');
  expect((await build('one.tar.gz', 'two.tar.gz')).equals(first)).toBe(true);
});

test('entrypoints and revision come from the command line', async () => {
  const cwd = folderOf({ 'a.rego': 'package a\n\nx := 1\n\ny := 2\n' });
  const argv = ['build', '.', '-o', 'a.tar.gz', '-e', 'data.a.y', '--revision', 'r7', '--output', 'json'];
  const run = await cli(argv, { cwd });
  expect(run.json()).toMatchObject({ file: 'a.tar.gz', entrypoints: ['a/y'], builtins: [] });
  const { files } = await readArchive(readFileSync(path.join(cwd, 'a.tar.gz')), defaultArchiveLimits);
  expect(JSON.parse(Buffer.from(files.get('.manifest')!).toString())).toMatchObject({ revision: 'r7' });
});

test('problems are named below the directory that was given, and nothing is written', async () => {
  const cwd = folderOf(Object.fromEntries(Object.entries(broken).map(([name, text]) => [`p/${name}`, text])));
  const { code, stderr } = await cli(['build', 'p'], { cwd });
  expect(code).toBe(3);
  expect(stderr).toContain('p/shop.rego:4:');
  expect(stderr).toContain('p/other/other.rego:3:');
  expect(readdirSync(cwd)).toEqual(['p']);
});

test('a problem is told once, by the name that its file has for who asked', async () => {
  const cwd = folderOf({
    'p/p.rego': 'package p\n\nx := http.send({"method": "get", "url": "http://a"})\n',
    'q/q.rego': 'package q\n\nx := 1\n',
    'q/.manifest': '{"roots": ["other"]}',
  });
  const network = await cli(['build', 'p'], { cwd });
  expect(network.stderr.split('\n')[0]).toMatch(/^p\/p\.rego:3:6: http\.send needs the network/);
  expect(network.stderr.match(/http\.send needs/g)).toHaveLength(1);
  expect(network.code).toBe(0);
  const outside = await cli(['build', 'q'], { cwd });
  expect(outside.stderr).toBe(
    "q/q.rego:1:1: package q lies outside the bundle's roots (other), which .manifest:1:2 names <verdict_roots_error>\n" +
      '  1 | package q\n    | ^\n1 problem\n',
  );
  expect(outside.code).toBe(5);
  const json = (await cli(['build', 'q', '--output', 'json'], { cwd })).json() as { error: { message: string } };
  expect(json.error.message).toBe(
    "q/q.rego:1:1: package q lies outside the bundle's roots (other), which .manifest:1:2 names",
  );
});

test.each([
  [['build', '.'], { 'notes.txt': 'no policy' }, 'there is no Rego and no data'],
  [['build', 'a.tar.gz'], { 'a.tar.gz': 'no archive' }, 'a.tar.gz: not a gzip archive'],
  [['build', '.', '-o', 'no/such/folder/a.tar.gz'], good, 'cannot be written'],
])('%j fails and says why: %#', async (argv, files, message) => {
  const { code, stderr } = await cli(argv, { cwd: folderOf(files) });
  expect(code).toBe(1);
  expect(stderr).toContain(message);
});

test.each([
  [['build', '.', '-e', 'shop/nothing'], good, 'the entrypoint shop/nothing is no rule'],
  [['build', '.'], { ...good, 'data.json': '{"a": 1, "a": 2}' }, 'data.json:1:10: '],
  [['build', '.'], { ...good, '.manifest': '{"roots": [}' }, '.manifest:1:12: '],
])('%j does not compile: %#', async (argv, files, message) => {
  const { code, stderr } = await cli(argv, { cwd: folderOf(files) });
  expect(stderr.startsWith(message), stderr).toBe(true);
  expect(code).toBe(3);
});

test('data where a rule stands is told at both places', async () => {
  const files = { 'b/p.rego': 'package p\n\nallow := true\n', 'b/data.json': '{"p": {"é": "😀", "allow": 1}}' };
  const cwd = folderOf(files);
  const { code, stderr } = await cli(['build', 'b'], { cwd });
  expect(await cli(['check', 'b'], { cwd })).toMatchObject({ code, stderr });
  expect(stderr).toContain('b/p.rego:3:1: conflicting rule for data path p/allow found');
  expect(stderr).toContain('b/data.json:1:18: the data has a value at p/allow, where a rule stands');
  expect(code).toBe(3);
});

const samples = readdirSync(path.join(root, 'policies'));

test('every sample has its bundle, and the start command loads them all', () => {
  expect(readdirSync(path.join(root, 'bundles')).sort()).toEqual(samples.map((name) => `${name}.tar.gz`).sort());
  const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    scripts: { start: string; bundles: string };
  };
  for (const name of samples) {
    expect(scripts.start).toContain(`--bundle bundles/${name}.tar.gz`);
    expect(scripts.bundles).toMatch(new RegExp(`\\b${name}\\b`));
  }
});

test.each(samples)('the bundle of %s that a fresh start loads is the build of its sources', async (name) => {
  const out = path.join(folderOf({}), `${name}.tar.gz`);
  expect(await cli(['build', `policies/${name}`, '-o', out], { cwd: root })).toMatchObject({ code: 0 });
  const isSame = readFileSync(path.join(root, 'bundles', `${name}.tar.gz`)).equals(readFileSync(out));
  expect(isSame, `policies/${name} or the toolchain changed: run npm run bundles`).toBe(true);
});
