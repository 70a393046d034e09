import { gunzipSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { BundleFiles, PolicyErrorCode } from '../../src/policy/index.ts';
import { filesDigest, PolicyError } from '../../src/policy/index.ts';
import type { RawHeader } from './archives.ts';
import { archiveOf, endOfTar, paxRecord, rawArchive, rawEntry, read, tarOf } from './archives.ts';

const sane = rawArchive({ name: 'a.rego', body: 'package a' });

const refusal = async (bytes: Uint8Array, limits = {}): Promise<{ code: PolicyErrorCode; message: string }> => {
  try {
    await read(bytes, limits);
  } catch (error) {
    return error as { code: PolicyErrorCode; message: string };
  }
  throw new Error('the archive was taken');
};

const invalid = (message: RegExp) => ({ code: 'ARCHIVE_INVALID', message: expect.stringMatching(message) });
const tooLarge = (message: RegExp) => ({ code: 'ARCHIVE_TOO_LARGE', message: expect.stringMatching(message) });

test('the archive that the others are made from is taken', async () => {
  expect([...(await read(sane)).files.keys()]).toEqual(['a.rego']);
});

test.each([
  ['an empty file', Buffer.alloc(0), /too short/],
  ['text', Buffer.from('package todo\n\nallow := true\n'), /gzip header/],
  ['a zip', Buffer.concat([Buffer.from('PK\x03\x04'), Buffer.alloc(40)]), /gzip header/],
  ['a gzip of something else', gzipSync('package todo'), /cut off/],
  ['a gzip of a gzip', gzipSync(gzipSync(gunzipSync(sane))), /not a tar archive/],
  ['garbage behind the gzip', Buffer.concat([sane, Buffer.from('x')]), /follows the first gzip member/],
  ['a second gzip member', Buffer.concat([sane, sane]), /follows the first gzip member/],
  ['half of a gzip', sane.subarray(0, sane.length >> 1), /damaged or cut off/],
  ['a gzip without its end', sane.subarray(0, sane.length - 4), /checksum at its end|damaged/],
  ['a gzip with reserved flags', Buffer.from(sane.map((byte, at) => (at === 3 ? 0x80 : byte))), /reserved flags/],
])('%s is refused', async (_, bytes, message) => {
  expect(await refusal(bytes)).toMatchObject(invalid(message));
});

test('one flipped byte anywhere in the archive is noticed, or changes nothing', async () => {
  // Time and system in the gzip header, and the bits that fill the last byte of the stream, say nothing.
  const wanted = filesDigest((await read(sane)).files);
  let noticed = 0;
  for (let at = 0; at < sane.length; at++) {
    const flipped = Buffer.from(sane);
    flipped[at] = (flipped[at] ?? 0) ^ 0x10;
    const found = await read(flipped).catch((error: unknown) => error);
    if (found instanceof PolicyError) {
      expect(found.code).toBe('ARCHIVE_INVALID');
      noticed++;
    } else expect(filesDigest((found as BundleFiles).files), `byte ${at}`).toBe(wanted);
  }
  expect(noticed).toBeGreaterThan(sane.length - 20);
});

test('a bomb is refused long before it is inflated', async () => {
  const bomb = gzipSync(Buffer.concat([rawEntry({ size: '00777777777 ' }), Buffer.alloc(50_000_000)]));
  expect(bomb.length).toBeLessThan(60_000);
  const before = process.memoryUsage().arrayBuffers;
  expect(await refusal(bomb)).toMatchObject(tooLarge(/250 times its size/));
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(40_000_000);
});

test('each limit is held, and the message names it', async () => {
  const two = await archiveOf({ 'a.rego': 'package a', 'data.json': JSON.stringify({ text: 'x'.repeat(5000) }) });
  expect(await refusal(two, { archiveBytes: 100 })).toMatchObject(tooLarge(/at most 100/));
  expect(await refusal(two, { inflatedBytes: 2000 })).toMatchObject(tooLarge(/more than 2000 bytes/));
  expect(await refusal(two, { entries: 1 })).toMatchObject(tooLarge(/more than 1 members/));
  expect(await refusal(two, { fileBytes: 4000 })).toMatchObject(tooLarge(/"data\.json" has 50\d\d bytes/));
  expect(await refusal(two, { nameBytes: 6 })).toMatchObject(invalid(/"data\.json": the name is longer/));
});

test.each(['link', 'symlink', 'character-device', 'block-device', 'fifo'] as const)(
  'a member of type %s is refused by name',
  async (type) => {
    const tar = await tarOf([{ name: 'evil.rego', type, linkname: '/etc/passwd' }]);
    expect(await refusal(gzipSync(tar))).toMatchObject(invalid(/member "evil\.rego" is a/));
  },
);

test.each([
  ['a sparse file', { type: 'S' }, /sparse/],
  ['a contiguous file', { type: '7' }, /contiguous/],
  ['an unknown type', { type: 'Z' }, /unknown type/],
  ['a long link name', { type: 'K', body: 'x' }, /long link name/],
  ['a wrong checksum', { checksumError: 1 }, /checksum/],
  ['an unknown format', { magic: 'tar!!\x0000' }, /neither ustar nor GNU/],
  ['a base-256 size', { size: Buffer.from([0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0]) }, /not octal/],
  ['a negative size', { size: Buffer.alloc(12, 0xff) }, /not octal/],
  ['a size that is no number', { size: '0000000009x ' }, /not octal/],
  ['a folder with contents', { type: '5', body: 'x' }, /has contents/],
  ['a file named like a folder', { name: 'a/' }, /named like a folder/],
  ['a zero byte in the name', { name: 'a.rego\0.txt' }, /zero byte/],
  ['a name that is not UTF-8', { name: Buffer.from([0x61, 0xff, 0x2e]) }, /not UTF-8/],
  ['a file without a name', { name: './' }, /named like a folder|without a name/],
  ['a delta', { name: 'patch.json', body: '{"data":[]}' }, /delta/],
] as const)('%s is refused', async (_, header: RawHeader, message) => {
  expect(await refusal(rawArchive(header))).toMatchObject(invalid(message));
});

test.each([
  '../a.rego',
  'a/../../b.rego',
  '/../a.rego',
  'a//b.rego',
  'a/./b.rego',
  'a\\b.rego',
  'a\nb.rego',
  'a\u202eoger.b',
  'a\u200db.rego',
  'a\u2028b.rego',
  'a\u007f.rego',
])('the name %j is refused, and printed without its tricks', async (name) => {
  const found = await refusal(rawArchive({ name }));
  expect(found.code).toBe('ARCHIVE_INVALID');
  expect(found.message).toMatch(/^[\x20-\x7e]+$/);
});

test.each([
  ['twice', 'a.rego', 'a.rego'],
  ['twice under other spellings', 'a.rego', './/a.rego'],
  ['with and without a leading slash', '/a.rego', 'a.rego'],
  ['as file and as folder of another', 'a.rego', 'a.rego/b.rego'],
  ['composed and decomposed', 'caf\u00e9.rego', 'cafe\u0301.rego'],
  ['in a composed and a decomposed folder', 'caf\u00e9/a.rego', 'cafe\u0301/b.rego'],
])('a name that stands there %s is refused', async (_, one, other) => {
  expect(await refusal(rawArchive({ name: one }, { name: other }))).toMatchObject(invalid(/another member/));
});

test.each([
  [
    'a name that hides the one in the header',
    [{ type: 'x', body: paxRecord('path', 'evil.rego') }, { name: 'a.rego' }],
    /another name/,
  ],
  [
    'a GNU name that hides the one in the header',
    [{ type: 'L', body: 'evil.rego\0' }, { name: 'a.rego' }],
    /another name/,
  ],
  ['another size', [{ type: 'x', body: paxRecord('size', '3') }, {}], /overrides size/],
  ['a link', [{ type: 'x', body: paxRecord('linkpath', '/etc/passwd') }, {}], /overrides size, link/],
  ['a sparse map', [{ type: 'x', body: paxRecord('GNU.sparse.major', '1') }, {}], /sparse/],
  ['an encoding', [{ type: 'x', body: paxRecord('hdrcharset', 'BINARY') }, {}], /encoding/],
  ['a path for all members', [{ type: 'g', body: paxRecord('path', 'evil.rego') }, {}], /global/],
  ['one key twice', [{ type: 'x', body: paxRecord('path', 'a').repeat(2) }, {}], /twice/],
  ['a wrong length', [{ type: 'x', body: '99 path=a\n' }, {}], /malformed/],
  ['a zero byte in a path', [{ type: 'x', body: paxRecord('path', `${'a'.repeat(120)}\0b`) }, {}], /zero byte/],
  [
    'two names for one member',
    [{ type: 'x', body: paxRecord('path', 'a.rego') }, { type: 'L', body: 'a.rego\0' }, {}],
    /two long names/,
  ],
  ['a name for no member', [{}, { type: 'L', body: `${'b'.repeat(120)}\0` }], /no member/],
  ['a header of a megabyte', [{ type: 'x', body: paxRecord('comment', 'x'.repeat(1_000_000)) }, {}], /too long/],
] as const)('an extended header that gives %s is refused', async (_, entries: readonly RawHeader[], message) => {
  expect(await refusal(rawArchive(...entries))).toMatchObject(invalid(message));
});

test.each([
  ['the end is missing', Buffer.concat([rawEntry({})]), /end is missing/],
  ['only one zero block ends it', Buffer.concat([rawEntry({}), Buffer.alloc(512)]), /end is missing/],
  ['it stops inside a member', rawEntry({ body: 'x'.repeat(2000) }).subarray(0, 1024), /cut off/],
  ['it stops inside a header', rawEntry({}).subarray(0, 300), /cut off/],
  [
    'members follow the end',
    Buffer.concat([rawEntry({}), endOfTar, rawEntry({ name: 'b.rego' }), endOfTar]),
    /follows its end/,
  ],
  ['bytes follow the end', Buffer.concat([rawEntry({}), endOfTar, Buffer.alloc(512, 1)]), /follows its end/],
])('a tar is refused when %s', async (_, tar, message) => {
  expect(await refusal(gzipSync(tar))).toMatchObject(invalid(message));
});

test('zeros behind the end are what archivers pad with', async () => {
  const padded = gzipSync(Buffer.concat([rawEntry({}), endOfTar, Buffer.alloc(10_240)]));
  expect([...(await read(padded)).files.keys()]).toEqual(['a.rego']);
});
