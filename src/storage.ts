import { chmodSync, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { messageOf } from './canonical/index.ts';
import { StartError } from './start-error.ts';

// One by one: Node's own `recursive` tries for ever on a file system that makes no folders and says ENOENT, as /proc.
const makeFolder = (dir: string): boolean => {
  if (existsSync(dir)) return false;
  if (path.dirname(dir) !== dir) makeFolder(path.dirname(dir));
  mkdirSync(dir, { mode: 0o700 });
  return true;
};

/** What users other than the server's own can do in a folder. */
const othersIn = (dir: string): 'write' | 'read' | 'nothing' => {
  const mode = process.platform === 'win32' ? 0 : statSync(dir).mode;
  return (mode & 0o022) !== 0 ? 'write' : (mode & 0o077) !== 0 ? 'read' : 'nothing';
};

/** Makes `storage.dir` where it is not there, and says what other users can do in it. Throws StartError. */
export const openStorage = (
  configured: string,
): { readonly dir: string; readonly others: ReturnType<typeof othersIn> } => {
  const dir = path.resolve(configured);
  const probe = path.join(dir, '.probe');
  try {
    // What lies in it is for the server's own user: policies, tokens' digests, what was decided.
    if (makeFolder(dir)) chmodSync(dir, 0o700);
    writeFileSync(probe, '');
    rmSync(probe);
    return { dir, others: othersIn(dir) };
  } catch (cause) {
    throw new StartError(
      'STORAGE_UNUSABLE',
      `${dir} cannot be written (${messageOf(cause)}): set storage.dir to a folder that this user may write`,
      { cause },
    );
  }
};

/** Opens, or makes, the database of versions and tokens. Throws StartError. */
export const openCatalog = (file: string): DatabaseSync => {
  let catalog: DatabaseSync | undefined;
  try {
    catalog = new DatabaseSync(file, { timeout: 5000 });
    catalog.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON');
    const [found] = catalog.prepare('PRAGMA quick_check(1)').all();
    if (found?.quick_check !== 'ok') throw new Error(String(found?.quick_check));
    // Digests of tokens are in it; what SQLite makes beside it gets the same mode.
    chmodSync(file, 0o600);
    return catalog;
  } catch (cause) {
    catalog?.close();
    throw new StartError(
      'CATALOG_UNREADABLE',
      `${file} is damaged or no catalog (${messageOf(cause)}): put back a copy of storage.dir, or move the file away ` +
        'to start without the versions and tokens that it lists',
      { cause },
    );
  }
};
