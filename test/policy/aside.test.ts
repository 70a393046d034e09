import fc from 'fast-check';
import { expect, test } from 'vitest';
import { aside } from '../../src/policy/aside/aside.ts';
import { outlineOf } from '../../src/policy/build/outline.ts';
import { narrowRoots } from '../../src/policy/build/ownership.ts';
import { missingAt } from '../../src/policy/build/unprovided.ts';
import { readUpload } from '../../src/policy/build/upload.ts';
import { indexJson } from '../../src/policy/content/indexed-json.ts';
import type { JsonNode } from '../../src/policy/content/json-text.ts';
import { jsonBytes, nodeAt, parseJson } from '../../src/policy/content/json-text.ts';
import { unownedData } from '../../src/policy/content/roots.ts';
import { defaultArchiveLimits, writeArchive } from '../../src/policy/index.ts';
import { dataOf } from '../engine/workbench.ts';

const files = (contents: { readonly [name: string]: string }) => ({
  files: new Map(Object.entries(contents).map(([name, text]) => [name, Uint8Array.from(Buffer.from(text))])),
});

const shop = {
  '.manifest': '{"roots": ["shop"], "metadata": {"big": 12345678901234567890.0}}',
  'data.json': '{"shop": {"n": 1.50, "é": ["x"]}}',
  'shop/extra/data.yaml': 'a: &a [1, 0x10]\nb: *a\n',
  'shop.rego': 'package shop\n\nallow if data.shop.n\n',
  'schemas/in.json': '{"type": "object"}',
};

test('a thread reads a bundle as it is read here, as files and as an archive', async () => {
  const bundle = files(shop);
  const here = readUpload(bundle);
  expect('prepared' in here.read).toBe(true);
  expect(await aside('files', bundle)).toEqual(plain(here));
  const archived = await aside('archive', { bytes: await writeArchive(bundle.files), limits: defaultArchiveLimits });
  expect(archived.digest).toBe(here.digest);
  expect(archived.read).toEqual(plain(here.read));
});

/** As it arrives from a thread: bytes are bytes, whatever class they had. */
const plain = <T>(value: T): T => structuredClone(value);

test.each<[string, { readonly [name: string]: string }]>([
  ['data that two files have', { 'data.json': '{"a": {"b": 1}}', 'a/data.json': '{"b": 2}' }],
  ['no JSON', { 'data.json': '{\n  "a": tru\n}' }],
  ['an alias of nothing', { 'data.yaml': 'a: *nothing' }],
  ['a manifest that is none', { '.manifest': '{"roots": 1}' }],
  ['a schema that is none', { 'schemas/a.json': '[' }],
])('%s is refused there with the same code, sentence and places', async (_, contents) => {
  const bundle = files(contents);
  const here = readUpload(bundle);
  expect(here.read).toMatchObject({ refusal: { code: expect.stringMatching(/_INVALID$/) } });
  expect(await aside('files', bundle)).toEqual(plain(here));
});

test('an archive that is none is refused there as here', async () => {
  const bytes = Buffer.alloc(500_000, 1);
  await expect(aside('archive', { bytes, limits: defaultArchiveLimits })).rejects.toMatchObject({
    name: 'PolicyError',
    code: 'ARCHIVE_INVALID',
    message: expect.stringContaining('gzip header'),
  });
  await expect(
    aside('archive', { bytes, limits: { ...defaultArchiveLimits, archiveBytes: 1_000 } }),
  ).rejects.toMatchObject({ code: 'ARCHIVE_TOO_LARGE' });
});

// ---- the outline -------------------------------------------------------------------------------------------------

const name = fc.constantFrom('a', 'b', 'c', '0', '1', 'a/b', '', '__proto__');
const path = fc.array(name, { minLength: 1, maxLength: 4 });
const root = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 3 }).map((steps) => steps.join('/'));
const data = fc.dictionary(
  name,
  fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom<unknown>(1, 'text', null),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(name, tie('value'), { maxKeys: 4 }),
    ),
  })).value,
  { maxKeys: 6 },
);

const treeOf = (value: unknown) => parseJson(JSON.stringify(value)) as JsonNode & { readonly kind: 'object' };

test('what a review finds in the outline of a document it finds in the whole', () => {
  const cases = fc.record({
    value: data,
    paths: fc.array(path, { maxLength: 5 }),
    roots: fc.array(root, { maxLength: 3 }),
    largeBytes: fc.constantFrom(8, 1_000),
  });
  fc.assert(
    fc.property(cases, ({ value, paths, roots, largeBytes }) => {
      const json = jsonBytes(treeOf(value));
      const whole = parseJson(Buffer.from(json).toString()) as ReturnType<typeof treeOf>;
      // Small values are indexed, too: what is found in order of name and what is found by the index is the same.
      const outline = outlineOf({ json, index: indexJson(json, largeBytes), paths, roots });
      expect(unownedData(outline, roots)).toEqual(unownedData(whole, roots));
      const documentOf = (tree: typeof whole) => ({ root: tree, json: dataOf('{}'), index: new Map(), revision: '' });
      const narrowed = (tree: typeof whole) => narrowRoots({ packages: [], data: documentOf(tree) });
      expect(narrowed(outline)).toEqual(narrowed(whole));
      for (const each of paths) {
        expect(nodeAt(outline, each)?.kind).toBe(nodeAt(whole, each)?.kind);
        expect(missingAt(each, outline, [])).toEqual(missingAt(each, whole, []));
      }
    }),
    { numRuns: 2_000 },
  );
});

test('an outline of many members has the names on its paths, and enough of the others', () => {
  const members = Object.fromEntries(
    Array.from({ length: 20_000 }, (_, at) => [`k${at + 10_000}`, { deep: 'x'.repeat(20) }]),
  );
  const json = jsonBytes(treeOf({ shop: members, other: 1 }));
  const asked = { paths: [['shop', 'k29999', 'deep']], roots: ['shop'] };
  const outline = outlineOf({ json, index: indexJson(json), ...asked });
  expect(nodeAt(outline, ['shop', 'k29999', 'deep'])).toEqual({ kind: 'scalar', text: 'null' });
  expect(nodeAt(outline, ['shop', 'k14999'])).toEqual({ kind: 'object', members: new Map() });
  expect(nodeAt(outline, ['shop', 'k15000'])).toBeUndefined();
  expect(unownedData(outline, ['shop'])).toEqual(['other']);
});
