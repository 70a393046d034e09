import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { LocalPolicyStore } from '../../src/policy/index.ts';
import { defaultArchiveLimits, PolicyError, readArchive } from '../../src/policy/index.ts';
import type { RegoSources, Toolchain } from '../../src/rego/index.ts';
import type { Contents } from './archives.ts';
import { archiveOf } from './archives.ts';
import { ask, type Bench, bench, push, settings } from './stores.ts';

const good: Contents = { 'a.rego': 'package a\n\nx := 1\n' };
const fixture = path.join(import.meta.dirname, 'fixtures', 'opaque.tar.gz');

let machine: Bench;

beforeAll(() => {
  machine = bench();
});

afterAll(() => machine.end());

beforeEach(() => machine.fresh());

const stored = async (): Promise<string[]> =>
  (await readdir(path.join(machine.dir, 'bundles'), { recursive: true })).filter((name) => name.endsWith('.tar.gz'));

/** Pushes something that must be refused, and checks that it left no trace. */
const refused = async (store: LocalPolicyStore, name: string, archive: Uint8Array): Promise<PolicyError> => {
  const before = { epoch: store.current.epoch, bundles: store.bundles(), files: await stored() };
  const error: unknown = await store
    .push(name, archive, { by: 'eve', activate: true })
    .catch((thrown: unknown) => thrown);
  expect({ epoch: store.current.epoch, bundles: store.bundles(), files: await stored() }).toEqual(before);
  if (error instanceof PolicyError) return error;
  throw error instanceof Error ? error : new Error('it was accepted');
};

test.each([
  ['todo', 'not an archive', 'ARCHIVE_INVALID'],
  ['Todo', good, 'BUNDLE_NAME_INVALID'],
  ['', good, 'BUNDLE_NAME_INVALID'],
  ['1todo', good, 'BUNDLE_NAME_INVALID'],
  ['../todo', good, 'BUNDLE_NAME_INVALID'],
  ['a'.repeat(64), good, 'BUNDLE_NAME_INVALID'],
  ['access', good, 'BUNDLE_NAME_INVALID'],
  ['v1', good, 'BUNDLE_NAME_INVALID'],
  ['todo', { 'README.md': 'x' }, 'ARCHIVE_INVALID'],
  ['todo', { ...good, '.manifest': '{"roots": "a"}' }, 'MANIFEST_INVALID'],
  ['todo', { ...good, 'data.json': '{"b": 1, "b": 2}' }, 'DATA_INVALID'],
  ['todo', { 'a.rego': 'package a\n\nx := y\n' }, 'REGO_INVALID'],
  ['todo', { 'a.rego': 'package a\n\nx := data.verdict.y\n' }, 'REFERENCE_OUTSIDE_ROOTS'],
  ['todo', { 'a.rego': 'package a\n\nx := data.b.y\n' }, 'REFERENCE_UNPROVIDED'],
  ['todo', { 'a.rego': 'package verdict.authz\n\nallow := true\n' }, 'ROOTS_CONFLICT'],
  ['todo', { ...good, '.manifest': '{"roots": ["a", "system"]}' }, 'ROOTS_CONFLICT'],
  ['todo', { ...good, 'system/log/data.json': '{"mask": []}' }, 'ROOTS_CONFLICT'],
  ['todo', { 'a.rego': 'package taken.below\n\nx := 1\n' }, 'ROOTS_CONFLICT'],
  [
    'todo',
    { ...good, '.manifest': '{"roots": [""], "wasm": [{"entrypoint": "a/y", "module": "/no.wasm"}]}' },
    'MANIFEST_INVALID',
  ],
  [
    'todo',
    { ...good, 'p.wasm': 'x', '.manifest': '{"wasm": [{"entrypoint": "a/y", "module": "/p.wasm"}]}' },
    'MODULE_INVALID',
  ],
])('%s: %j is refused and leaves nothing behind', async (name, contents, code) => {
  const store = await machine.open();
  await push(store, 'taken', { 't.rego': 'package taken\n\nx := 1\n' });
  const archive = typeof contents === 'string' ? Buffer.from(contents) : await archiveOf(contents as Contents);
  expect((await refused(store, name, archive)).code).toBe(code);
});

