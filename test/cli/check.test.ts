import { expect, test } from 'vitest';
import { broken, good } from './policies.ts';
import { cli, folderOf } from './run.ts';

test('sources without problems are counted', async () => {
  const { code, stdout, stderr } = await cli(['check', '.'], { cwd: folderOf(good) });
  expect(stderr).toBe('');
  expect(stdout).toBe('no problems in 2 files: 1 package, 1 rule, 2 tests\nshop/allow: remembered per input.user\n');
  expect(code).toBe(0);
});

test('every problem is named with file, line, column, the source line and a caret', async () => {
  const { code, stdout, stderr } = await cli(['check', 'policy'], {
    cwd: folderOf(Object.fromEntries(Object.entries(broken).map(([name, text]) => [`policy/${name}`, text]))),
  });
  expect(code).toBe(3);
  expect(stdout).toBe('');
  const lines = stderr.split('\n');
  const at = lines.findIndex((line) => line.startsWith('policy/shop.rego:4:'));
  expect(lines[at]).toContain('var nobody is unsafe');
  expect(lines[at + 1]).toBe('  4 | \tinput.user == nobody');
  expect(lines[at + 2]).toMatch(/^ {4}\| \t *\^$/);
  expect(stderr).toContain('policy/shop.rego:5:');
  expect(stderr).toContain('var limit is unsafe');
  expect(stderr).toContain('policy/other/other.rego:3:');
  expect(stderr).toContain('var somebody is unsafe');
  expect(stderr).toMatch(/3 problems in 2 files\n$/);
});

test('in JSON the problems are data', async () => {
  const run = await cli(['check', '.', '--output', 'json'], { cwd: folderOf(broken) });
  expect(run.code).toBe(3);
  const { error } = run.json() as { error: { code: string; problems: { file: string; row: number }[] } };
  expect(error.code).toBe('REGO_INVALID');
  expect(error.problems.map(({ file, row }) => `${file}:${row}`).sort()).toEqual([
    'other/other.rego:3',
    'shop.rego:4',
    'shop.rego:5',
  ]);
});

test('a source that does not parse is named with its place', async () => {
  const { code, stderr } = await cli(['check', 'a.rego'], { cwd: folderOf({ 'a.rego': 'package a\n\nallow := {\n' }) });
  expect(code).toBe(3);
  expect(stderr).toMatch(/^a\.rego:\d+:\d+: /);
});

test('each default of a rule that has several is told at its own line', async () => {
  const cwd = folderOf({
    'p/a.rego': 'package p\n\n\ndefault allow := false\n',
    'p/a, b.rego': 'package p\n\n  default allow := true\n',
  });
  for (const command of ['check', 'build']) {
    const { code, stderr } = await cli([command, 'p'], { cwd });
    expect(stderr.split('\n')).toEqual([
      'p/a, b.rego:3:3: multiple default rules data.p.allow found <rego_type_error>',
      '  3 |   default allow := true',
      '    |   ^',
      'p/a.rego:4:1: multiple default rules data.p.allow found <rego_type_error>',
      '  4 | default allow := false',
      '    | ^',
      '2 problems in 2 files',
      '',
    ]);
    expect(code).toBe(3);
  }
});

const documented = `# METADATA
# title: May it
package p

# METADATA
# scope: document
# title: Allow
allow := true
`;

test('METADATA that stands twice is told at both places, and whether a file is a copy', async () => {
  const copied = folderOf({ 'p/p.rego': documented, 'p/p2.rego': documented });
  const { code, stderr } = await cli(['check', 'p'], { cwd: copied });
  expect(code).toBe(3);
  for (const [scope, whose, row] of [
    ['package', 'a package', 1],
    ['document', 'a rule', 5],
  ]) {
    for (const file of ['p/p.rego', 'p/p2.rego']) {
      expect(stderr).toContain(
        `${file}:${row}:1: METADATA (scope ${scope}) of ${whose} stands twice; the two files are equal: one is a copy of the other`,
      );
    }
  }
  const other = documented.replace('# METADATA\n# title: May it\n', '');
  const twice = await cli(['check', 'p'], { cwd: folderOf({ 'p/p.rego': documented, 'p/p2.rego': other }) });
  expect(twice.stderr).toContain(
    'p/p.rego:5:1: METADATA (scope document) of a rule stands twice; one place may have it',
  );
  expect(twice.stderr).toContain('p/p2.rego:3:1: METADATA (scope document) of a rule stands twice');
  expect(twice.stderr).toMatch(/2 problems in 2 files\n$/);
});

test.each([
  ['# METADATA\n# title: It\n# entrypoint true\n# schemas:\n#   - input: schema.x\n', 5, 'entrypoint: true'],
  ['# METADATA\n# entrypoint true\n', 4, 'entrypoint: true'],
  ['# METADATA\n# custom\n#   verdict: result\n', 4, 'custom:'],
])('a key of METADATA without its colon is told at its line: %j', async (metadata, row, meant) => {
  const cwd = folderOf({ 'p.rego': `package p\n\n${metadata}allow := true\n` });
  const { code, stderr } = await cli(['check', 'p.rego'], { cwd });
  expect(code).toBe(3);
  expect(stderr).toContain(`p.rego:${row}:3: METADATA: a key is followed by a colon; did you mean "${meant}"?`);
});

