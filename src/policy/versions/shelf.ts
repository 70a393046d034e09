import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '../../canonical/index.ts';
import { PolicyError } from '../model.ts';

const UNFINISHED = '.unfinished-';

/** Archives on disk, one file a digest, below `bundles/<name>/`. */
export interface Shelf {
  /** Resolves when the bytes are on disk under their name: a crash leaves the whole file or none. */
  put(name: string, digest: string, bytes: Uint8Array): Promise<void>;
  /** Rejects with STORAGE_FAILED when the file is not there or cannot be read. */
  get(name: string, digest: string): Promise<Uint8Array>;
  remove(name: string, digest: string): Promise<void>;
  /** For messages to operators. */
  place(name: string, digest: string): string;
}

const failed = (what: string, cause: unknown): PolicyError =>
  new PolicyError('STORAGE_FAILED', `${what}: ${messageOf(cause)}`, { cause });

const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

const writeSynced = async (file: string, bytes: Uint8Array): Promise<void> => {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/** What a crash left half-written: never under a name that anything reads. */
const sweep = async (root: string): Promise<void> => {
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (entry.name.startsWith(UNFINISHED)) await rm(path.join(entry.parentPath, entry.name), { force: true });
  }
};

export const openShelf = async (storageDir: string): Promise<Shelf> => {
  const root = path.join(storageDir, 'bundles');
  const place = (name: string, digest: string): string => path.join(root, name, `${digest}.tar.gz`);
  try {
    await mkdir(root, { recursive: true, mode: 0o700 });
    await sweep(root);
  } catch (error) {
    throw failed(`the folder ${root} cannot be used`, error);
  }
  return {
    place,
    put: async (name, digest, bytes) => {
      const folder = path.join(root, name);
      const unfinished = path.join(folder, `${UNFINISHED}${digest}`);
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await rm(unfinished, { force: true });
        await writeSynced(unfinished, bytes);
        await rename(unfinished, place(name, digest));
        await syncFolder(folder);
        await syncFolder(root);
      } catch (error) {
        await rm(unfinished, { force: true }).catch(() => undefined);
        throw failed(`the bundle ${name} cannot be stored`, error);
      }
    },
    get: async (name, digest) => {
      try {
        return await readFile(place(name, digest));
      } catch (error) {
        throw failed(`the stored bundle ${place(name, digest)} cannot be read`, error);
      }
    },
    remove: async (name, digest) => {
      await rm(place(name, digest), { force: true }).catch((error: unknown) => {
        throw failed(`the bundle ${place(name, digest)} cannot be removed`, error);
      });
    },
  };
};