test('a builtin that is off is refused by name', async () => {
  const store = await machine.open();
  const text =
    'package a\n\n# not http.send({})\nx := http.send({"method": "get", "url": "http.send()"}).status_code\n';
  const more = 'package a.b\n\ny := 1\n\nx := net.lookup_ip_addr("localhost")\n';
  const found = await refused(store, 'todo', await archiveOf({ 'a.rego': text, 'b.rego': more }));
  expect(found).toMatchObject({
    code: 'BUILTIN_UNKNOWN',
    message: expect.stringMatching(/^a\.rego:4:6: http\.send needs/),
  });
  expect(found.problems).toMatchObject([
    { file: 'a.rego', row: 4, col: 6, excerpt: text.split('\n')[3] },
    { file: 'b.rego', row: 5, col: 6, excerpt: 'x := net.lookup_ip_addr("localhost")' },
  ]);
});

test('a test may mock a builtin that needs the network', async () => {
  const store = await machine.open();
  const mocked =
    'package a_test\n\ntest_up if http.send({}).status_code == 200 with http.send as {"status_code": 200}\n';
  expect((await push(store, 'todo', { ...good, 'a_test.rego': mocked })).version.tests).toEqual({ passed: 1 });
});

test('roots that another active bundle owns are refused, with its name; one bundle may replace its own', async () => {
  const store = await machine.open();
  await push(store, 'one', { ...good, '.manifest': '{"roots": ["a"]}' });
  const message = 'the root a overlaps a, which the active bundle one owns';
  expect(await refused(store, 'two', await archiveOf(good))).toMatchObject({ code: 'ROOTS_CONFLICT', message });
  await push(store, 'one', { 'a.rego': 'package a\n\nx := 2\n' });
  expect(await ask(store, 'a', 'x')).toBe(2);
});

test("a version's own tests are run, and each that fails is named with its place", async () => {
  const store = await machine.open();
  const tests = 'package a_test\n\ntest_one if data.a.x == 1\n\ntest_two if data.a.x == 2\n';
  const found = await refused(store, 'todo', await archiveOf({ ...good, 'a_test.rego': tests }));
  expect(found.code).toBe('TESTS_FAILED');
  expect(found.message).toMatch(/^1 of 2 tests fail: a_test\.rego:5:1: .*test_two.* \(.+\)$/);
  expect(found.problems).toMatchObject([{ code: 'test_failed', file: 'a_test.rego', row: 5 }]);
  const passing = await push(store, 'todo', { ...good, 'a_test.rego': tests.replace('== 2', '< 2') });
  expect(passing.version.tests).toEqual({ passed: 2 });
});

test('tests that never end are refused, and the next push is taken', async () => {
  const store = await machine.open({ settings: settings({ testSeconds: 0.5 }) });
  const endless =
    'package a_test\n\ntest_long if count([1 | some a in numbers.range(1, 20000); some b in numbers.range(1, 20000); a == b]) == 1\n';
  expect(await refused(store, 'todo', await archiveOf({ ...good, 'a_test.rego': endless }))).toMatchObject({
    code: 'TOOLCHAIN_FAILED',
    message:
      'the policy compiler gave up: OPA did not finish within 0.5 s; a server gives it longer by policy.testSeconds',
  });
  await push(store, 'todo', good);
  expect(await ask(store, 'a', 'x')).toBe(1);
});

test('a compiler that misses its deadline is a refusal that names the setting', async () => {
  const store = await machine.open({ settings: settings({ compileSeconds: 0.001 }) });
  expect(await refused(store, 'todo', await archiveOf(good))).toMatchObject({
    code: 'TOOLCHAIN_FAILED',
    message:
      'the policy compiler gave up: OPA did not finish within 0.001 s; a server gives it longer by policy.compileSeconds',
  });
});

test('limits come from the settings', async () => {
  const { limits } = settings({});
  const store = await machine.open({ settings: settings({ limits: { ...limits, fileBytes: 10 } }) });
  expect((await refused(store, 'todo', await archiveOf(good))).code).toBe('ARCHIVE_TOO_LARGE');
});

test('what OPA built is opaque: its module answers, stored as it was pushed, and the notes say so', async () => {
  const store = await machine.open();
  const archive = await readFile(fixture);
  const { version } = await store.push('shop', archive, { by: 'alice', activate: true });
  expect(version).toMatchObject({
    opaque: true,
    revision: 'r7',
    roots: ['shop'],
    entrypoints: ['shop/allow', 'shop/price'],
    tests: { passed: 0 },
  });
  expect(version.notes.join()).toMatch(/^opaque: the sources lack the rules of shop\/allow, shop\/price/);
  expect(await ask(store, 'shop', 'allow')).toBe(false);
  expect(await ask(store, 'shop', 'prices', 'book')).toBe(12);
  expect(Buffer.compare(await store.archive('shop', 1), archive)).toBe(0);
  await store.close();
  const again = await machine.open();
  expect(again.current.versions.get('shop')).toMatchObject({ opaque: true, digest: version.digest });
  expect(await ask(again, 'shop', 'allow')).toBe(false);
});

