import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { good } from './policies.ts';
import { cli, folderOf } from './run.ts';

const below = (folder: string, files: { readonly [name: string]: string }): { [name: string]: string } =>
  Object.fromEntries(Object.entries(files).map(([name, text]) => [`${folder}/${name}`, text]));

const samples = readdirSync(path.join(import.meta.dirname, '..', '..', 'policies'));

const tests = { 'shop_test.rego': 'package shop_test\n\ntest_it if data.shop.allow == true\n' };
const marked = (metadata: string): string => `package shop\n\n# METADATA\n${metadata}allow := true\n`;
const reserved = 'package shop\n\nallow := data.verdict.x\n';
const network = 'package shop\n\nallow if fetched.ok\n\nfetched := http.send({"method": "get", "url": "http://a"})\n';

test.each([
  [
    'a schema that is not there',
    { 'shop.rego': marked('# schemas:\n#   - input: schema.none\n') },
    3,
    'there is no file schemas/none.json',
  ],
  [
    'a schema that does not compile',
    { 'shop.rego': marked('# scope: rule\n'), 'schemas/a.json': '{"type": "strng"}' },
    3,
    'p/schemas/a.json:1:2: /type: ',
  ],
  [
    'METADATA with a value that it does not have',
    { 'shop.rego': marked('# custom:\n#   verdict: yes\n') },
    3,
    'custom.verdict',
  ],
  [
    'a package outside the roots',
    { 'shop.rego': marked('# title: a\n'), '.manifest': '{"roots": ["other"]}' },
    5,
    'p/shop.rego:1:1: ',
  ],
  [
    'data outside the roots',
    {
      'shop.rego': marked('# title: a\n'),
      'data.json': '{"shop": {}, "x": 1}',
      '.manifest': '{"roots": ["shop", "shop_test"]}',
    },
    5,
    "p/data.json:1:14: data.x lies outside the bundle's roots",
  ],
  [
    'an entrypoint that is no rule',
    { 'shop.rego': marked('# title: a\n'), '.manifest': '{"metadata": {"verdict": {"entrypoints": ["shop/alow"]}}}' },
    3,
    'p/.manifest:1:43: the entrypoint shop/alow is no rule and no package of this bundle; did you mean shop/allow?',
  ],
  [
    'a root that Verdict keeps for itself',
    { 'a.rego': 'package system.log\n\nmask := 1\n', 'shop.rego': marked('# title: a\n') },
    5,
    'the root system/log',
  ],
  [
    'a reference that Verdict keeps',
    { 'shop.rego': 'package shop\n\nallow := data.verdict.x\n' },
    5,
    'p/shop.rego:3:10: data.verdict.x',
  ],
])('%s is refused by check and test, with one sentence', async (_, files, code, sentence) => {
  const cwd = folderOf(below('p', { ...tests, ...files }));
  for (const command of ['check', 'test']) {
    const run = await cli([command, 'p'], { cwd });
    expect(run.stderr.split(sentence), run.stderr).toHaveLength(2);
    expect(run).toMatchObject({ code, stdout: '' });
  }
});

test('check, test and build refuse alike', async () => {
  const cwd = folderOf(below('p', { ...tests, 'shop.rego': reserved }));
  const [check, ran, build] = await Promise.all(
    ['check', 'test', 'build'].map((command) => cli([command, 'p'], { cwd })),
  );
  expect(check).toMatchObject({ code: 5, stdout: '', stderr: build!.stderr });
  expect(ran).toMatchObject({ code: 5, stdout: '', stderr: build!.stderr });
});

test('a call of the network is a warning with its place, and one in a test is none', async () => {
  const shop = `package shop\n\n# METADATA\n# entrypoint: true\nallow := true\n\n${network.slice(network.indexOf('fetched :='))}`;
  const mock = `package shop_test\n\ntest_it if {\n\tdata.shop.allow\n\thttp.send({"url": "a"}).ok with http.send as {"ok": true}\n}\n`;
  const cwd = folderOf(below('p', { 'shop.rego': shop, 'shop_test.rego': mock }));
  const { code, stderr } = await cli(['check', 'p'], { cwd });
  expect(stderr).toMatch(/^p\/shop\.rego:7:12: http\.send needs the network[^\n]*\n[^\n]*\n[^\n]*\n1 warning\n$/);
  expect(code).toBe(0);
  expect(await cli(['test', 'p'], { cwd })).toMatchObject({ code: 0, stderr: '' });
  expect(await cli(['build', 'p'], { cwd })).toMatchObject({ code: 0 });
});

