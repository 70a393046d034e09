import { stat } from 'node:fs/promises';
import { messageOf } from '../canonical/index.ts';
import { readBoundedFile, readDirectory } from './archive/directory.ts';
import { defaultArchiveLimits } from './archive/limits.ts';
import { readArchiveAside, readFilesAside } from './build/upload.ts';
import { checkBundleName } from './bundle-name.ts';
import type { Parts, PolicyStoreOptions } from './changes.ts';
import { activateVersion, restore, rollback, rollbackTarget, versionOf, versionsOf } from './changes.ts';
import type { Examined, LocalResult, Upload } from './intake.ts';
import { examine, take } from './intake.ts';
import { liveSet } from './live.ts';
import type { BundleInfo, PolicyStore } from './model.ts';
import { PolicyError } from './model.ts';
import type { PolicySettings } from './settings.ts';
import { policyCatalog } from './versions/catalog.ts';
import { openShelf } from './versions/shelf.ts';

export interface LocalPolicyStore extends PolicyStore {
  /**
   * Serves folders or bundle files of this machine: each is pushed and activated, by `local`, when it is not what is
   * active under its name, all of them at once, so that they may refer to one another. Of two with one name the last
   * counts. A build of our compiler is taken as it is, without compiling or testing it again.
   */
  addLocal(bundles: readonly LocalBundle[]): Promise<readonly LocalResult[]>;
}

export interface LocalBundle {
  readonly name: string;
  readonly path: string;
}

const LOCAL = 'local';

const isFolder = async (path: string): Promise<boolean> => {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    throw new PolicyError('ARCHIVE_INVALID', `the bundle cannot be read: ${messageOf(error)}`, { cause: error });
  }
};

const bundlesOf = ({ catalog }: Parts): BundleInfo[] =>
  catalog.names().flatMap((name) => {
    const versions = catalog.versions(name);
    const [latest] = versions;
    const active = versions.find(({ state }) => state === 'active');
    if (latest === undefined) return [];
    return [{ name, latest, versions: versions.length, ...(active === undefined ? {} : { active }) }];
  });

/** What is wrong with a file says of which: configuration may name several. */
const named = (name: string, path: string, error: unknown): unknown =>
  error instanceof PolicyError && error.problems.length === 0
    ? new PolicyError(error.code, `the bundle ${name} at ${path}: ${error.message}`, { cause: error })
    : error;

const localUpload = async (name: string, path: string, settings: PolicySettings): Promise<Upload> => {
  checkBundleName(name);
  const limits = { ...defaultArchiveLimits, ...settings.limits };
  const common = { name, by: LOCAL, activate: true, trusted: true };
  if (await isFolder(path)) return { ...common, content: await readFilesAside(await readDirectory(path, limits)) };
  const original = await readBoundedFile(path, limits.archiveBytes);
  return { ...common, content: await readArchiveAside(original, limits), original };
};

const examineLocal = async (parts: Parts, { name, path }: LocalBundle): Promise<Examined> => {
  try {
    return await examine(parts, await localUpload(name, path, parts.options.settings));
  } catch (error) {
    throw named(name, path, error);
  }
};

const addLocal = async (parts: Parts, bundles: readonly LocalBundle[]): Promise<readonly LocalResult[]> => {
  const examined: Examined[] = [];
  for (const bundle of new Map(bundles.map((one) => [one.name, one] as const)).values()) {
    examined.push(await examineLocal(parts, bundle));
  }
  return take(parts, examined);
};

/**
 * Opens the versions under `dir` and loads those that were active, without the toolchain as long as they were built
 * by the same one. Rejects with STORAGE_FAILED, naming the bundle, when one of them is damaged.
 */
export const openPolicyStore = async (options: PolicyStoreOptions): Promise<LocalPolicyStore> => {
  const catalog = policyCatalog(options.catalog);
  const live = liveSet({ ...options, catalog });
  const parts: Parts = { options, catalog, live, shelf: await openShelf(options.dir) };
  const { settings } = options;
  await restore(parts);

  let last: Promise<unknown> = Promise.resolve();
  let isClosed = false;
  /** Changes run one after another, whatever becomes of the one before. */
  const inTurn = <T>(change: () => Promise<T>): Promise<T> => {
    const run = async (): Promise<T> => {
      if (isClosed) throw new PolicyError('STORAGE_FAILED', 'the policy store is closed');
      return change();
    };
    const next = last.then(run, run);
    last = next;
    return next;
  };

  return {
    get current() {
      return live.current;
    },
    onChange: live.onChange,
    bundles: () => bundlesOf(parts),
    versions: (name) => versionsOf(parts, name),
    version: (name, version) => versionOf(parts, name, version),
    archive: async (name, version) => parts.shelf.get(name, versionOf(parts, name, version).digest),
    push: (name, archive, { by, activate }) =>
      inTurn(async () => {
        checkBundleName(name);
        const content = await readArchiveAside(archive, { ...defaultArchiveLimits, ...settings.limits });
        const upload = { name, content, original: archive, by, activate, trusted: false };
        const [taken] = await take(parts, [await examine(parts, upload)]);
        if (taken === undefined) throw new PolicyError('STORAGE_FAILED', 'the push left no version');
        const { version, created, epoch, warnings } = taken;
        return { version, created, epoch, warnings };
      }),
    addLocal: (bundles) => inTurn(() => addLocal(parts, bundles)),
    activate: (name, version, by) =>
      inTurn(async () => activateVersion(parts, versionOf(parts, name, version), { by })),
    rollbackTarget: (name) => rollbackTarget(parts, name),
    rollback: (name, by) => inTurn(async () => rollback(parts, name, by)),
    close: async () => {
      if (isClosed) return;
      isClosed = true;
      await last.catch(() => undefined);
      await live.close();
    },
  };
};
