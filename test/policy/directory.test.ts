import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { defaultArchiveLimits, filesDigest, readDirectory } from '../../src/policy/index.ts';
import { archiveOf, read } from './archives.ts';

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'verdict-directory-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const put = async (name: string, text: string): Promise<void> => {
  await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
  await writeFile(path.join(folder, name), text);
};

const found = async (limits = {}): Promise<string[]> => [
  ...(await readDirectory(folder, { ...defaultArchiveLimits, ...limits })).files.keys(),
];

test('a folder gives the files that an archive of it gives', async () => {
  const contents = { 'todo/todo.rego': 'package todo', 'todo/data.yaml': 'a: 1', '.manifest': '{}' };
  for (const [name, text] of Object.entries(contents)) await put(name, text);
  const archived = await read(await archiveOf(contents));
  expect(filesDigest((await readDirectory(folder, defaultArchiveLimits)).files)).toBe(filesDigest(archived.files));
});

test('hidden files and folders, and what no bundle is made of, are left out', async () => {
  for (const name of ['a.rego', '.a.rego', '.git/b.rego', 'sub/.hidden/c.rego', 'README.md', 'sub/other.json']) {
    await put(name, 'package a');
  }
  expect(await found()).toEqual(['a.rego']);
});

test('links to files are followed, as a mounted ConfigMap needs it; links to folders and nowhere are not', async () => {
  await put('..data/todo.rego', 'package todo');
  await symlink('..data/todo.rego', path.join(folder, 'todo.rego'));
  await symlink('.', path.join(folder, 'circle'));
  await symlink('nothing', path.join(folder, 'gone.rego'));
  expect(await found()).toEqual(['todo.rego']);
});

test('the limits of archives hold', async () => {
  await put('a.rego', 'package a');
  await put('b.rego', 'package b # and more');
  await expect(found({ entries: 1 })).rejects.toMatchObject({ code: 'ARCHIVE_TOO_LARGE' });
  await expect(found({ fileBytes: 10 })).rejects.toMatchObject({ code: 'ARCHIVE_TOO_LARGE' });
  await expect(found({ inflatedBytes: 20 })).rejects.toMatchObject({ code: 'ARCHIVE_TOO_LARGE' });
});

test('a folder that is not there is refused with a sentence', async () => {
  await expect(readDirectory(path.join(folder, 'none'), defaultArchiveLimits)).rejects.toMatchObject({
    code: 'ARCHIVE_INVALID',
    message: expect.stringContaining('cannot be read'),
  });
});
