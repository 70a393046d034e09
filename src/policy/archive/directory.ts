import { open, readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '../../canonical/index.ts';
import type { BundleFiles } from '../model.ts';
import { PolicyError } from '../model.ts';
import type { Collector } from './collect.ts';
import { collectFiles } from './collect.ts';
import type { ArchiveLimits } from './limits.ts';
import { isBundleFile, isMistakenForData } from './names.ts';

interface Walk {
  readonly root: string;
  readonly limits: ArchiveLimits;
  readonly seen: { entries: number; bytes: number };
  readonly collector: Collector;
}

/** The bytes of a file of at most `most`: it may grow between its listing and its reading. */
export const readBoundedFile = async (file: string, most: number): Promise<Uint8Array> => {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    const bytes = Buffer.alloc(Math.min(size, most) + 1);
    let length = 0;
    while (length < bytes.length) {
      const { bytesRead } = await handle.read(bytes, length, bytes.length - length, length);
      if (bytesRead === 0) return bytes.subarray(0, length);
      length += bytesRead;
    }
    throw new PolicyError('ARCHIVE_TOO_LARGE', `file ${path.basename(file)} has more than ${length - 1} bytes`);
  } finally {
    await handle.close();
  }
};

const readFile = async (walk: Walk, name: string): Promise<void> => {
  const { limits, seen } = walk;
  const file = path.join(walk.root, name);
  // Links to files are followed (a mounted ConfigMap is made of them), links to folders are not: they can be circles.
  const target = await stat(file).catch(() => undefined);
  if (target?.isFile() !== true) return;
  if (!isBundleFile(name)) {
    if (isMistakenForData(name)) walk.collector.leave(name);
    return;
  }
  const bytes = await readBoundedFile(await realpath(file), limits.fileBytes);
  seen.bytes += bytes.length;
  if (seen.bytes > limits.inflatedBytes) {
    throw new PolicyError('ARCHIVE_TOO_LARGE', `the folder holds more than ${limits.inflatedBytes} bytes of policy`);
  }
  walk.collector.file(name, bytes);
};

const walkFolder = async (walk: Walk, folder: string): Promise<void> => {
  const entries = await readdir(path.join(walk.root, folder), { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (++walk.seen.entries > walk.limits.entries) {
      throw new PolicyError('ARCHIVE_TOO_LARGE', `the folder has more than ${walk.limits.entries} entries`);
    }
    if (entry.isDirectory()) {
      if (!entry.name.startsWith('.')) await walkFolder(walk, name);
    } else if (entry.isFile() || entry.isSymbolicLink()) await readFile(walk, name);
  }
};

/**
 * Reads a folder as if it were an archive of itself: the folder of a data file is its place in `data`, hidden files
 * and folders are left out, the same limits and name rules hold. `ignored` names only what may be taken for data.
 */
export const readDirectory = async (folder: string, limits: ArchiveLimits): Promise<BundleFiles> => {
  const collector = collectFiles(limits.nameBytes);
  try {
    await walkFolder({ root: folder, limits, seen: { entries: 0, bytes: 0 }, collector }, '');
  } catch (error) {
    if (error instanceof PolicyError) throw error;
    throw new PolicyError('ARCHIVE_INVALID', `the folder cannot be read: ${messageOf(error)}`, { cause: error });
  }
  return collector.files();
};
