import { type AddressInfo, createServer } from 'node:net';
import path from 'node:path';
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

test('a value that is no default says where it comes from, and the order is the same whatever was set', async () => {
  const cwd = folderOf({ 'v.yaml': 'cache:\n  maxAgeSeconds: 7\naudit:\n  mask: { drop: [/input/x] }\n' });
  const env = { VERDICT_STORAGE__DIR: 'state' };
  const { stdout } = await cli(['config', 'show', '--config', 'v.yaml', '--set', 'server.http.port=0'], { cwd, env });
  expect(stdout).toMatch(/^ {2}maxAgeSeconds: 7 # .*v\.yaml:2:3$/m);
  expect(stdout).toMatch(/^ {2}dir: state # VERDICT_STORAGE__DIR$/m);
  expect(stdout).toMatch(/^ {4}port: 0 # --set$/m);
  expect(stdout).toMatch(/# .*v\.yaml:4:11\n\s+drop:\n/);
  expect(stdout).toMatch(/^ {2}maxBytes: 67108864$/m);
  const keys = (text: string): string[] => Object.keys(parse(text) as object);
  expect(keys(stdout)).toEqual(keys((await cli(['config', 'show'], { cwd })).stdout));
});

test('the schema is one JSON Schema', async () => {
  const run = await cli(['config', 'schema']);
  expect(run.code).toBe(0);
  expect(run.json()).toMatchObject({ type: 'object', properties: { server: {}, cache: {} } });
});

test('a valid configuration is said to be', async () => {
  const sets = ['http', 'grpc', 'admin'].flatMap((name) => ['--set', `server.${name}.port=0`]);
  const cwd = folderOf({ 'v.yaml': `storage: {dir: ${folderOf({})}/state}` });
  const file = path.join(cwd, 'v.yaml');
  const argv = ['config', 'check', '--config', 'v.yaml', ...sets];
  const env = { VERDICT_CACHE__MAX_AGE_SECONDS: '9' };
  const { code, stdout } = await cli(argv, { cwd, env });
  expect(code).toBe(0);
  const sources = `${file}, VERDICT_CACHE__MAX_AGE_SECONDS, --set`;
  expect(stdout).toMatch(/^the configuration is valid \((.+)\); state lies in (\/.+\/state)\n$/);
  expect(stdout).toContain(`(${sources})`);
  expect((await cli([...argv, '--output', 'json'], { cwd, env })).json()).toEqual({
    ok: true,
    sources: sources.split(', '),
    storageDir: expect.stringMatching(/\/state$/),
    warnings: [],
  });
});

test('a check of the defaults says that it read no file', async () => {
  const sets = ['http', 'grpc', 'admin'].map((name) => [`VERDICT_SERVER__${name.toUpperCase()}__PORT`, '0'] as const);
  const { stdout } = await cli(['config', 'check', '--set', 'storage.dir=/tmp'], { env: Object.fromEntries(sets) });
  expect(stdout).not.toContain('verdict.yaml');
  expect((await cli(['config', 'check'])).stdout).toContain('(defaults alone, no verdict.yaml is here)');
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

test('what on this machine would keep a server from starting is told, with exit code 2', async () => {
  const cwd = folderOf({
    'v.yaml':
      'storage: {dir: v.yaml/state}\npolicy:\n  bundles: [{name: shop, path: nowhere}]\nengine:\n  network: {tlsFiles: [/none.pem]}\n',
  });
  const { code, stderr } = await cli(['config', 'check', '--config', 'v.yaml'], { cwd });
  expect(code).toBe(2);
  expect(stderr).toContain('v.yaml is no folder');
  expect(stderr).toContain('nowhere (shop) is not there');
  expect(stderr).toContain('/none.pem is not there');
});

test('a port that is in use is told: the server that the configuration is for may have it', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  const sets = ['--set', `server.http.port=${port}`, '--set', 'server.grpc.port=0', '--set', 'server.admin.port=0'];
  const { code, stdout, stderr } = await cli(['config', 'check', ...sets]);
  other.close();
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('the configuration is valid (--set)') });
  expect(stderr).toContain(`server.http: port ${port} on 127.0.0.1 is in use now`);
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
