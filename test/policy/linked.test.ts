import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { AuditEvent } from '../../src/decision/model.ts';
import { archiveOf } from './archives.ts';
import { ask, type Bench, bench, push } from './stores.ts';

let machine: Bench;

beforeAll(() => {
  machine = bench();
});

afterAll(() => machine.end());

beforeEach(() => machine.fresh());

/** Rules that ask another bundle's rule, its function and its data. */
const shop = {
  'shop.rego': `package shop

import data.people

allow if people.adult

greeting := people.hello("bob")

first := data.names.list[0]
`,
};

const people = (age: number) => ({
  'people.rego': `package people\n\nadult if data.people.age >= 18\n\nhello(name) := sprintf("hello %s", [name])\n`,
  'people/data.json': JSON.stringify({ age }),
});

const names = (first: string, other = 1) => ({ 'data.json': JSON.stringify({ names: { list: [first] }, other }) });

const refused = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    (error: unknown) => error,
  );

test('rules, functions and data of other active bundles answer, and change with them at once', async () => {
  const store = await machine.open();
  await push(store, 'people', people(20));
  await push(store, 'names', names('ann'));
  await push(store, 'shop', shop);
  expect(await ask(store, 'shop', 'allow')).toBe(true);
  expect(await ask(store, 'shop', 'greeting')).toBe('hello bob');
  expect(await ask(store, 'shop', 'first')).toBe('ann');
  await push(store, 'people', people(17));
  expect(await ask(store, 'shop', 'allow')).toBe('undefined');
  await push(store, 'names', names('zoe'));
  expect(await ask(store, 'shop', 'first')).toBe('zoe');
  await store.rollback('people', 'bob');
  expect(await ask(store, 'shop', 'allow')).toBe(true);
});

test('what a rule iterates over, or looks up by what is asked, is linked as well', async () => {
  const store = await machine.open();
  await push(store, 'lists', {
    'data.json': JSON.stringify({ lists: { banned: ['bob'], roles: { bob: ['clerk'] } } }),
  });
  await push(store, 'people', people(20));
  const asking = {
    'shop.rego': `package shop

banned if some name in data.lists.banned

roles := {role | some role in data.lists.roles[person]}

person := lower("BOB")

kinds contains name if some name, true in data.people
`,
  };
  await push(store, 'shop', asking);
  expect(await ask(store, 'shop', 'banned')).toBe(true);
  expect(await ask(store, 'shop', 'roles')).toEqual(['clerk']);
  expect(await ask(store, 'shop', 'kinds')).toEqual(['adult']);
  await push(store, 'lists', { 'data.json': JSON.stringify({ lists: { banned: [], roles: {} } }) });
  expect(await ask(store, 'shop', 'banned')).toBe('undefined');
});

test('many rules of another bundle are found from the one that is linked with it', async () => {
  const store = await machine.open();
  const rules = (granted: number) =>
    Array.from({ length: 20 }, (_, n) => `may if { input.kind == "k${n}"; input.level > ${n === 3 ? granted : n} }`);
  const asking = 'may with input as {"kind": "k3", "level": 5}';
  await push(store, 'rights', { 'rights.rego': `package rights\n\n${rules(1).join('\n')}\nown if ${asking}\n` });
  await push(store, 'app', { 'app.rego': `package app\n\nallow if data.rights.${asking}\n` });
  expect(await ask(store, 'app', 'allow')).toBe(true);
  await push(store, 'rights', { 'rights.rego': `package rights\n\n${rules(7).join('\n')}\nown if ${asking}\n` });
  expect(await ask(store, 'app', 'allow')).toBe('undefined');
  expect(await ask(store, 'rights', 'own')).toBe('undefined');
});

test('a version names those that it is linked with, and an activation those that it relinks', async () => {
  const events: AuditEvent[] = [];
  const store = await machine.open({ onActivation: async (event) => void events.push(event) });
  await push(store, 'people', people(20));
  await push(store, 'names', names('ann'));
  await push(store, 'shop', shop);
  expect(store.current.versions.get('shop')?.links.map(({ name, version, linked }) => [name, version, linked])).toEqual(
    [
      ['names', 1, true],
      ['people', 1, true],
    ],
  );
  expect(store.current.versions.get('people')).toMatchObject({ links: [], linkedDigest: '' });
  await push(store, 'people', people(17));
  expect(events.map(({ details }) => details.relinked)).toEqual([undefined, undefined, undefined, ['shop@1']]);
});

