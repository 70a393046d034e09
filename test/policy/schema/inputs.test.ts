import { afterAll, expect, test } from 'vitest';
import type { InputCheck } from '../../../src/decision/model.ts';
import { buildBundle, defaultArchiveLimits, PolicyError, readArchive } from '../../../src/policy/index.ts';
import { inputChecks } from '../../../src/policy/schema/inputs.ts';
import type { Contents } from '../archives.ts';
import { filesOf } from '../archives.ts';
import { testToolchain } from '../stores.ts';

const toolchain = testToolchain();

afterAll(() => toolchain.close());

const checksOf = async (contents: Contents): Promise<(entrypoint: string, input?: unknown) => string | undefined> => {
  const { info, schemas } = await buildBundle(filesOf(contents), { toolchain });
  const checks: ReadonlyMap<string, InputCheck> = inputChecks({ ...info, packages: info.packages ?? [] }, schemas);
  return (entrypoint, input) => checks.get(entrypoint)?.(() => input)?.message;
};

const refusal = async (contents: Contents): Promise<PolicyError> => {
  const found: unknown = await buildBundle(filesOf(contents), { toolchain }).catch((error: unknown) => error);
  if (found instanceof PolicyError) return found;
  throw new Error('the bundle was built');
};

const wanting = (...names: readonly string[]): string => JSON.stringify({ type: 'object', required: names });

test('METADATA of subpackages, package, document and rule hold for a rule, an inner one in place of an outer one', async () => {
  const check = await checksOf({
    'app.rego': [
      '# METADATA\n# scope: subpackages\n# schemas:\n#   - input: schema["outer"]\npackage app\n\nplain := 1\n',
    ].join(''),
    'shop.rego': [
      '# METADATA\n# schemas:\n#   - input: schema.shop.request\npackage app.shop\n',
      'sold := 1',
      '# METADATA\n# entrypoint: false\n# scope: document\n# schemas:\n#   - input: {required: [c]}\nbought := 1',
      '# METADATA\n# schemas:\n#   - input.d: {type: string}\nmember := 1',
    ].join('\n\n'),
    'schemas/outer.json': wanting('a'),
    'schemas/shop/request.yaml': 'type: object\nrequired: [b]\n',
  });
  expect(check('app/plain', {})).toBe('the input is not what app/plain takes: /a is missing');
  expect(check('app/shop/sold', {})).toContain('takes: /b is missing');
  expect(check('app/shop/bought', {})).toContain('takes: /c is missing');
  expect(check('app/shop/bought', { c: 1 })).toBeUndefined();
  expect(check('app/shop/member', { d: 'x' })).toContain('/b is missing');
  expect(check('app/shop/member', { b: 1, d: 1 })).toContain('/d wanted string, got number');
  expect(check('app/shop/member', { b: 1 })).toContain('/d is missing (wanted string)');
});

test('a schema for a member stands in place of what the outer one says of it', async () => {
  const check = await checksOf({
    'a.rego': [
      '# METADATA\n# schemas:\n#   - input: schema.all\npackage a\n',
      '# METADATA\n# schemas:\n#   - input.user: {type: string}\n#   - input.more: {type: number}\nmember := 1',
      '# METADATA\n# schemas:\n#   - input.user: {type: string}\n#   - input: {}\nanything := 1',
    ].join('\n'),
    'schemas/all.json': JSON.stringify({
      type: 'object',
      additionalProperties: false,
      properties: { user: { type: 'object' }, id: { type: 'string' } },
    }),
  });
  expect(check('a/member', { user: 'ann', more: 1, id: 'x' })).toBeUndefined();
  expect(check('a/member', { user: {}, more: 1 })).toContain('/user wanted string, got object');
  expect(check('a/member', { user: 'ann', more: 1, id: 1 })).toContain('/id wanted string');
  expect(check('a/anything', 5)).toBeUndefined();
});

test('bodies of one rule with schemas of their own: one that takes the input is enough', async () => {
  const check = await checksOf({
    'a.rego':
      'package a\n\n# METADATA\n# scope: rule\n# schemas:\n#   - input: {required: [card]}\nallow if input.card\n\n' +
      '# METADATA\n# scope: rule\n# schemas:\n#   - input: {required: [cash]}\nallow if input.cash\n',
  });
  expect(check('a/allow', { card: 1 })).toBeUndefined();
  expect(check('a/allow', { cash: 1 })).toBeUndefined();
  expect(check('a/allow', {})).toContain('/card is missing');
});

