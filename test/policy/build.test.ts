import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { BuildOptions } from '../../src/policy/index.ts';
import { buildBundle, defaultArchiveLimits, PolicyError, readArchive, readDirectory } from '../../src/policy/index.ts';
import type { Contents } from './archives.ts';
import { filesOf } from './archives.ts';
import { testToolchain } from './stores.ts';

const toolchain = testToolchain();

afterAll(() => toolchain.close());

const build = (contents: Contents, options: Partial<BuildOptions> = {}) =>
  buildBundle(filesOf(contents), { toolchain, ...options });

const refusal = async (contents: Contents, options: Partial<BuildOptions> = {}): Promise<PolicyError> => {
  const found: unknown = await build(contents, options).catch((error: unknown) => error);
  if (found instanceof PolicyError) return found;
  throw found instanceof Error ? found : new Error('the bundle was built');
};

const todo: Contents = {
  'todo/todo.rego':
    'package todo\n\nallow if input.user in data.todo.users\n\ndouble(x) := x * 2\n\nfour := double(2)\n',
  'todo/data.json': '{"users": ["u1"], "big": 12345678901234567890}',
  'todo/todo_test.rego': 'package todo_test\n\ntest_four if data.todo.four == 4\n',
};

test('every rule and package is an entrypoint, functions and tests are none', async () => {
  const { entrypoints, info, manifest, notes } = await build(todo);
  expect(entrypoints).toEqual(['todo', 'todo/allow', 'todo/four']);
  expect(info).toMatchObject({ named: false, rules: ['todo/allow', 'todo/four'] });
  expect(manifest.roots).toEqual(['todo', 'todo_test']);
  expect(notes).toContain('the bundle names no roots: it owns todo, todo_test');
});

test('paths above packages are entrypoints too, as far as the bundle owns them', async () => {
  const app = { 'a.rego': 'package app.a\nx := 1\n', 'b.rego': 'package app.b.c\ny := 2\n' };
  const owned = await build({ ...app, '.manifest': '{"roots": ["app"]}' });
  expect(owned.entrypoints).toEqual(['app', 'app/a', 'app/a/x', 'app/b', 'app/b/c', 'app/b/c/y']);
  const parts = await build({ ...app, '.manifest': '{"roots": ["app/a", "app/b"]}' });
  expect(parts.entrypoints).toEqual(['app/a', 'app/a/x', 'app/b', 'app/b/c', 'app/b/c/y']);
});

