import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { extract } from 'tar-stream';
import { expect, test } from 'vitest';
import { filesDigest, writeArchive } from '../../src/policy/index.ts';
import { archiveOf, endOfTar, paxRecord, rawArchive, rawEntry, read, tarOf } from './archives.ts';

const names = async (bytes: Uint8Array): Promise<string[]> => [...(await read(bytes)).files.keys()];

test('an archive is read into files under names without leading slash or dot', async () => {
  const archive = await archiveOf({ '/todo/todo.rego': 'package todo', './data.json': '{}', '.manifest': '{}' });
  expect(await names(archive)).toEqual(['.manifest', 'data.json', 'todo/todo.rego']);
});

test('what no bundle is made of is left out and named', async () => {
  const { files, ignored } = await read(
    await archiveOf({
      'todo.rego': 'package todo',
      'README.md': 'x',
      'notes/data.txt': 'x',
      '.git/config.rego': 'x',
      '._todo.rego': 'x',
      'sub/.manifest': '{}',
    }),
  );
  expect([...files.keys()]).toEqual(['todo.rego']);
  expect(ignored).toEqual(['README.md', 'notes/data.txt', '.git/config.rego', '._todo.rego', 'sub/.manifest']);
});

test('folders, also without contents, are taken and add nothing', async () => {
  const tar = await tarOf([
    { name: './', type: 'directory' },
    { name: 'a/', type: 'directory' },
    { name: 'a/b.rego', body: 'package a' },
    { name: 'a/', type: 'directory' },
  ]);
  expect(await names(gzipSync(tar))).toEqual(['a/b.rego']);
});

test('a long name is read from a PAX header, from a GNU header and from a ustar prefix', async () => {
  const long = `${'folder/'.repeat(20)}policy.rego`;
  expect(await names(gzipSync(await tarOf([{ name: `${'é'.repeat(80)}/a.rego`, body: '' }])))).toEqual([
    `${'é'.repeat(80)}/a.rego`,
  ]);
  const pax = rawArchive(
    { name: 'PaxHeaders/x', type: 'x', body: paxRecord('path', long) },
    { name: long.slice(0, 100) },
  );
  expect(await names(pax)).toEqual([long]);
  const gnu = { magic: 'ustar  \0' };
  const gnuLong = rawArchive(
    { ...gnu, name: '././@LongLink', type: 'L', body: `${long}\0` },
    { ...gnu, name: long.slice(0, 100) },
  );
  expect(await names(gnuLong)).toEqual([long]);
  expect(await names(rawArchive({ name: 'b.rego', prefix: 'deep/down' }))).toEqual(['deep/down/b.rego']);
});

test('times, owners and comments in PAX headers change nothing', async () => {
  const body = `${paxRecord('mtime', '1.5')}${paxRecord('uname', 'alice')}${paxRecord('SCHILY.xattr.x', 'y')}`;
  const git = { name: 'pax_global_header', type: 'g', body: paxRecord('comment', 'a'.repeat(40)) };
  expect(await names(rawArchive(git, { name: 'x', type: 'x', body }, { name: 'a.rego' }))).toEqual(['a.rego']);
});

test('a gzip header may carry a name, a comment, extra bytes and its own checksum', async () => {
  const plain = gzipSync(Buffer.concat([rawEntry({}), endOfTar]));
  const extra = Buffer.concat([
    Buffer.from([3, 0]),
    Buffer.from('abc'),
    Buffer.from('name\0comment\0'),
    Buffer.from([1, 2]),
  ]);
  const header = Buffer.from(plain.subarray(0, 10));
  header[3] = 2 | 4 | 8 | 16;
  expect(await names(Buffer.concat([header, extra, plain.subarray(10)]))).toEqual(['a.rego']);
});

test('the same files give the same archive in whatever order they come', async () => {
  const one = new Map([
    ['b.rego', Buffer.from('package b')],
    ['a.rego', Buffer.from('package a')],
  ]);
  const other = new Map([...one].reverse());
  expect(Buffer.compare(await writeArchive(one), await writeArchive(other))).toBe(0);
  expect(filesDigest(one)).toBe(filesDigest(other));
});

test('a written archive has leading slashes, no times, no owner and no trace of the system', async () => {
  const archive = await writeArchive(new Map([['a/b.rego', Buffer.from('package a')]]));
  expect([...archive.subarray(4, 10)]).toEqual([0, 0, 0, 0, 2, 255]);
  const found: unknown[] = [];
  const reader = extract();
  reader.on('entry', ({ name, mode, uid, gid, mtime }, stream, next) => {
    found.push({ name, mode, uid, gid, at: mtime?.getTime() });
    stream.resume();
    next();
  });
  reader.end(gunzipSync(archive));
  await new Promise<void>((resolve) => reader.on('close', () => resolve()));
  expect(found).toEqual([{ name: '/a/b.rego', mode: 0o600, uid: 0, gid: 0, at: 0 }]);
});

test('the digest tells files apart that only differ in where a name ends', () => {
  const digest = (name: string, content: string): string => filesDigest(new Map([[name, Buffer.from(content)]]));
  expect(digest('a', 'bc')).not.toBe(digest('ab', 'c'));
  expect(filesDigest(new Map())).toMatch(/^[0-9a-f]{64}$/);
});

test('whatever is written is read again', async () => {
  const segment = fc.stringMatching(/^[a-zé_-]{1,40}$/);
  const name = fc
    .tuple(fc.array(segment, { maxLength: 5 }), segment)
    .map(([folders, last]) => [...folders, `${last}.rego`].join('/'));
  const files = fc.dictionary(name, fc.uint8Array({ maxLength: 2000 }), { maxKeys: 8 });
  await fc.assert(
    fc.asyncProperty(files, async (contents) => {
      const wanted = new Map(Object.entries(contents).map(([path, bytes]) => [path, Buffer.from(bytes)]));
      const found = await read(await writeArchive(wanted));
      expect(filesDigest(found.files)).toBe(filesDigest(wanted));
    }),
    { numRuns: 40 },
  );
});

test('other work goes on while a large bundle is packed', async () => {
  const text = Array.from({ length: 400_000 }, (_, at) => `"user${(at * 7_919) % 400_009}":${at % 17}`).join(',');
  const packing = { done: false, turns: 0 };
  const turn = (): void => {
    packing.turns++;
    if (!packing.done) setImmediate(turn);
  };
  setImmediate(turn);
  const archive = await writeArchive(new Map([['data.json', Buffer.from(`{${text}}`)]]));
  packing.done = true;
  expect((await read(archive)).files.get('data.json')).toHaveLength(text.length + 2);
  expect(packing.turns).toBeGreaterThan(100);
});