test('a package is asked with what every rule in it takes, the first in order of path is named', async () => {
  const check = await checksOf({
    'a.rego':
      'package a\n\n# METADATA\n# schemas:\n#   - input: {required: [y]}\nyes := 1\n\n' +
      '# METADATA\n# schemas:\n#   - input: {required: [n]}\nno := 1\n\nfree := 1\n',
  });
  expect(check('a', {})).toBe('the input is not what a/no takes: /n is missing');
  expect(check('a', { n: 1 })).toBe('the input is not what a/yes takes: /y is missing');
  expect(check('a', { n: 1, y: 1 })).toBeUndefined();
  expect(check('a/free', {})).toBeUndefined();
});

test('schemas stay in the archive, and a build of it has the same bytes and checks', async () => {
  const contents = {
    'a.rego': '# METADATA\n# schemas:\n#   - input: schema.deep["in.put"]\npackage a\n\nallow := true\n',
    'schemas/deep/in.put.json': wanting('a'),
    'data.json': '{"a": {"x": 1}}',
  };
  const { archive } = await buildBundle(filesOf(contents), { toolchain });
  const again = await readArchive(archive, defaultArchiveLimits);
  expect([...again.files.keys()]).toContain('schemas/deep/in.put.json');
  expect(Buffer.from((await buildBundle(again, { toolchain })).archive).equals(Buffer.from(archive))).toBe(true);
  const check = await checksOf(Object.fromEntries(again.files));
  expect(check('a/allow', {})).toContain('/a is missing');
});

test('a file called data.json is data, also below schemas', async () => {
  const { manifest } = await buildBundle(filesOf({ 'schemas/data.json': '{"x": 1}' }), { toolchain });
  expect(manifest.roots).toEqual(['schemas']);
});

const policy = (line: string): string => `# METADATA\n# schemas:\n#   - ${line}\npackage a\n\nallow := true\n`;

test.each<[string, Contents, string, string]>([
  ['that no file provides', { 'a.rego': policy('input: schema["x"]') }, 'a.rego', 'there is no file schemas/x.json'],
  ['without a name', { 'a.rego': policy('input: schema') }, 'a.rego', 'have names of their own'],
  ['for data that no file provides', { 'a.rego': policy('data.a: schema.x') }, 'a.rego', 'data.a: schema.x'],
  ['in METADATA that is none', { 'a.rego': policy('input: {type: strng}') }, 'a.rego', '/type: must be equal to one'],
  ['for an item', { 'a.rego': policy('input.list[0]: {type: string}') }, 'a.rego', 'that names lead to'],
  [
    'file that is none',
    { 'a.rego': policy('input: schema.x'), 'schemas/x.json': '{"type": 1}' },
    'schemas/x.json',
    '/type',
  ],
  [
    'file that nothing uses',
    { 'a.rego': 'package a\nx := 1', 'schemas/y.json': '{"type": 1}' },
    'schemas/y.json',
    '/type',
  ],
  [
    'file that is no JSON',
    { 'a.rego': 'package a\nx := 1', 'schemas/y.json': '{"a": 1, "a": 2}' },
    'schemas/y.json',
    'not a schema',
  ],
  [
    'name twice',
    { 'a.rego': 'package a\nx := 1', 'schemas/y.json': '{}', 'schemas/y.yaml': '{}' },
    'schemas/y.yaml',
    'schemas/y.json has the same name',
  ],
  [
    'file that is too large',
    { 'a.rego': 'package a\nx := 1', 'schemas/y.json': JSON.stringify({ title: 'x'.repeat(300_000) }) },
    'schemas/y.json',
    'at most 262144 bytes',
  ],
])('a schema %s is refused with its place', async (_, contents, file, why) => {
  const error = await refusal(contents);
  expect(error.code).toBe('SCHEMA_INVALID');
  expect(error.message).toContain(why);
  expect(error.problems[0]).toMatchObject({ code: 'verdict_schema_error', file });
});