test('the archive holds the sources whole, tests too, with the module and what it was made by', async () => {
  const { archive } = await build(todo, { revision: 'r1' });
  const { files } = await readArchive(archive, defaultArchiveLimits);
  expect([...files.keys()]).toEqual(['.manifest', 'policy.wasm', ...Object.keys(todo).sort()]);
  for (const [name, content] of Object.entries(todo)) expect(Buffer.from(files.get(name)!).toString()).toBe(content);
  const manifest = JSON.parse(Buffer.from(files.get('.manifest')!).toString());
  expect(manifest).toMatchObject({ revision: 'r1', roots: ['todo', 'todo_test'], rego_version: 1 });
  expect(manifest.metadata.verdict).toMatchObject({
    compiler: { opa: toolchain.version.opa, toolchain: toolchain.version.digest },
    entrypoints: ['todo', 'todo/allow', 'todo/four'],
    sources: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  // An OPA without a Wasm engine refuses to start with such a member.
  expect(manifest).not.toHaveProperty('wasm');
});

test('the same sources give the same bytes, and so does building the result again', async () => {
  const one = await build(todo);
  const other = await build(Object.fromEntries(Object.entries(todo).reverse()));
  const again = await buildBundle(await readArchive(one.archive, defaultArchiveLimits), { toolchain });
  expect(Buffer.compare(one.archive, other.archive)).toBe(0);
  expect(Buffer.compare(one.archive, again.archive)).toBe(0);
});

test('metadata of the author stays, numbers as they were written', async () => {
  const metadata = '{"team":"a","n":1.50,"verdict":{"sequence":12345678901234567890}}';
  const { files } = await build({ ...todo, '.manifest': `{"revision":"r","metadata":${metadata}}` });
  const text = Buffer.from(files.get('.manifest')!).toString();
  expect(text).toContain('"n":1.50,"team":"a"');
  expect(text).toContain('"sequence":12345678901234567890');
});

test('named entrypoints stand alone: by argument, by manifest, by METADATA', async () => {
  const marked = { 'a.rego': 'package a\n\n# METADATA\n# entrypoint: true\nx := 1\n\ny := 2\n' };
  expect(await build(marked)).toMatchObject({ entrypoints: ['a/x'], info: { named: true } });
  const manifest = '{"metadata": {"verdict": {"entrypoints": ["a/y"]}}}';
  expect((await build({ ...marked, '.manifest': manifest })).entrypoints).toEqual(['a/y']);
  expect((await build(marked, { entrypoints: ['a'] })).entrypoints).toEqual(['a']);
  expect(await refusal(marked, { entrypoints: ['a/z'] })).toMatchObject({ code: 'MANIFEST_INVALID' });
});

test('what METADATA says of results, time to live and AuthZEN is kept in the manifest', async () => {
  const text = `package a

# METADATA
# custom:
#   verdict: result
#   cache: {ttl: 1m30s}
#   authzen: {evaluation: true}
decision := {"allow": true}
`;
  expect((await build({ 'a.rego': text })).info.annotations).toEqual([
    { path: 'a/decision', scope: 'rule', isResult: true, ttlMs: 90_000, authzen: { evaluation: true } },
  ]);
});

test.each([
  ['a parse error', 'package a\n\nx := \n', 'REGO_INVALID', /^a\.rego:\d:\d: /],
  ['an unsafe variable', 'package a\n\nx := y\n', 'REGO_INVALID', /^a\.rego:3:\d+: /],
  [
    'an unknown builtin',
    'package a\n\nx := nothing.of_this(1)\n',
    'REGO_INVALID',
    /^a\.rego:3:\d+: .*undefined function/,
  ],
  [
    'a reference to verdict',
    'package a\n\nx := data.verdict.authz\n',
    'REFERENCE_OUTSIDE_ROOTS',
    /^a\.rego:3:\d+: data\.verdict/,
  ],
  ['a reference to system', 'package a\n\nx := data.system.y\n', 'REFERENCE_OUTSIDE_ROOTS', /^a\.rego:3:/],
  [
    'a misspelled result mark',
    'package a\n\n# METADATA\n# custom: {verdict: yes}\nx := 1\n',
    'REGO_INVALID',
    /^a\.rego:\d:\d+: custom\.verdict/,
  ],
  [
    'a time to live without unit',
    'package a\n\n# METADATA\n# custom: {cache: {ttl: "30"}}\nx := 1\n',
    'REGO_INVALID',
    /custom\.cache\.ttl/,
  ],
])('%s is refused at its place', async (_, text, code, message) => {
  const found = await refusal({ 'a.rego': text });
  expect(found).toMatchObject({ code, message: expect.stringMatching(message) });
  expect(found.problems[0]).toMatchObject({ file: 'a.rego', row: expect.any(Number) });
});

test('every problem is named, not the first alone', async () => {
  const found = await refusal({ 'a.rego': 'package a\n\nx := data.system.c\ny := data.verdict.d\n' });
  expect(found.problems.map(({ row }) => row)).toEqual([3, 4]);
  expect(found.message).toContain('(and 1 more)');
});

test.each([
  [
    'a package',
    { '.manifest': '{"roots":["a"]}', 'b.rego': 'package b\nx := 1\n' },
    'ROOTS_CONFLICT',
    /b\.rego:1:1: package b/,
  ],
  [
    'a test package',
    { '.manifest': '{"roots":["a"]}', 'b_test.rego': '\npackage b\nx := 1\n' },
    'ROOTS_CONFLICT',
    /b_test\.rego:2:1/,
  ],
  [
    'data',
    { '.manifest': '{"roots":["a"]}', 'a.rego': 'package a\nx := 1\n', 'data.json': '{"b":1}' },
    'ROOTS_CONFLICT',
    /data\.b/,
  ],
] as const)('%s outside the roots is refused', async (_, contents, code, message) => {
  expect(await refusal(contents)).toMatchObject({ code, message: expect.stringMatching(message) });
});

test('data where a rule stands is refused', async () => {
  const found = await refusal({ 'a.rego': 'package a\nx := 1\n', 'a/data.json': '{"x": 2}' });
  expect(['DATA_INVALID', 'REGO_INVALID']).toContain(found.code);
  expect(found.message).toContain('a/x');
});

test('a bundle owns its packages and the keys of its data, whatever its rules read', async () => {
  const read = 'package app.main\n\nall := {name | some name; data.app[name]}\n'.replace('main', 'one');
  const { manifest } = await build({
    'a.rego': read.replace('data.app[name]', 'data.lib[name].on'),
    'lib/x/data.json': '{"on": true}',
  });
  expect(manifest.roots).toEqual(['app/one', 'lib']);
});

test('tests may refer to what they replace', async () => {
  const mocked = 'package a_test\n\ntest_x if data.a.x == 1 with data.mocked.y as 2\n';
  expect((await build({ 'a.rego': 'package a\nx := 1\n', 'a_test.rego': mocked })).manifest.roots).toEqual([
    'a',
    'a_test',
  ]);
});

test('data alone, and functions alone, make a bundle without a module', async () => {
  const data = await build({ 'data.json': '{"a": 1}' });
  expect(data).toMatchObject({ entrypoints: [], manifest: { roots: ['a'] } });
  expect(data.files.has('policy.wasm')).toBe(false);
  expect((await build({ 'a.rego': 'package a\nf(x) := x\n' })).wasm).toBeUndefined();
});

test('the policies of this project build, and every fixture is what its folder says', async () => {
  const root = path.join(import.meta.dirname, '..', '..');
  const policies = await readDirectory(path.join(root, 'policies/todo'), defaultArchiveLimits);
  expect((await buildBundle(policies, { toolchain })).info.named).toBe(true);
  const fixtures = path.join(import.meta.dirname, 'fixtures');
  const opaque = await readArchive(await readFile(path.join(fixtures, 'opaque.tar.gz')), defaultArchiveLimits);
  const folder = await readDirectory(path.join(fixtures, 'opaque'), defaultArchiveLimits);
  expect([...folder.files.keys()]).toEqual(['shop/data.json', 'shop/shop.rego']);
  expect([...opaque.files.keys()]).toEqual(['.manifest', 'data.json', 'policy.wasm', 'shop/shop.rego']);
});

test('data with more keys than a bundle may have roots makes it own everything', async () => {
  const data = (keys: number): string =>
    JSON.stringify(Object.fromEntries(Array.from({ length: keys }, (_, at) => [`k${at}`, at])));
  expect((await build({ 'data.json': data(1_000) })).manifest.roots).toHaveLength(1_000);
  expect((await build({ 'data.json': data(20_000) })).manifest.roots).toEqual(['']);
});
