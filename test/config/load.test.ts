import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Config, ConfigError, type ConfigProblem, loadConfig } from '../../src/config/index.ts';

let dir: string;
let file: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'verdict-config-'));
  file = path.join(dir, 'verdict.yaml');
});
afterEach(() => rmSync(dir, { recursive: true }));

interface Given {
  readonly yaml?: string;
  readonly sets?: readonly string[];
  readonly env?: { readonly [name: string]: string };
}

const load = ({ yaml = '', sets = [], env = {} }: Given): Config => {
  writeFileSync(file, yaml);
  return loadConfig({ file, sets, env });
};

const refusal = (given: Given): ConfigError => {
  try {
    load(given);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('the configuration was accepted');
};

const problems = (given: Given): readonly ConfigProblem[] =>
  refusal(given).problems.map(({ key, message }) => ({ key, message: message.replace(`${dir}/`, '') }));

test('an empty file gives every default', () => {
  const config = load({});
  expect(config).toMatchObject({
    server: { admin: { host: '127.0.0.1', port: 8282 }, drainSeconds: 5, graceSeconds: 25 },
    cache: { maxBytes: 64 * 1024 * 1024 },
    storage: { dir: './.verdict' },
    observability: { logLevel: 'info', logFormat: 'auto' },
    audit: { durability: 'process', mask: { drop: [] } },
  });
});

test('the environment stands over the file, and --set over both', () => {
  const yaml = 'cache:\n  maxBytes: 1\nserver:\n  admin: { port: 1 }\n  drainSeconds: 1\n';
  const env = { VERDICT_SERVER__ADMIN__PORT: '2', VERDICT_SERVER__DRAIN_SECONDS: '2' };
  const config = load({ yaml, env, sets: ['server.drainSeconds=3', 'server.drainSeconds=4'] });
  expect(config.cache.maxBytes).toBe(1);
  expect(config.server.admin.port).toBe(2);
  expect(config.server.drainSeconds).toBe(4);
});

test('whoever sets a value, the strongest source wins', () => {
  const some = fc.option(fc.integer({ min: 0, max: 3600 }), { nil: undefined });
  fc.assert(
    fc.property(some, some, some, (inFile, inEnv, inSet) => {
      const config = load({
        yaml: inFile === undefined ? '' : `server: { graceSeconds: ${inFile} }`,
        env: inEnv === undefined ? {} : { VERDICT_SERVER__GRACESECONDS: String(inEnv) },
        sets: inSet === undefined ? [] : [`server.graceSeconds=${inSet}`],
      });
      expect(config.server.graceSeconds).toBe(inSet ?? inEnv ?? inFile ?? 25);
    }),
    { numRuns: 20 },
  );
});

test('variables of other programs and of the command itself are left alone', () => {
  const env = { VERDICT_TOKEN: 'x', VERDICT_SERVER: 'y', PATH: '/bin', OTHER__CACHE__MAXBYTES: '1' };
  expect(load({ env })).toEqual(load({}));
});

test.each([
  ['VERDICT_CACHE_MAX_BYTES', 'cache.maxBytes', 'VERDICT_CACHE__MAX_BYTES'],
  ['VERDICT_CACHE_MAXBYTE', 'cache.maxBytes', 'VERDICT_CACHE__MAX_BYTES'],
  ['VERDICT_SERVER_HTTP_PORT', 'server.http.port', 'VERDICT_SERVER__HTTP__PORT'],
  ['VERDICT_OBSERVABILITY_LOGLEVEL', 'observability.logLevel', 'VERDICT_OBSERVABILITY__LOG_LEVEL'],
])('%s, which lacks an underscore, is refused and not passed over', (variable, key, right) => {
  expect(problems({ env: { [variable]: '1' } })).toEqual([
    { key, message: `is set by ${right}, with two underscores (${variable})` },
  ]);
});

test('what container platforms set for a service that is called verdict does not stop a start', () => {
  const platform = {
    VERDICT_PORT: 'tcp://10.0.0.1:8181',
    VERDICT_SERVICE_HOST: '10.0.0.1',
    VERDICT_SERVICE_PORT: '8181',
  };
  const port = {
    VERDICT_SERVER_HTTP_PORT: 'tcp://10.0.0.1:8181',
    VERDICT_PORT_8181_TCP: 'tcp://10.0.0.1:8181',
    VERDICT_PORT_8181_TCP_ADDR: '10.0.0.1',
    VERDICT_FOO: 'x',
  };
  expect(load({ env: { ...platform, ...port } })).toEqual(load({}));
});

test.each([
  [
    'a port',
    ['server.http.port=9000', 'server.admin.port=9000'],
    'server.http.port',
    'port 9000 is that of server.admin, too',
  ],
  [
    'a port by another name',
    ['server.grpc.port=9000', 'server.admin.port=9000', 'server.grpc.host=localhost'],
    'server.grpc.port',
    'server.admin',
  ],
  [
    'a socket',
    ['server.http.socket=/run/v.sock', 'server.grpc.socket=/run/v.sock'],
    'server.grpc.socket',
    '/run/v.sock is that of server.http',
  ],
])('%s that two listeners were to have is refused', (_, sets, key, message) => {
  expect(problems({ sets })).toEqual([{ key, message: expect.stringContaining(message) }]);
});

test('ports that the system chooses, and those of a listener that is off, may be equal', () => {
  load({ sets: ['server.http.port=0', 'server.grpc.port=0', 'server.admin.port=0'] });
  load({ sets: ['server.http.port=9000', 'server.grpc.port=9000', 'server.grpc.enabled=false'] });
  load({ sets: ['server.http.port=9000', 'server.admin.port=9000', 'server.http.socket=/run/v.sock'] });
});

test('who looks for TLS is told that there is none yet, and where to read on', () => {
  for (const yaml of ['tls: {cert: x}', 'server:\n  http:\n    tls: {cert: x}\n'])
    expect(problems({ yaml })[0]?.message).toContain('docs/guides/behind-a-proxy.md');
});

test('where an example says what is wanted, no pattern does', () => {
  const [problem] = problems({ sets: ['authzen.baseUrl=pdp.example.com'] });
  expect(problem?.message).toContain('wanted text such as "https://pdp.example.com"');
});

test('lists and sections can be set from outside', () => {
  const config = load({ sets: ['cache.expiryPaths=[/a, /b]', 'audit.mask={drop: [/input/x]}'] });
  expect(config.cache.expiryPaths).toEqual(['/a', '/b']);
  expect(config.audit.mask).toEqual({ drop: ['/input/x'], replace: {}, allow: [] });
});

test('a setting that is text takes what looks like a number as text', () => {
  expect(load({ env: { VERDICT_STORAGE__DIR: '2026' } }).storage.dir).toBe('2026');
  expect(load({ sets: ['storage.dir=yes'] }).storage.dir).toBe('yes');
});

test('an unknown key is refused with its place and the nearest right one', () => {
  expect(problems({ yaml: 'storage:\n  dir: x\ncache:\n  maxByte: 5\n' })).toEqual([
    { key: 'cache.maxByte', message: 'there is no such setting; did you mean cache.maxBytes? (verdict.yaml:4:3)' },
  ]);
});

test.each([
  ['a section with a slip', { sets: ['cach.maxBytes=1'] }, 'cach', 'did you mean cache?'],
  ['a key in the wrong section', { sets: ['audit.maxBytes=1'] }, 'audit.maxBytes', 'did you mean cache.maxBytes?'],
  ['a key at the top', { yaml: 'drainSeconds: 3' }, 'drainSeconds', 'did you mean server.drainSeconds?'],
  ['a key without its unit', { sets: ['cache.maxAge=5'] }, 'cache.maxAge', 'did you mean cache.maxAgeSeconds?'],
  ['a variable of no section', { env: { VERDICT_CASHE__ENABLED: 'no' } }, 'cashe', '(VERDICT_CASHE__ENABLED)'],
  ['other letters in capitals', { yaml: 'cache: {maxbytes: 3}' }, 'cache.maxbytes', 'did you mean cache.maxBytes?'],
])('%s is recognised', (_, given, key, hint) => {
  expect(problems(given)).toEqual([{ key, message: expect.stringContaining(hint) }]);
});

test('a key that resembles nothing gets no guess', () => {
  expect(problems({ yaml: 'zzzzzzzz: 1' })[0]?.message).toBe('there is no such setting (verdict.yaml:1:1)');
});

test('__proto__ is a name like any other: unknown', () => {
  for (const given of [{ yaml: '__proto__: {cache: 1}' }, { sets: ['__proto__.polluted=1'] }])
    expect(problems(given)[0]?.key).toBe('__proto__');
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});

test('a wrong type says what was wanted and what came', () => {
  expect(problems({ yaml: 'cache:\n  maxBytes: lots\n' })).toEqual([
    { key: 'cache.maxBytes', message: 'wanted a whole number of at least 0, got "lots" (verdict.yaml:2:3)' },
  ]);
  expect(problems({ sets: ['observability.logLevel=loud'] })[0]?.message).toBe(
    'wanted one of fatal, error, warn, info, debug, silent, got "loud" (--set)',
  );
  expect(problems({ env: { VERDICT_SERVER__ADMIN: '[]' } })[0]?.message).toBe(
    'wanted a section with host, port, hosts, got a list (VERDICT_SERVER__ADMIN)',
  );
  expect(problems({ yaml: 'cache:\n  expiryPaths: [/a, 5]\n' })[0]).toMatchObject({ key: 'cache.expiryPaths.1' });
});

test('all problems are told at once', () => {
  const yaml = 'cache: {maxBytes: -1, enabled: 1}\nnothing: {}\n';
  const sets = ['server.admin.port=70000', 'no-value', 'storage.dir='];
  expect(
    problems({ yaml, sets })
      .map(({ key }) => key)
      .sort(),
  ).toEqual(['', 'cache.enabled', 'cache.maxBytes', 'nothing', 'server.admin.port', 'storage.dir']);
});

test.each([
  ['a key that stands twice', 'cache: {}\ncache: {}\n', '2:1'],
  ['what is no YAML', 'cache: [\n', '2:1'],
  ['a tag of another schema', 'cache: !!js/function x\n', '1:8'],
])('%s is refused with its place', (_, yaml, at) => {
  const { code, problems: found } = refusal({ yaml });
  expect(code).toBe('CONFIG_SYNTAX');
  expect(found[0]?.message).toContain(`verdict.yaml:${at})`);
});

test('a file of another shape is refused', () => {
  expect(problems({ yaml: '- a\n- b\n' })[0]).toMatchObject({ key: '' });
  expect(problems({ yaml: '5' })[0]).toMatchObject({ key: '' });
});

test('a file that was named must be there', () => {
  expect(() => loadConfig({ file: path.join(dir, 'missing.yaml'), sets: [], env: {} })).toThrowError(
    expect.objectContaining({ code: 'CONFIG_UNREADABLE', message: expect.stringContaining('missing.yaml') }),
  );
});

const OUTSIDE = ['0.0.0.0', '::', '192.168.1.1', 'example.org', '::ffff:10.0.0.1'];

test.each(OUTSIDE)('listeners on %s are refused', (host) => {
  const found = problems({ sets: ['admin', 'http', 'grpc'].map((name) => `server.${name}.host=${host}`) });
  expect(found.map(({ key }) => key)).toEqual(['server.http.host', 'server.grpc.host', 'server.admin.host']);
  for (const { message } of found) expect(message).toMatch(/set 127\.0\.0\.1, ::1 or localhost.*\(--set\)$/);
});

test.each(['127.0.0.1', '127.3.2.1', '::1', 'localhost'])('listeners on %s are accepted', (host) => {
  const config = load({ sets: [`server.admin.host=${host}`, `server.http.host=${host}`] });
  expect([config.server.admin.host, config.server.http.host]).toEqual([host, host]);
});

test('on a Unix socket the host of the decision listener does not matter', () => {
  expect(load({ sets: ['server.http.host=0.0.0.0', 'server.http.socket=/run/v.sock'] }).server.http.socket).toBe(
    '/run/v.sock',
  );
});

test('what was loaded cannot be changed', () => {
  const config = load({}) as { cache: { maxBytes: number } };
  expect(() => {
    config.cache.maxBytes = 1;
  }).toThrow(TypeError);
});
