import { expect, test } from 'vitest';
import { good } from './policies.ts';
import { cli, folderOf } from './run.ts';

test('a path query prints the value', async () => {
  const cwd = folderOf({ ...good, 'input.json': '{"user": "alice"}' });
  const run = await cli(['eval', 'data.shop.allow', '--bundle', '.', '--input', 'input.json'], { cwd });
  expect(run).toMatchObject({ code: 0, stdout: 'true\n', stderr: '' });
});

test('input comes from stdin too, and big numbers stay what they are', async () => {
  const run = await cli(['eval', 'input.n', '--input', '-'], { stdin: '{"n": [12345678901234567890, 1.50]}' });
  expect(run.stdout.replaceAll(/\s/g, '')).toBe('[12345678901234567890,1.50]');
});

test('bindings are a table, one row a solution', async () => {
  const { stdout } = await cli(['eval', 'x := [1, 2][_]; y := {"a"}']);
  expect(stdout).toBe('x  y\n1  ["a"]\n2  ["a"]\n');
});

test('what is undefined is said to be, and is an empty list in JSON', async () => {
  const cwd = folderOf(good);
  expect(await cli(['eval', 'data.shop.nothing', '--bundle', '.'], { cwd })).toMatchObject({
    code: 0,
    stdout: 'undefined\n',
  });
  const run = await cli(['eval', 'input.user', '--bundle', '.', '--output', 'json'], { cwd });
  expect(run.json()).toEqual({ bindings: [] });
});

test('--explain shows the way, and print its lines, on stderr', async () => {
  const cwd = folderOf({
    'a.rego': 'package a\n\nallow if {\n\tprint("user is", input.user)\n\tinput.user == "alice"\n}\n',
  });
  const argv = ['eval', 'data.a.allow', '--bundle', 'a.rego', '--input', '-', '--explain'];
  const { code, stdout, stderr } = await cli(argv, { cwd, stdin: '{"user": "alice"}' });
  expect(code).toBe(0);
  expect(stdout).toBe('true\n');
  expect(stderr).toContain('data.a.allow');
  expect(stderr).toContain('user is alice');
});

test('--explain shows the values of rules on both sides, and what a builtin said', async () => {
  const cwd = folderOf({
    'a.rego': `package a

user := data.people[input.id]

owner := input.owner

mine if owner == user.email

late if time.clock([1, data.zone])[0] > 18
`,
    'data.json': '{"people": {"7": {"email": "bob"}}, "zone": "Europe/Berln"}',
  });
  const explained = async (rule: string): Promise<string> => {
    const argv = ['eval', `data.a.${rule}`, '--bundle', '.', '--input', '-', '--explain'];
    return (await cli(argv, { cwd, stdin: '{"id": "7", "owner": "al"}' })).stderr;
  };
  expect(await explained('mine')).toContain(
    '  stopped at owner == user.email  a.rego:7\n      data.a.owner = "al"\n      data.a.user.email = "bob"\n',
  );
  expect(await explained('late')).toContain(
    '      data.zone = "Europe/Berln"\n      time.clock: unknown time zone Europe/Berln\n',
  );
});

test('an error of a builtin is undefined, or ends a strict evaluation', async () => {
  const query = 'to_number("x")';
  expect(await cli(['eval', query])).toMatchObject({ code: 0, stdout: 'undefined\n' });
  const strict = await cli(['eval', query, '--strict-builtin-errors', '--output', 'json']);
  expect(strict.code).not.toBe(0);
  expect(strict.json()).toMatchObject({ error: { code: 'REGO_INVALID' } });
});

test('a query that does not parse is shown with a caret', async () => {
  const { code, stderr } = await cli(['eval', 'data.a = = 1']);
  expect(code).toBe(3);
  expect(stderr).toContain('data.a = = 1');
  expect(stderr).toMatch(/^query:1:\d+: /);
  expect(stderr).toMatch(/\| +\^/);
});