test('other slips in the YAML of METADATA stay as OPA tells them', async () => {
  const cwd = folderOf({ 'p.rego': 'package p\n\n# METADATA\n# title: [a\n# entrypoint: true\nallow := true\n' });
  const { stderr } = await cli(['check', 'p.rego'], { cwd });
  expect(stderr).toMatch(/^p\.rego:\d:1: yaml: line /);
});

test('a package that was not imported is named', async () => {
  const cwd = folderOf({
    'a/clinic.rego': 'package org.clinic\n\nallow := true\n',
    'a/door.rego': 'package door\n\nopen if clinic.allow\n',
  });
  const { code, stderr } = await cli(['check', 'a'], { cwd });
  expect(code).toBe(3);
  expect(stderr).toContain(
    'a/door.rego:3:9: var clinic is unsafe: nothing here has this name; for the package, import data.org.clinic',
  );
});

test('strict refuses an import that nobody uses', async () => {
  const cwd = folderOf({ 'a.rego': 'package a\n\nimport data.b\n\nallow := true\n' });
  expect(await cli(['check', 'a.rego'], { cwd })).toMatchObject({ code: 0 });
  const strict = await cli(['check', '--strict', 'a.rego'], { cwd });
  expect(strict.code).toBe(3);
  expect(strict.stderr).toContain('a.rego:3:1');
});

test('data of several paths comes together, and a place that two of them fill is refused', async () => {
  const files = {
    'one/a.rego': 'package a\n\nx := data.a1\n',
    'one/data.json': '{"shared": {"left": 1}}',
    'two/data.json': '{"shared": {"right": 12345678901234567890}}',
    'three.json': '{"shared": {"left": 2}}',
  };
  const cwd = folderOf(files);
  const query = ['eval', 'data.shared', '--bundle', 'one', '--bundle', 'two'];
  const merged = await cli(query, { cwd });
  expect(merged.stdout.replaceAll(/\s/g, '')).toBe('{"left":1,"right":12345678901234567890}');
  const twice = await cli([...query, '--data', 'three.json'], { cwd });
  expect(twice.code).toBe(3);
  expect(twice.stderr).toContain('shared.left');
});

const rule = 'package p\n\nallow := true\n';

test.each([
  [{ 'data.json': '{\n  "a": 1,\n  "a": 2\n}\n' }, 'data.json:3:3: ', 'the same member name twice', '  "a": 2'],
  [{ 'data.json': '{"p": {"x": 1},}' }, 'data.json:1:16: ', 'not JSON', '{"p": {"x": 1},}'],
  [{ 'data.json': '[1]' }, 'data.json:1:1: ', 'the data at the top must be an object', '[1]'],
  [{ 'data.yaml': 'a: 1\nb: {c: 1, c: 2}\n' }, 'data.yaml:2:11: ', '"c" stands twice', 'b: {c: 1, c: 2}'],
  [{ 'data.yaml': 'a: 1\nb: [1\nc: 2\n' }, 'data.yaml:3:', 'not YAML', 'c: 2'],
  [
    { 'data.json': '{"a": {\n "b": 1}}', 'a/data.yaml': 'x: 1\nb: 2\n' },
    'data.json:2:2: ',
    'a/data.yaml has a value at "a/b", too',
    ' "b": 1}}',
  ],
])('what is wrong with data is told at its place: %#', async (files, place, message, line) => {
  const cwd = folderOf(Object.fromEntries(Object.entries({ 'p.rego': rule, ...files }).map(([k, v]) => [`b/${k}`, v])));
  for (const command of ['check', 'build']) {
    const { code, stderr } = await cli([command, 'b'], { cwd });
    const at = stderr.split('\n').findIndex((found) => found.startsWith(`b/${place}`));
    expect(stderr.split('\n')[at], stderr).toContain(message);
    expect(stderr.split('\n')[at + 1]).toMatch(/^ {2}\d \| /);
    expect(stderr.split('\n')[at + 1]!.slice(6)).toBe(line);
    expect(stderr).not.toContain('verdict:');
    expect(code).toBe(3);
  }
});

test.each([[['check', 'nowhere'], 'nowhere is not there']])('%j fails: %s', async (argv, message) => {
  const { code, stderr } = await cli(argv);
  expect(stderr).toContain(message);
  expect(code).toBe(1);
});

test('what a source says cannot write to the terminal', async () => {
  const hostile = '\u001b]0;owned\u0007\u001b[2J';
  const cwd = folderOf({ 'a.rego': `package a\n\nallow := nobody # ${hostile}\n` });
  const { stderr } = await cli(['check', 'a.rego'], { cwd, tty: true });
  expect(stderr).toContain('owned');
  expect(stderr).not.toContain('\u001b]0');
  expect(stderr).not.toContain('\u001b[2J');
});

