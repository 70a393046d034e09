import { expect, test } from 'vitest';
import { readManifest, regoSources } from '../../src/policy/index.ts';
import { filesOf } from './archives.ts';

const manifest = (value: unknown) =>
  readManifest(filesOf({ '.manifest': typeof value === 'string' ? value : JSON.stringify(value) })).manifest;

test('without a manifest a bundle owns everything, in the present version of Rego', () => {
  expect(readManifest(filesOf({})).manifest).toEqual({
    revision: '',
    roots: [''],
    regoVersion: 1,
    fileRegoVersions: {},
    wasm: [],
    metadata: {},
  });
});

test('roots lose their outer slashes', () => {
  expect(manifest({ roots: ['/todo/', 'app/users'] }).roots).toEqual(['todo', 'app/users']);
});

test('the module of a foreign build names the entrypoints; our own builds name them when an author did', () => {
  const wasm = [{ entrypoint: 'todo/allow', module: '/policy.wasm' }];
  expect(manifest({ wasm })).toMatchObject({
    wasm: [{ entrypoint: 'todo/allow', module: 'policy.wasm' }],
    entrypoints: ['todo/allow'],
  });
  expect(manifest({ metadata: { verdict: { entrypoints: ['b', '/a/'] } } }).entrypoints).toEqual(['a', 'b']);
  const built = { compiler: {}, named: false, entrypoints: ['todo', 'todo/allow'] };
  expect(manifest({ metadata: { verdict: built } }).entrypoints).toBeUndefined();
});

test('members that a manifest does not have are ignored, as OPA does', () => {
  expect(manifest({ revision: 'r1', $schema: 'x' }).revision).toBe('r1');
});

test.each([
  ['no JSON', '{', /not JSON/],
  ['a duplicate key', '{"revision":"a","revision":"b"}', /not JSON/],
  ['a list', '[]', /an object/],
  ['roots that overlap', { roots: ['a', 'a/b'] }, /"a" and "a\/b" overlap/],
  ['one root twice', { roots: ['a', '/a'] }, /overlap/],
  ['everything and more', { roots: ['', 'a'] }, /overlap/],
  ['a root that climbs', { roots: ['a/../b'] }, /no path/],
  ['roots that are no paths', { roots: [1] }, /array of paths/],
  ['an unknown version of Rego', { rego_version: 2 }, /0 or 1/],
  ['an unknown version for a file', { file_rego_versions: { 'a.rego': '1' } }, /0 or 1/],
  ['a module without a name', { wasm: [{ entrypoint: 'a' }] }, /entrypoint and module/],
  [
    'an entrypoint twice',
    {
      wasm: [
        { entrypoint: 'a', module: 'x' },
        { entrypoint: '/a', module: 'y' },
      ],
    },
    /twice/,
  ],
  ['an empty entrypoint', { metadata: { verdict: { entrypoints: [''] } } }, /must be a path/],
  ['too many roots', { roots: Array.from({ length: 1_001 }, (_, at) => `r${at}`) }, /more than 1000 paths/],
  ['an endless glob', { file_rego_versions: { ['*'.repeat(400_000)]: 0 } }, /longer than 512/],
  [
    'too many globs',
    { file_rego_versions: Object.fromEntries(Array.from({ length: 101 }, (_, at) => [`${at}*`, 0])) },
    /more than 100 globs/,
  ],
  ['a revision that is a number', { revision: 1 }, /must be text/],
])('a manifest with %s is refused', (_, value, message) => {
  expect(() => manifest(value)).toThrow(
    expect.objectContaining({ code: 'MANIFEST_INVALID', message: expect.stringMatching(message) }),
  );
});

test('files get the version of Rego that their name or a glob says', () => {
  const bundle = filesOf({
    '.manifest': JSON.stringify({
      rego_version: 1,
      file_rego_versions: { '/old/**': 0, '/old/new.rego': 1, '*.v0.rego': 0, 'a?/x.rego': 0 },
    }),
    'old/deep/a.rego': '',
    'old/new.rego': '',
    'b.v0.rego': '',
    'sub/b.v0.rego': '',
    'ab/x.rego': '',
    'a/x.rego': '',
  });
  const { all } = regoSources(bundle, readManifest(bundle).manifest, Buffer.from('{}'));
  expect(all.regoVersions).toEqual({ 'old/deep/a.rego': 0, 'old/new.rego': 1, 'b.v0.rego': 0, 'ab/x.rego': 0 });
});

test('a glob of nothing but stars is no slower than any other', () => {
  const name = `${'a'.repeat(400)}.rego`;
  const bundle = filesOf({
    '.manifest': JSON.stringify({ file_rego_versions: { [`${'*a'.repeat(100)}b`]: 0 } }),
    [name]: '',
  });
  const { all } = regoSources(bundle, readManifest(bundle).manifest, Buffer.from('{}'));
  expect(all.regoVersions).toEqual({});
});

test('Rego that is no UTF-8 is refused at its place', () => {
  const bundle = filesOf({ 'a.rego': Buffer.from([0xff, 0xfe]) });
  expect(() => regoSources(bundle, readManifest(bundle).manifest, Buffer.from('{}'))).toThrow('a.rego:1:1');
});
