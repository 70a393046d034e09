import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { AuditEvent } from '../../src/decision/model.ts';
import type { LocalPolicyStore } from '../../src/policy/index.ts';
import { buildBundle } from '../../src/policy/index.ts';
import { archiveOf, filesOf } from './archives.ts';
import { ask, type Bench, bench, brokenToolchain, push } from './stores.ts';

const version = (x: number) => ({ 'a.rego': `package a\n\nx := ${x}\n` });

let machine: Bench;

beforeAll(() => {
  machine = bench();
});

afterAll(() => machine.end());

beforeEach(() => machine.fresh());

const archives = async (): Promise<string[]> =>
  (await readdir(path.join(machine.dir, 'bundles'), { recursive: true })).filter((name) => name.includes('.'));

test('an empty store has nothing active and takes pushes', async () => {
  const store = await machine.open();
  expect(store.current.epoch).toBe(0);
  expect([...store.current.versions.keys()]).toEqual([]);
  expect(store.current.resolve(['a', 'x'])).toEqual({ kind: 'unknown' });
  expect(store.bundles()).toEqual([]);
});

test('a pushed version becomes active when that is asked for, and not before', async () => {
  const store = await machine.open();
  const first = await push(store, 'todo', version(1), false);
  expect(first).toMatchObject({ created: true, epoch: 0, version: { version: 1, state: 'pushed', pushedBy: 'alice' } });
  expect(await ask(store, 'a', 'x')).toBe('unknown');
  const active = await store.activate('todo', 1, 'bob');
  expect(active).toMatchObject({ epoch: 1, version: { state: 'active', activatedBy: 'bob' } });
  expect(active.version.activatedAt).toBe('2026-01-02T03:04:05.000Z');
  expect(await ask(store, 'a', 'x')).toBe(1);
});

test('versions are counted per name, newest first, and the replaced one is retired', async () => {
  const store = await machine.open();
  await push(store, 'todo', version(1));
  await push(store, 'todo', version(2));
  await push(store, 'other', { 'b.rego': 'package b\nx := 1\n' });
  expect(store.versions('todo').map(({ version: number, state }) => [number, state])).toEqual([
    [2, 'active'],
    [1, 'retired'],
  ]);
  expect(
    store.bundles().map(({ name, versions, latest, active }) => [name, versions, latest.version, active?.version]),
  ).toEqual([
    ['other', 1, 1, 1],
    ['todo', 2, 2, 2],
  ]);
  expect(() => store.versions('none')).toThrow(expect.objectContaining({ code: 'BUNDLE_UNKNOWN' }));
  expect(() => store.version('todo', 3)).toThrow(expect.objectContaining({ code: 'VERSION_UNKNOWN' }));
});

test('the same files again are the same version, however they are packed, and built or not', async () => {
  const store = await machine.open();
  const first = await push(store, 'todo', version(1), false);
  expect(await push(store, 'todo', { 'README.md': 'hello', ...version(1) }, false)).toMatchObject({
    created: false,
    version: { version: 1 },
  });
  const built = await buildBundle(filesOf(version(1)), { toolchain: machine.toolchain });
  expect(built.digest).toBe(first.version.digest);
  const again = await store.push('todo', built.archive, { by: 'bob', activate: true });
  expect(again).toMatchObject({
    created: false,
    epoch: 1,
    version: { version: 1, state: 'active', pushedBy: 'alice' },
  });
  expect(await push(store, 'todo', version(1))).toMatchObject({ created: false, epoch: 1 });
});

test('the archive of a version is what the compiler made of the sources', async () => {
  const store = await machine.open();
  await push(store, 'todo', version(1));
  const built = await buildBundle(filesOf(version(1)), { toolchain: machine.toolchain });
  expect(Buffer.compare(await store.archive('todo', 1), built.archive)).toBe(0);
  await expect(store.archive('todo', 2)).rejects.toMatchObject({ code: 'VERSION_UNKNOWN' });
});

test('a rollback goes back one version at a time, to the first', async () => {
  const store = await machine.open();
  await expect(store.rollback('todo', 'bob')).rejects.toMatchObject({ code: 'BUNDLE_UNKNOWN' });
  for (const x of [1, 2, 3]) await push(store, 'todo', version(x));
  expect(await store.rollback('todo', 'bob')).toMatchObject({ epoch: 4, version: { version: 2, activatedBy: 'bob' } });
  expect(await store.rollback('todo', 'bob')).toMatchObject({ epoch: 5, version: { version: 1 } });
  expect(await ask(store, 'a', 'x')).toBe(1);
  await expect(store.rollback('todo', 'bob')).rejects.toMatchObject({ code: 'NOTHING_TO_ROLL_BACK' });
});