test('a call of opa.runtime, which answers nothing here, is a warning with its place, as is the order of members', async () => {
  const shop =
    'package shop\n\nregion := opa.runtime().env.REGION # not opa.runtime() here\n\nnames[x] := x if some x in input.l\n\nlist := [x | some x in names]\n';
  const cwd = folderOf(below('p', { 'shop.rego': shop }));
  const { code, stderr } = await cli(['check', 'p'], { cwd });
  expect(stderr).toContain('p/shop.rego:3:11: opa.runtime() is {} here: policies read nothing of the process');
  expect(stderr).toContain(
    "p/shop.rego:7:9: the order of the members of data.shop.names is not that of OPA's interpreter",
  );
  expect(stderr).toContain('2 warnings');
  expect(code).toBe(0);
  expect((await cli(['build', 'p'], { cwd })).stderr).toContain('p/shop.rego:3:11: opa.runtime() is {} here');
});

test('what only another bundle can answer is told where it stands, and not when that bundle is named, too', async () => {
  const shop =
    'package shop\n\nallow if data.people.of(input.user) in data.roles.buyers\n\nmore if data.roles.buyers\n';
  const people = 'package people\n\nof(name) := lower(name)\n';
  const cwd = folderOf({
    ...below('shop', { 'shop.rego': shop }),
    ...below('people', { 'p.rego': people, 'data.json': '{"roles": {"buyers": []}}' }),
  });
  const alone = await cli(['check', 'shop'], { cwd });
  const beside = 'where another bundle does, name its folder, too';
  expect(alone.stderr).toContain(`shop/shop.rego:3:10: nothing here provides data.people: ${beside}`);
  expect(alone.stderr).toContain(
    `shop/shop.rego:3:40: nothing here provides data.roles: ${beside} (and at 1 more place)`,
  );
  expect(alone.stderr).toContain('\n2 warnings\n');
  expect(alone.code).toBe(0);
  const note = 'note: refers to what other bundles provide: data.people.of, data.roles.buyers\n';
  expect((await cli(['build', 'shop'], { cwd })).stderr).toBe(note);
  expect((await cli(['check', 'shop/shop.rego'], { cwd })).stderr).toBe(note);
  expect(await cli(['check', 'shop', 'people'], { cwd })).toMatchObject({ code: 0, stderr: '' });
});

test('a slip in the name of another bundle that is named, too, is told with the name that was meant', async () => {
  const cwd = folderOf({
    'shop/shop.rego': 'package shop\n\nallow if data.people.activ[input.user]\n',
    'people/people.rego': 'package people\n\nactive contains "ann"\n',
  });
  const { stderr } = await cli(['check', 'shop', 'people'], { cwd });
  expect(stderr).toContain(
    'shop/shop.rego:3:10: nothing here provides data.people.activ; did you mean data.people.active?',
  );
});

test('what is left of the old name in the copy of a sample is told, in its tests, too', async () => {
  const cwd = folderOf({});
  const from = path.join(import.meta.dirname, '..', '..', 'policies', 'services');
  cpSync(from, path.join(cwd, 'calls'), { recursive: true, filter: (name) => !name.endsWith('.manifest') });
  for (const file of ['services.rego', 'services_test.rego']) {
    const text = readFileSync(path.join(cwd, 'calls', file), 'utf8');
    writeFileSync(path.join(cwd, 'calls', file), text.replace('package services', 'package calls'));
  }
  for (const command of ['check', 'build']) {
    const { code, stderr } = await cli([command, 'calls'], { cwd });
    expect(stderr).toMatch(
      /^calls\/services_test\.rego:61:14: data\.services\.decision is always undefined: this bundle owns the place/m,
    );
    expect(stderr).toContain('calls/services_test.rego:92:2: data.services.allow is always undefined');
    expect(stderr).toMatch(/stands there \(and at 1 more place\) [\s\S]*\n2 warnings\n$/);
    expect(code).toBe(0);
  }
});

test.each(samples)('nothing is told of the sample %s', async (name) => {
  const cwd = path.join(import.meta.dirname, '..', '..', 'policies');
  expect(await cli(['check', name], { cwd })).toMatchObject({ code: 0, stderr: '' });
});

test('rules and their tests may lie in folders of their own', async () => {
  const helper = 'package shop\n\nis_buyer(user) if user == data.shop.buyer\n\nallow if is_buyer(input.user)\n';
  const cwd = folderOf({
    'src/shop.rego': helper,
    'data/data.json': '{"shop": {"buyer": "ann"}}',
    'test/shop_test.rego': 'package shop\n\ntest_ann if is_buyer("ann")\n',
    'more.rego': 'package shop\n\ndeny if not is_buyer(input.user)\n',
  });
  expect(await cli(['check', 'src', 'data', 'test', 'more.rego'], { cwd })).toMatchObject({ code: 0, stderr: '' });
  expect(await cli(['test', 'src', 'data', 'test', 'more.rego'], { cwd })).toMatchObject({ code: 0, stderr: '' });
});