test('what changes elsewhere leaves the module and its linked digest as they were', async () => {
  const store = await machine.open();
  await push(store, 'people', people(20));
  await push(store, 'names', names('ann'));
  await push(store, 'shop', shop);
  const before = store.current.versions.get('shop')!;
  await push(store, 'else', { 'else.rego': 'package else_\n\nx := 1\n' });
  await push(store, 'names', names('ann', 2));
  const after = store.current.versions.get('shop')!;
  expect(after.module).toBe(before.module);
  expect(after.linkedDigest).toBe(before.linkedDigest);
  expect(after.links[0]).toMatchObject({ name: 'names', version: 2 });
  await push(store, 'names', names('zoe', 2));
  expect(store.current.versions.get('shop')!.linkedDigest).not.toBe(before.linkedDigest);
});

test('a push whose references nothing provides yet is taken with a note, and its activation refused at the place', async () => {
  const store = await machine.open();
  const { version } = await push(store, 'shop', shop, false);
  expect(version.notes.join('\n')).toContain('refers to what other bundles provide: data.names.list, data.people');
  expect(version.notes.join('\n')).toMatch(/could not be activated now.*shop\.rego:5:\d+: data\.people\.adult/);
  expect(await refused(store.activate('shop', 1, 'bob'))).toMatchObject({
    code: 'REFERENCE_UNPROVIDED',
    message: expect.stringMatching(
      /^shop\.rego:\d+:\d+: data\.people\.\w+ is provided by no active bundle \(and 2 more\)/,
    ),
    problems: [{ file: 'shop.rego', row: 5 }, { row: 9 }, { row: 7 }].map((problem) =>
      expect.objectContaining(problem),
    ),
  });
  expect(store.current).toMatchObject({ epoch: 0 });
  await push(store, 'people', people(20));
  await push(store, 'names', names('ann'));
  await store.activate('shop', 1, 'bob');
  expect(await ask(store, 'shop', 'greeting')).toBe('hello bob');
});

test.each([
  [
    'a rule is gone',
    { 'people.rego': 'package people\n\nhello(name) := name\n\nother := 1\n' },
    'REFERENCE_UNPROVIDED',
    /shop\.rego:5:\d+/,
  ],
  [
    'a function is gone',
    { 'people.rego': 'package people\n\nadult := true\n' },
    'REFERENCE_UNPROVIDED',
    /shop\.rego:7:\d+/,
  ],
  [
    'a function takes more',
    { 'people.rego': 'package people\n\nadult := true\n\nhello(a, b) := [a, b]\n' },
    'REGO_INVALID',
    /shop\.rego:7:\d+: .*arity/,
  ],
])(
  'a version is refused when %s that an active one refers to, and nothing changes',
  async (_, contents, code, place) => {
    const store = await machine.open();
    await push(store, 'people', people(20));
    await push(store, 'names', names('ann'));
    await push(store, 'shop', shop);
    const before = store.current;
    const found = await refused(push(store, 'people', contents));
    expect(found).toMatchObject({ code, message: expect.stringMatching(/^shop@1 cannot be linked: /) });
    expect(found).toMatchObject({ message: expect.stringMatching(place), problems: [{ file: 'shop@1:shop.rego' }] });
    expect(store.current).toBe(before);
    expect(store.versions('people')).toHaveLength(1);
    expect(await ask(store, 'shop', 'allow')).toBe(true);
  },
);

test('what a push could not tell of a version, its activation does', async () => {
  const tests = 'package shop_test\n\nimport data.shop\n\ntest_greeting if shop.greeting == "hello bob"\n';
  const whole = { ...shop, 'shop_test.rego': tests };
  const store = await machine.open();
  await push(store, 'shop', whole, false);
  await push(store, 'people', people(20));
  await push(store, 'names', names('ann'));
  const { version, created } = await push(store, 'shop', whole);
  expect({ created, state: version.state, tests: version.tests }).toEqual({
    created: false,
    state: 'active',
    tests: { passed: 1 },
  });
  expect(version.notes.join('\n')).not.toContain('could not be activated');
  expect(store.version('shop', 1)).toEqual(version);
});