test('what was active is active again after a restart, without the toolchain', async () => {
  const before = await machine.open();
  await push(before, 'todo', version(1));
  await push(before, 'todo', version(2));
  await push(before, 'other', { 'b.rego': 'package b\nx := 7\n', 'b/data.json': '{"y": 12345678901234567890}' });
  await before.close();
  const after = await machine.open({ toolchain: brokenToolchain(machine.toolchain.version) });
  expect(after.current.epoch).toBe(3);
  expect(await ask(after, 'a', 'x')).toBe(2);
  expect(await ask(after, 'b', 'x')).toBe(7);
  expect(after.current.resolve(['b', 'y'])).toMatchObject({ kind: 'data', json: '12345678901234567890' });
  expect(await after.rollback('todo', 'bob')).toMatchObject({ epoch: 4, version: { version: 1 } });
});

test('after an upgrade the sources are compiled again, under the same version', async () => {
  const before = await machine.open();
  const { version: pushed } = await push(before, 'todo', version(1));
  await before.close();
  const sentences: string[] = [];
  const toolchain = { ...machine.toolchain, version: { opa: '9.9.9', digest: 'f'.repeat(64) } };
  const after = await machine.open({ toolchain, log: (_, sentence) => sentences.push(sentence) });
  expect(await ask(after, 'a', 'x')).toBe(1);
  expect(after.current.versions.get('todo')).toMatchObject({ version: 1, digest: pushed.digest });
  expect(sentences.join()).toContain('todo@1 was built by another compiler');
});

test.each([
  ['changed', async (file: string) => writeFile(file, await archiveOf(version(9)))],
  ['cut', async (file: string) => writeFile(file, (await readFile(file)).subarray(0, 100))],
  ['empty', async (file: string) => writeFile(file, '')],
])('a stored bundle that was %s keeps the store from opening, with one sentence', async (_, damage) => {
  const store = await machine.open();
  const { version: pushed } = await push(store, 'todo', version(1));
  await store.close();
  const file = path.join(machine.dir, 'bundles', 'todo', `${pushed.digest}.tar.gz`);
  await damage(file);
  await expect(machine.open()).rejects.toMatchObject({
    code: 'STORAGE_FAILED',
    message: expect.stringMatching(/^the stored bundle todo@1 \(.*\) is damaged: .*; put the file back/),
  });
});

test('an unfinished file of a crash is swept away', async () => {
  await mkdir(path.join(machine.dir, 'bundles', 'todo'), { recursive: true });
  await writeFile(path.join(machine.dir, 'bundles', 'todo', '.unfinished-abc'), 'x');
  await machine.open();
  expect(await archives()).toEqual([]);
});

test('changes that race run one after another, and every request sees one of them whole', async () => {
  const store = await machine.open();
  const epochs: number[] = [];
  store.onChange((active) => epochs.push(active.epoch));
  await Promise.all([1, 2, 3, 4].map((x) => push(store, 'todo', version(x))));
  expect(epochs).toEqual([1, 2, 3, 4]);
  await Promise.all([store.activate('todo', 1, 'a'), store.activate('todo', 3, 'b'), store.rollback('todo', 'c')]);
  expect(store.current.epoch).toBe(7);
  expect(store.current.versions.get('todo')?.version).toBe(1);
  expect(await ask(store, 'a', 'x')).toBe(1);
});

test('what was active when a request began answers it after the change', async () => {
  const store = await machine.open();
  await push(store, 'todo', version(1));
  const found = store.current.resolve(['a', 'x']);
  await push(store, 'todo', version(2));
  if (found.kind !== 'rule') throw new Error('no rule');
  const { module } = found.target.version;
  const answer = await module.evaluate({ entrypoint: 'a/x', below: [], strictErrors: false });
  expect(answer).toMatchObject({ kind: 'defined', json: '1' });
});