test('colours are for terminals, and NO_COLOR turns them off', async () => {
  const cwd = folderOf(good);
  const colour = '\u001b[32m';
  expect((await cli(['check', '.'], { cwd, tty: true })).stdout).toContain(colour);
  expect((await cli(['check', '.'], { cwd, tty: true, env: { NO_COLOR: '1' } })).stdout).not.toContain('\u001b');
  expect((await cli(['check', '.'], { cwd })).stdout).not.toContain('\u001b');
});

test('a schema that does not compile, and one that is not there, are problems of the bundle', async () => {
  const rego = '# METADATA\n# schemas:\n#   - input: schema.none\npackage shop\n\nallow := true\n';
  const cwd = folderOf({ 'shop/shop.rego': rego, 'shop/schemas/order.json': '{"type": "strng"}' });
  const { code, stderr } = await cli(['check', 'shop'], { cwd });
  expect(code).toBe(3);
  expect(stderr).toContain('shop/schemas/order.json:1:2: /type: must be equal to one of the allowed values');
  expect(stderr).toContain('shop/shop.rego:3:7: input: schema.none: there is no file schemas/none.json');
  expect(stderr).not.toContain('verdict:');
});

test.each([
  [{ 'a.json': '{\n  "type": "object",\n  "type": "array"\n}' }, 'schemas/a.json:3:3: ', 'the same member name twice'],
  [{ 'a.yaml': 'type: object\nproperties: {a: {type: strng}}\n' }, 'schemas/a.yaml:2:18: ', '/properties/a/type: '],
  [
    { 'a.json': '{\n  "properties": {\n    "a": {"$ref": "http://x"}}}' },
    'schemas/a.json:3:11: ',
    '/properties/a/$ref: ',
  ],
])('a schema file is wrong at a line of its own: %#', async (files, place, message) => {
  const schemas = Object.entries(files).map(([name, text]) => [`p/schemas/${name}`, text]);
  const { code, stderr } = await cli(['check', 'p'], {
    cwd: folderOf({ 'p/p.rego': rule, ...Object.fromEntries(schemas) }),
  });
  expect(stderr.split('\n')[0], stderr).toContain(`p/${place}`);
  expect(stderr.split('\n')[0]).toContain(message);
  expect(stderr.split('\n')[2]).toMatch(/^ +\| +\^$/);
  expect(code).toBe(3);
});

test('what nobody reads is a warning: members of the manifest, and METADATA under another head', async () => {
  const rego = '# Metadata\n# entrypoint: true\npackage shop\n\nallow := true\n\n# METADATA\n# title: a\nother := 1\n';
  const cwd = folderOf({ 'shop/shop.rego': rego, 'shop/.manifest': '{"revision": "1",\n "root": ["shop"]}' });
  const { code, stderr } = await cli(['check', 'shop'], { cwd });
  expect(code).toBe(0);
  expect(stderr).toContain('shop/.manifest:2:2: "root" in .manifest says nothing; did you mean roots?');
  expect(stderr).toContain('shop/shop.rego:1:1: nobody reads what follows: METADATA begins with "# METADATA"');
  expect(stderr).toContain('2 warnings');
});

test('a keyword of a schema that is close to a known one is a warning, as far down as it stands', async () => {
  const schema = `{"type": "object", "requierd": ["id"], "x-owner": "me", "properties": {
    "requierd": {"type": "string"},
    "items": {"allOf": [{"maxLenght": 3}], "enum": [{"maxLenght": 1}]}
  }}`;
  const cwd = folderOf({ 'shop/shop.rego': 'package shop\n\nallow := true\n', 'shop/schemas/order.json': schema });
  const { code, stderr } = await cli(['check', 'shop'], { cwd });
  expect(code).toBe(0);
  expect(stderr).toContain('shop/schemas/order.json:1:20: requierd asks nothing of an input; did you mean required?');
  expect(stderr).toContain('shop/schemas/order.json:3:26: maxLenght asks nothing of an input; did you mean maxLength?');
  expect(stderr).toContain('2 warnings');
});

test('a reference that the schema of the input leaves no room for is a warning, and an error when strict', async () => {
  const rego = `package shop

# METADATA
# entrypoint: true
# schemas:
#   - input: schema.order
allow if is_ann

is_ann if input.user.nmae == "ann"
`;
  const schema =
    '{"type": "object", "properties": {"user": {"type": "object", "properties": {"name": {"type": "string"}}}}}';
  const cwd = folderOf({ 'shop/shop.rego': rego, 'shop/schemas/order.json': schema });
  const loose = await cli(['check', 'shop'], { cwd });
  expect(loose.code).toBe(0);
  expect(loose.stderr).toContain('shop/shop.rego:9:11: undefined ref: input.user.nmae');
  expect((await cli(['check', '--strict', 'shop'], { cwd })).code).toBe(3);
});