test('a push that what is active could not be linked with says so at once, with the place', async () => {
  const store = await machine.open();
  await push(store, 'people', people(20));
  await push(store, 'names', names('ann'));
  await push(store, 'shop', shop);
  const renamed = { 'people.rego': 'package people\n\ngrown if true\n' };
  const { version } = await push(store, 'people', renamed, false);
  expect(version.notes.join('\n')).toMatch(
    /^it could not be activated now: shop@1 cannot be linked: shop@1:shop\.rego:5:\d+: .*data\.people\.adult/m,
  );
  expect(store.version('shop', 1).state).toBe('active');
  const fitting = await push(store, 'people', people(30), false);
  expect(fitting.version.notes.join('\n')).not.toContain('could not be activated');
});

test('a misspelt rule of an active bundle is refused; a member that its data lacks today is not', async () => {
  const store = await machine.open();
  await push(store, 'people', people(20));
  await push(store, 'names', names('ann'));
  const wrong = 'package a\n\nx if data.people.adlut\n';
  expect(await refused(push(store, 'a', { 'a.rego': wrong }))).toMatchObject({
    code: 'REFERENCE_UNPROVIDED',
    message: 'a.rego:3:6: data.people.adlut is provided by no active bundle',
  });
  await push(store, 'b', { 'b.rego': 'package b\n\nx := data.names.nobody\n\ny := data.people.age.month\n' });
  expect(await ask(store, 'b', 'x')).toBe('undefined');
});

test('two bundles may refer to each other, and become active together in any order', async () => {
  const folders = {
    one: 'package one\n\na := 1\n\nc := data.two.b + 1\n',
    two: 'package two\n\nb := data.one.a + 1\n',
  };
  for (const [name, text] of Object.entries(folders)) {
    await mkdir(path.join(machine.dir, name));
    await writeFile(path.join(machine.dir, name, 'x.rego'), text);
  }
  const store = await machine.open();
  const bundles = ['one', 'two'].map((name) => ({ name, path: path.join(machine.dir, name) }));
  expect((await store.addLocal(bundles)).map(({ activated, epoch }) => [activated, epoch])).toEqual([
    [true, 1],
    [true, 1],
  ]);
  expect(await ask(store, 'one', 'c')).toBe(3);
  expect(await ask(store, 'two', 'b')).toBe(2);
});

test('rules that would answer one another are refused, with the bundle of each', async () => {
  const store = await machine.open();
  await push(store, 'one', { 'one.rego': 'package one\n\na := 1\n' });
  await push(store, 'two', { 'two.rego': 'package two\n\nb := data.one.a\n' });
  expect(await refused(push(store, 'one', { 'one.rego': 'package one\n\na := data.two.b\n' }))).toMatchObject({
    code: 'REGO_INVALID',
    message: expect.stringContaining('recursive'),
  });
});

test('links are there again after a restart', async () => {
  const before = await machine.open();
  await push(before, 'people', people(20));
  await push(before, 'names', names('ann'));
  await push(before, 'shop', shop);
  const { linkedDigest } = before.current.versions.get('shop')!;
  await before.close();
  const after = await machine.open();
  expect(after.current.versions.get('shop')).toMatchObject({ linkedDigest });
  expect(await ask(after, 'shop', 'greeting')).toBe('hello bob');
});

test("a version's tests run with what it is linked with", async () => {
  const store = await machine.open();
  const tests =
    'package shop_test\n\nimport data.shop\n\ntest_greeting if shop.greeting == "hello bob"\n\ntest_first if shop.first == "ann"\n';
  const whole = { ...shop, 'shop_test.rego': tests };
  await push(store, 'people', people(20));
  await push(store, 'names', names('ann'));
  expect((await push(store, 'shop', whole, false)).version.tests).toEqual({ passed: 2 });
  await push(store, 'names', names('zoe'));
  expect(await refused(store.activate('shop', 1, 'bob'))).toMatchObject({
    code: 'TESTS_FAILED',
    message: expect.stringMatching(/^1 of 2 tests fail: shop_test\.rego:7:1: .*test_first/),
  });
});