test('an activation is recorded before it counts, and does not happen when it cannot be', async () => {
  const events: AuditEvent[] = [];
  let isFull = false;
  const store: LocalPolicyStore = await machine.open({
    onActivation: async (event) => {
      if (isFull) throw new Error('disk full');
      events.push({ ...event, details: { ...event.details, during: store.current.epoch } });
    },
  });
  const { version: pushed } = await push(store, 'todo', version(1));
  const details = { bundle: 'todo', version: 1, digest: pushed.digest, epoch: 1, rollback: false, during: 0 };
  expect(events).toMatchObject([{ event: 'activation', by: 'alice', details }]);
  isFull = true;
  await expect(push(store, 'todo', version(2))).rejects.toMatchObject({
    code: 'STORAGE_FAILED',
    message: expect.stringContaining('could not be recorded: disk full'),
  });
  expect(store.current.epoch).toBe(1);
  expect(await ask(store, 'a', 'x')).toBe(1);
  expect(store.version('todo', 2).state).toBe('pushed');
  isFull = false;
  await store.activate('todo', 2, 'bob');
  await store.rollback('todo', 'carol');
  expect(events.slice(1)).toMatchObject([
    { by: 'bob', details: { version: 2, replaced: 1, rollback: false } },
    { by: 'carol', details: { version: 1, replaced: 2, rollback: true } },
  ]);
});

test('a listener that throws keeps neither the change nor the others from happening', async () => {
  const store = await machine.open();
  const heard: number[] = [];
  store.onChange(() => {
    throw new Error('no');
  });
  store.onChange(({ epoch }) => heard.push(epoch));
  await push(store, 'todo', version(1));
  expect(heard).toEqual([1]);
});

test('a folder is served by its name, and taken again only when it changed', async () => {
  const folder = path.join(machine.dir, 'policies');
  await mkdir(folder);
  await writeFile(path.join(folder, 'a.rego'), 'package a\n\nx := 1\n');
  const store = await machine.open();
  expect((await store.addLocal([{ name: 'todo', path: folder }]))[0]).toMatchObject({
    created: true,
    activated: true,
    version: { pushedBy: 'local', state: 'active' },
  });
  await store.close();
  const again = await machine.open({ toolchain: brokenToolchain(machine.toolchain.version) });
  expect((await again.addLocal([{ name: 'todo', path: folder }]))[0]).toMatchObject({
    created: false,
    activated: false,
    epoch: 1,
  });
  await again.close();
  await writeFile(path.join(folder, 'a.rego'), 'package a\n\nx := 2\n');
  const changed = await machine.open();
  expect((await changed.addLocal([{ name: 'todo', path: folder }]))[0]).toMatchObject({
    created: true,
    epoch: 2,
    version: { version: 2 },
  });
  expect(await ask(changed, 'a', 'x')).toBe(2);
});

test('a local build of this compiler runs as it is; one of another is compiled', async () => {
  const built = await buildBundle(filesOf(version(1)), { toolchain: machine.toolchain });
  const file = path.join(machine.dir, 'todo.tar.gz');
  await writeFile(file, built.archive);
  const store = await machine.open({ toolchain: brokenToolchain(machine.toolchain.version) });
  expect((await store.addLocal([{ name: 'todo', path: file }]))[0]).toMatchObject({
    activated: true,
    version: { digest: built.digest },
  });
  expect(await ask(store, 'a', 'x')).toBe(1);
  await store.close();
  await machine.fresh();
  const other = await machine.open({ toolchain: brokenToolchain({ opa: '0.0.1', digest: '0'.repeat(64) }) });
  await expect(other.addLocal([{ name: 'todo', path: file }])).rejects.toThrow('asked to check');
});

test('a push of the same build is compiled and tested, whatever its manifest says', async () => {
  const built = await buildBundle(filesOf(version(1)), { toolchain: machine.toolchain });
  const store = await machine.open({ toolchain: brokenToolchain(machine.toolchain.version) });
  await expect(store.push('todo', built.archive, { by: 'alice', activate: true })).rejects.toThrow('asked to check');
});

test('a local path that is not there is refused with a sentence', async () => {
  const store = await machine.open();
  await expect(store.addLocal([{ name: 'todo', path: path.join(machine.dir, 'none') }])).rejects.toMatchObject({
    code: 'ARCHIVE_INVALID',
  });
});

test('a closed store takes no changes', async () => {
  const store = await machine.open();
  await store.close();
  await expect(push(store, 'todo', version(1))).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
});