test('opaque versions are refused where the settings say so', async () => {
  const store = await machine.open({ settings: settings({ allowOpaque: false }) });
  expect(await refused(store, 'shop', await readFile(fixture))).toMatchObject({
    code: 'OPAQUE_REFUSED',
    message: expect.stringContaining('verdict build'),
  });
});

test('a supplied module is not used when the sources have every rule', async () => {
  const store = await machine.open();
  const { files } = await readArchive(await readFile(fixture), defaultArchiveLimits);
  const whole = {
    ...Object.fromEntries(files),
    'shop/shop.rego': 'package shop\n\nallow := "from the sources"\n\nprice := 1\n',
  };
  const { version } = await push(store, 'shop', whole);
  expect(version).toMatchObject({ opaque: false, entrypoints: ['shop/allow', 'shop/price'] });
  expect(version.notes).toContain('the supplied module is not used: the sources are compiled');
  expect(await ask(store, 'shop', 'allow')).toBe('from the sources');
});

test('a manifest that names the module for an entrypoint it lacks is refused', async () => {
  const store = await machine.open();
  const { files } = await readArchive(await readFile(fixture), defaultArchiveLimits);
  const manifest = { roots: ['shop'], wasm: [{ entrypoint: 'shop/deny', module: '/policy.wasm' }] };
  const contents = { ...Object.fromEntries(files), '.manifest': JSON.stringify(manifest) };
  expect(await refused(store, 'shop', await archiveOf(contents))).toMatchObject({
    code: 'MODULE_INVALID',
    message: expect.stringContaining('shop/deny'),
  });
});

test('narrowed roots, files left out and unchecked signatures are in the notes', async () => {
  const store = await machine.open();
  const { version } = await push(store, 'todo', {
    ...good,
    'README.md': 'x',
    '.signatures.json': '{"signatures": []}',
  });
  expect(version.roots).toEqual(['a']);
  expect(version.notes.join('\n')).toMatch(/left out.*README\.md/);
  expect(version.notes.join('\n')).toContain('.signatures.json was not checked');
  expect(version.notes.join('\n')).toContain('it owns a');
});

// Random text, since much data in a small archive is refused.
const much = Array.from({ length: 12_000 }, (_, at) => createHash('sha256').update(String(at)).digest('hex'));

test.each([
  ['at a rule', 'package a\n\nx := 1\n', { a: { x: 1 } }],
  ['above a rule', 'package a.b\n\nx := 1\n', { a: { b: [1] } }],
])('much data that stands %s is refused with the sentence that little data gets', async (_place, rego, data) => {
  const store = await machine.open();
  const contents = (lots: object) => archiveOf({ ...good, 'b.rego': rego, 'data.json': JSON.stringify(lots) });
  const little = await refused(store, 'todo', await contents(data));
  const lots = await refused(store, 'todo', await contents({ ...data, lots: much }));
  expect([lots.code, lots.message]).toEqual([little.code, little.message]);
});

test('the compiler is not given much data, which it would read at every call, and tests have all of it', async () => {
  const given: number[] = [];
  const { toolchain } = machine;
  const counted = new Proxy(toolchain, {
    get: (target, name: keyof Toolchain) => {
      if (name !== 'check' && name !== 'compile') return target[name];
      return (sources: RegoSources, ...rest: never[]) => {
        given.push(sources.data?.length ?? 0);
        return (target[name] as (...all: unknown[]) => unknown)(sources, ...rest);
      };
    },
  });
  const files = {
    'a.rego': 'package a\n\nx := data.lots[11999]\n',
    'a_test.rego': `package a_test\n\ntest_x if data.lots[7] == "${much[7]}"\n`,
    'data.json': JSON.stringify({ lots: much }),
  };
  const store = await machine.open({ toolchain: counted });
  const pushed = await push(store, 'todo', files);
  expect(pushed.version.tests).toEqual({ passed: 1 });
  expect(await ask(store, 'a', 'x')).toBe(much[11_999]);
  expect(given.length).toBeGreaterThan(1);
  expect(Math.max(...given)).toBeLessThan(1_000);
});
