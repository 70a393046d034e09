import { expect, test } from 'vitest';
import { cli, folderOf } from './run.ts';

const commands = [
  'serve',
  'build',
  'test',
  'check',
  'fmt',
  'eval',
  'push',
  'versions',
  'activate',
  'rollback',
  'token',
  'decisions',
  'config',
];

test('help names every command, the options of all, and what exit codes mean', async () => {
  const { code, stdout, stderr } = await cli(['--help']);
  expect(code).toBe(0);
  expect(stderr).toBe('');
  for (const command of commands) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
  for (const option of ['--output', '--config', '--set', '--server', '--token-file']) expect(stdout).toContain(option);
  expect(stdout).toMatch(/3 {2}the policy does not compile/);
});

test('the version is printed alone', async () => {
  expect(await cli(['--version'])).toMatchObject({ code: 0, stdout: '1.2.3\n', stderr: '' });
});

test.each(commands)('%s has help with an example that starts with its name', async (command) => {
  const groups: { [name: string]: string } = { token: 'create', decisions: 'show', config: 'check' };
  const words = [command, ...(groups[command] === undefined ? [] : [groups[command]])];
  const { code, stdout } = await cli([...words, '--help']);
  expect(code).toBe(0);
  expect(stdout).toContain(`Examples:`);
  expect(stdout).toContain(`  verdict ${words.join(' ')}`);
  expect(stdout).toContain('--output <format>');
});

test('without a command, help goes to stderr and the exit code is 2', async () => {
  const { code, stdout, stderr } = await cli([]);
  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toContain('Commands:');
});

test('a command that does not exist is wrong usage, and the nearest one is named', async () => {
  const { code, stderr } = await cli(['pusch']);
  expect(code).toBe(2);
  expect(stderr).toContain("unknown command 'pusch'");
  expect(stderr).toContain('push');
});

test.each([
  [['push', 'todo'], "missing required argument 'path'"],
  [['versions'], "missing required argument 'name'"],
  [['versions', 'todo', '--colour'], "unknown option '--colour'"],
  [['versions', 'todo', 'more'], 'too many arguments'],
  [['versions', 'todo', '--output', 'xml'], 'Allowed choices are text, json'],
  [['versions', 'No Name'], 'a bundle'],
  [['activate', 'todo', 'latest'], 'a version is a number such as 3; not "latest"'],
  [['token', 'create', 'ci'], 'at least one --role'],
  [['token', 'create', 'ci', '--role', 'ask', '--expires', 'soon'], 'such as 90d'],
  [['test', '.', '--threshold', 'most'], 'a percentage from 0 to 100'],
  [['fmt', '.', '--write', '--check'], 'choose one'],
  [['eval', 'todo/allow', '--server', 'localhost:8181'], 'an address such as http://'],
  [['eval', 'x := 1', '--server', 'http://127.0.0.1:1'], 'a server answers paths'],
  [['decisions', 'show', '../v1/tokens'], 'a decision id is a UUID'],
  [['decisions', 'show', 'abc'], 'a decision id is a UUID'],
])('%j is wrong usage: %s', async (argv, message) => {
  const { code, stdout, stderr } = await cli(argv);
  expect(stderr).toContain(message);
  expect(code).toBe(2);
  expect(stdout).toBe('');
});

test('in JSON a failure is one document on stdout', async () => {
  const run = await cli(['activate', 'todo', 'latest', '--output', 'json']);
  expect(run.code).toBe(2);
  expect(run.json()).toEqual({ error: { code: 'USAGE', message: 'a version is a number such as 3; not "latest"' } });
});

test.each([
  [['pusch', '--output', 'json'], "unknown command 'pusch'"],
  [['versions', '--output=json'], "missing required argument 'name'"],
])('in JSON a command line that cannot be read is a document too: %j', async (argv, message) => {
  const run = await cli(argv);
  expect(run.code).toBe(2);
  expect(run.json()).toMatchObject({ error: { code: 'USAGE', message: expect.stringContaining(message) } });
});

test('a group of commands alone is wrong usage, and its commands are shown', async () => {
  const { code, stdout, stderr } = await cli(['token']);
  expect(code).toBe(2);
  expect(stdout).toBe('');
  for (const command of ['create', 'list', 'revoke']) expect(stderr).toContain(command);
});

test('help for a command is there in both words', async () => {
  const [one, other] = [await cli(['help', 'push']), await cli(['push', '--help'])];
  expect(one.code).toBe(0);
  expect(one.stdout).toBe(other.stdout);
});

test.each([['check'], ['test'], ['fmt'], ['build'], ['push', 'shop'], ['eval', 'x := 1', '--bundle']])(
  'a folder with neither Rego nor data is a slip: verdict %s',
  async (...argv) => {
    const cwd = folderOf({ 'none/readme.txt': 'nothing', 'none/schemas/a.json': '{}' });
    const { code, stdout, stderr } = await cli([...argv, 'none'], { cwd });
    expect(stderr).toBe('verdict: none: there is no Rego and no data\n');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  },
);

test('a folder of data alone is checked, formatted and built, and has no tests', async () => {
  const cwd = folderOf({ 'roles/data.json': '{"roles": {}}' });
  expect(await cli(['check', 'roles'], { cwd })).toMatchObject({
    code: 0,
    stdout: 'no problems in the data: 0 packages, 0 rules, 0 tests\n',
  });
  expect(await cli(['fmt', '--check', 'roles'], { cwd })).toMatchObject({ code: 0 });
  expect(await cli(['build', 'roles'], { cwd })).toMatchObject({ code: 0 });
  expect(await cli(['test', 'roles'], { cwd })).toMatchObject({ code: 4, stderr: 'verdict: no tests in roles\n' });
});
