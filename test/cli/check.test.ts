import { expect, test } from 'vitest';
import { broken, good } from './policies.ts';
import { cli, folderOf } from './run.ts';

test('sources without problems are counted', async () => {
  const { code, stdout, stderr } = await cli(['check', '.'], { cwd: folderOf(good) });
  expect(stderr).toBe('');
  expect(stdout).toBe('no problems in 2 files: 1 package, 1 rule, 2 tests\n');
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

test('a builtin that servers refuse is a warning with its place', async () => {
  const cwd = folderOf({ 'p/a.rego': 'package a\n\nx := http.send({"method": "get", "url": "http://a"})\n' });
  const { code, stderr } = await cli(['check', 'p'], { cwd });
  expect(code).toBe(0);
  expect(stderr).toMatch(/^p\/a\.rego:3:6: http\.send needs the network/);
  const built = await cli(['build', 'p'], { cwd });
  expect(built.code).toBe(3);
  expect(built.stderr).toContain('p/a.rego:3:6: http.send needs the network');
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
  expect(twice.code).toBe(1);
  expect(twice.stderr).toContain('shared.left');
});

test.each([
  [['check', 'nowhere'], 'nowhere is not there'],
  [['check', '.'], 'no .rego files in .'],
])('%j fails: %s', async (argv, message) => {
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
  expect(stderr).toContain('shop/schemas/order.json:1:1: /type: must be equal to one of the allowed values');
  expect(stderr).toContain('shop/shop.rego:1:1: input: schema.none: there is no file schemas/none.json');
});