test('input that is not JSON is named with its file', async () => {
  const { code, stderr } = await cli(['eval', 'input', '--input', 'i.json'], { cwd: folderOf({ 'i.json': '{"a":' }) });
  expect(code).toBe(1);
  expect(stderr).toContain('the input in i.json is not JSON');
});

test('data comes from files by any name, and keeps its numbers', async () => {
  const cwd = folderOf({ 'users.json': '{"a": 1.0}', 'more.yaml': 'b: 2.5\n', plain: '{"c": 12345678901234567890}' });
  const files = ['users.json', 'more.yaml', 'plain'].flatMap((file) => ['--data', file]);
  const { stdout, stderr } = await cli(['eval', 'data', ...files], { cwd });
  expect(stderr).toBe('');
  expect(stdout.replaceAll(/\s/g, '')).toBe('{"a":1.0,"b":2.5,"c":12345678901234567890}');
});

test('a data file that is not JSON is named as the person named it', async () => {
  const cwd = folderOf({ 'users.json': '{"a": 1,}' });
  const { code, stderr } = await cli(['eval', 'data.a', '--data', 'users.json'], { cwd });
  expect(code).toBe(3);
  expect(stderr).toMatch(/^users\.json:1:9: not JSON/);
});

test('a path as a server takes it is said to be none of Rego; a division is one', async () => {
  const cwd = folderOf({ 'a.rego': 'package a\n\nallow := true\n' });
  const { code, stderr } = await cli(['eval', 'a/allow', '--bundle', 'a.rego'], { cwd });
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('data.a.allow, not a/allow') });
  expect((await cli(['eval', '4/2'])).stdout).toBe('2\n');
});

test.each([
  ['data.shop.alow', 'nothing here provides data.shop.alow; did you mean data.shop.allow?'],
  ['data.shopp["allow"]', 'nothing here provides data.shopp; did you mean data.shop?'],
  ['data.nowhere.at.all', 'nothing here provides data.nowhere\n'],
])('%s is undefined, and said to be a path that nothing provides', async (query, message) => {
  const run = await cli(['eval', query, '--bundle', '.'], { cwd: folderOf(good) });
  expect(run).toMatchObject({ code: 0, stdout: 'undefined\n', stderr: expect.stringContaining(`warning: ${message}`) });
  const json = (await cli(['eval', query, '--bundle', '.', '--output', 'json'], { cwd: folderOf(good) })).json();
  expect(json).toEqual({ bindings: [], warnings: [message.trim()] });
});

test.each(['data.shop_test.test_none', 'data.shop.roles.carol[0] == 1', 'input.user'])(
  '%s is undefined without a warning',
  async (query) => {
    const run = await cli(['eval', query, '--bundle', '.'], { cwd: folderOf(good) });
    expect(run).toMatchObject({ code: 0, stdout: 'undefined\n', stderr: '' });
  },
);

const strict = {
  'p/shop.rego': `package shop

# METADATA
# entrypoint: true
# scope: document
# schemas:
#   - input: schema.request
decision := {"allow": true}

other := 1
`,
  'p/schemas/request.json': '{"type": "object", "required": ["action"]}',
};

test('an input that a server would refuse is evaluated, with a warning that names the place', async () => {
  const cwd = folderOf({ ...strict, 'bad.json': '{"subject": {}}', 'good.json': '{"action": {}}' });
  const sentence =
    'warning: a server refuses this (input_invalid): the input is not what shop/decision takes: /action is missing';
  for (const query of ['data.shop.decision', 'data.shop.decision.allow', 'data.shop']) {
    const run = await cli(['eval', query, '--bundle', 'p', '--input', 'bad.json'], { cwd });
    expect(run).toMatchObject({ code: 0, stderr: expect.stringContaining(sentence) });
    expect((await cli(['eval', query, '--bundle', 'p', '--input', 'good.json'], { cwd })).stderr).toBe('');
  }
  expect((await cli(['eval', 'data.shop.decision', '--bundle', 'p'], { cwd })).stderr).toContain(
    'a server refuses this',
  );
  expect((await cli(['eval', 'data.shop.other', '--bundle', 'p', '--input', 'bad.json'], { cwd })).stderr).toBe('');
});