test('a reference that is not constant sees the data and the rules of all', async () => {
  const store = await machine.open();
  await push(store, 'flags', { 'data.json': '{"flag_a": {"on": true}, "flag_b": {"on": false}}' });
  await push(store, 'other', { 'o.rego': 'package flag_c\n\non := true\n' });
  await push(store, 'all', {
    'all.rego': 'package overview\n\nseen contains name if data[name].on\n',
  });
  expect(await ask(store, 'overview', 'seen')).toEqual(['flag_a', 'flag_c']);
  expect(store.current.versions.get('all')?.links.map(({ name }) => name)).toEqual(['flags', 'other']);
});

test('an opaque version sees the data of others, and nothing is linked with its rules', async () => {
  const store = await machine.open();
  const opaque = await readFile(path.join(import.meta.dirname, 'fixtures', 'opaque.tar.gz'));
  await store.push('opaque', opaque, { by: 'alice', activate: true });
  await push(store, 'names', names('ann'));
  expect(store.current.versions.get('opaque')?.links.map(({ name }) => name)).toEqual(['names']);
  const rule = store.version('opaque', 1).entrypoints[0]!.replaceAll('/', '.');
  expect(await refused(push(store, 'a', { 'a.rego': `package a\n\nx := data.${rule}\n` }))).toMatchObject({
    code: 'REFERENCE_UNPROVIDED',
    message: expect.stringContaining('whose sources are cut'),
  });
});

test('large data of others is read on a thread of its own, and only what is referred to', async () => {
  const store = await machine.open();
  const users = Object.fromEntries(Array.from({ length: 20_000 }, (_, at) => [`user-${at}`, { age: at }]));
  await push(store, 'big', {
    'data.json': JSON.stringify({ users, rest: users }),
  });
  await push(store, 'a', { 'a.rego': 'package a\n\nx := data.users["user-7"].age\n' });
  expect(await ask(store, 'a', 'x')).toBe(7);
  const before = store.current.versions.get('a')!;
  users['user-8'] = { age: 1 };
  await store.push('big', await archiveOf({ 'data.json': JSON.stringify({ users, rest: {} }) }), {
    by: 'a',
    activate: true,
  });
  expect(store.current.versions.get('a')!.module).toBe(before.module);
});

test('bundles that start together own places of their own, and the refusal names both', async () => {
  for (const name of ['one', 'two']) {
    await mkdir(path.join(machine.dir, name));
    await writeFile(path.join(machine.dir, name, 'x.rego'), 'package same\n\nx := 1\n');
  }
  const store = await machine.open();
  const bundles = ['one', 'two'].map((name) => ({ name, path: path.join(machine.dir, name) }));
  expect(await refused(store.addLocal(bundles))).toMatchObject({
    code: 'ROOTS_CONFLICT',
    message: 'the root same of two overlaps the root same of one',
  });
  expect(store.bundles()).toEqual([]);
});

test('a function that nobody has may be called by a rule, but not with two counts of operands, nor by a test', async () => {
  const store = await machine.open();
  const rules = (more: string) => ({ 'a.rego': `package a\n\nx := data.b.f(1, 2)\n\n${more}` });
  expect((await push(store, 'a', rules('y := data.b["odd name"].g({})\n'), false)).version.builtins).toEqual([]);
  expect(await refused(push(store, 'b', rules('y := data.b.f(1)\n'), false))).toMatchObject({ code: 'REGO_INVALID' });
  const tested = { 'c.rego': 'package c\n\nx := 1\n', 'c_test.rego': 'package c_test\n\ntest_f if data.b.f(1)\n' };
  expect(await refused(push(store, 'c', tested, false))).toMatchObject({
    code: 'REGO_INVALID',
    message: expect.stringContaining('c_test.rego:3:'),
  });
  expect(await refused(push(store, 'd', { 'd.rego': 'package d\n\nx := data.d.f(1)\n' }, false))).toMatchObject({
    code: 'REGO_INVALID',
  });
});