test('each of several bundles is held to its own manifest and its own schemas', async () => {
  const cwd = folderOf({
    ...below('one', { 'one.rego': '# METADATA\n# schemas:\n#   - input: schema.ask\npackage one\n\nallow := true\n' }),
    ...below('two', { 'two.rego': 'package two\n\nallow := true\n', 'schemas/ask.json': '{"type": "object"}' }),
    ...below('three', { 'three.rego': 'package three\n\nallow := true\n', '.manifest': '{"roots": ["four"]}' }),
  });
  const schema = await cli(['check', 'one', 'two'], { cwd });
  expect(schema.stderr).toContain('one/one.rego:3:7: input: schema.ask: there is no file schemas/ask.json');
  expect(schema.code).toBe(3);
  const roots = await cli(['check', 'two', 'three'], { cwd });
  expect(roots.stderr).toContain("three/three.rego:1:1: package three lies outside the bundle's roots (four)");
  expect(roots.code).toBe(5);
});

test('a single file is not asked for the schemas and the data beside it', async () => {
  const rego = '# METADATA\n# schemas:\n#   - input: schema.ask\npackage shop\n\nallow if input.x == data.shop.limit\n';
  const cwd = folderOf(below('p', { 'shop.rego': rego }));
  expect(await cli(['check', 'p/shop.rego'], { cwd })).toMatchObject({ code: 0, stderr: '' });
});

test.each([
  ['data.shop.limts', 'data.shop.limts is always undefined', '; did you mean data.shop.limits?'],
  ['data.shop.limits.dayly', 'data.shop.limits.dayly is always undefined', '; did you mean data.shop.limits.daily?'],
  ['data.shop.hlper.x', 'data.shop.hlper is always undefined', '; did you mean data.shop.helper?'],
  ['data.shop.elsewhere', 'data.shop.elsewhere is always undefined', 'stands there <'],
])('%s, which nothing can provide, is a warning with its place', async (reference, message, end) => {
  const files = {
    'shop.rego': `package shop\n\nallow if input.n < ${reference}\n\nknown if input.n < data.shop.limits.daily\n`,
    'helper.rego': 'package shop.helper\n\nx := 1\n',
    'data.json': '{"shop": {"limits": {"daily": 3}}}',
  };
  const cwd = folderOf(below('p', files));
  for (const command of ['check', 'build']) {
    const { code, stderr } = await cli([command, 'p'], { cwd });
    expect(stderr).toContain(`p/shop.rego:3:20: ${message}`);
    expect(stderr.split('\n')[0]).toContain(end);
    expect(stderr).toMatch(/\n1 warning\n$/);
    expect(code).toBe(0);
  }
});

test('what data beside the bundle provides, and what tests replace, is no warning', async () => {
  const mocked =
    'test_it if data.people.count == data.shop.late with data.people as {"count": 1} with data.shop.late as 1';
  const tested = { ...good, 'shop_test.rego': `package shop_test\n\n${mocked}\n` };
  const cwd = folderOf({
    ...below('p', { 'shop.rego': 'package shop\n\nallow if data.shop.late\n' }),
    'late.json': '{"shop": {"late": true}}',
    ...below('q', tested),
  });
  expect(await cli(['check', 'p', 'late.json'], { cwd })).toMatchObject({ code: 0, stderr: '' });
  expect(await cli(['check', 'q'], { cwd })).toMatchObject({ code: 0, stderr: '' });
});

test('data files by other names are said not to be read, wherever the folder is read', async () => {
  const cwd = folderOf({
    ...good,
    'shop/shop.rego': good['shop.rego'],
    'shop/limits.json': '{}',
    'shop/.x.json': '{}',
  });
  const sentence = 'left out, as OPA loads no such files: shop/limits.json; data is read from files called data.json';
  for (const argv of [
    ['check', 'shop'],
    ['build', 'shop'],
    ['test', 'shop', 'shop_test.rego', 'data.json'],
    ['eval', 'data.shop.allow', '--bundle', 'shop'],
  ]) {
    expect((await cli(argv, { cwd })).stderr).toContain(sentence);
  }
  expect((await cli(['check', 'shop', '--output', 'json'], { cwd })).json()).toMatchObject({
    notes: [expect.stringContaining('limits.json')],
  });
});
