import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { cli, folderOf } from './run.ts';

test('the configuration in force is shown: file, environment and --set over the defaults', async () => {
  const cwd = folderOf({ 'v.yaml': 'cache:\n  maxAgeSeconds: 7\n  maxBytes: 1048576\n' });
  const argv = ['config', 'show', '--config', 'v.yaml', '--set', 'server.http.port=0'];
  const around = { cwd, env: { VERDICT_CACHE__MAX_AGE_SECONDS: '9' } };
  const { code, stdout } = await cli(argv, around);
  expect(code).toBe(0);
  expect(parse(stdout)).toMatchObject({
    cache: { maxAgeSeconds: 9, maxBytes: 1_048_576 },
    server: { http: { port: 0 }, admin: { port: 8282 } },
  });
  expect((await cli([...argv, '--output', 'json'], around)).json()).toEqual(parse(stdout));
});

test('the schema is one JSON Schema', async () => {
  const run = await cli(['config', 'schema']);
  expect(run.code).toBe(0);
  expect(run.json()).toMatchObject({ type: 'object', properties: { server: {}, cache: {} } });
});

test('a valid configuration is said to be', async () => {
  expect(await cli(['config', 'check'])).toMatchObject({ code: 0, stdout: 'the configuration is valid\n' });
});

test('every problem of a configuration is named with its key and place, and the exit code is 2', async () => {
  const cwd = folderOf({ 'v.yaml': 'cache:\n  maxAgeSecond: 7\nserver:\n  http:\n    port: lots\n' });
  const { code, stdout, stderr } = await cli(['config', 'check', '--config', 'v.yaml', '--set', 'nothing=1'], { cwd });
  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toMatch(/cache\.maxAgeSecond.*v\.yaml:2/);
  expect(stderr).toMatch(/server\.http\.port.*v\.yaml:5/);
  expect(stderr).toMatch(/nothing.*--set/);
  const json = await cli(['config', 'check', '--config', 'v.yaml', '--output', 'json'], { cwd });
  expect(json.json()).toMatchObject({
    error: { code: 'CONFIG_INVALID', problems: [{ key: expect.any(String) }, { key: expect.any(String) }] },
  });
});

test('a configuration file that is missing is wrong usage', async () => {
  const { code, stderr } = await cli(['config', 'check', '--config', 'missing.yaml']);
  expect(code).toBe(2);
  expect(stderr).toContain('missing.yaml');
});

test('serve refuses a wrong configuration as check does', async () => {
  const { code, stderr } = await cli(['serve', '--set', 'server.http.prot=1']);
  expect(code).toBe(2);
  expect(stderr).toContain('server.http.prot');
});
