import { stat } from 'node:fs/promises';
import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../canonical/index.ts';
import { messageOf } from '../canonical/index.ts';
import type { AuditEvent } from '../decision/model.ts';
import type { Engine, LoadedModule } from '../engine/index.ts';
import type { Toolchain } from '../rego/index.ts';
import { readBoundedFile, readDirectory } from './archive/directory.ts';
import { defaultArchiveLimits } from './archive/limits.ts';
import { readArchive } from './archive/read.ts';
import { filesDigest } from './archive/write.ts';
import { checkBundleName } from './bundle-name.ts';
import type { Candidate, Change, LiveSet, PolicyLog } from './live.ts';
import { liveSet } from './live.ts';
import type { BundleFiles, BundleInfo, PolicyStore, PushResult, VersionInfo } from './model.ts';
import { PolicyError } from './model.ts';
import type { PolicySettings } from './settings.ts';
import type { Accepted } from './versions/acceptance.ts';
import { acceptBundle } from './versions/acceptance.ts';
import type { PolicyCatalog } from './versions/catalog.ts';
import { policyCatalog } from './versions/catalog.ts';
import { loadModule } from './versions/loaded-module.ts';
import { restoreRunnable } from './versions/restore.ts';
import type { Shelf } from './versions/shelf.ts';
import { openShelf } from './versions/shelf.ts';

export interface PolicyStoreOptions {
  /** `storage.dir`. */
  readonly dir: string;
  readonly settings: PolicySettings;
  readonly toolchain: Toolchain;
  readonly engine: Engine;
  readonly clock: Clock;
  /** The store makes its own tables in it. */
  readonly catalog: DatabaseSync;
  /** Records an activation. It is awaited before anything changes: when it rejects, nothing does. */
  readonly onActivation?: (event: AuditEvent) => Promise<void>;
  readonly log?: PolicyLog;
  /** The bundle that answers AuthZEN when a request names none. */
  readonly authzenBundle?: string;
}

export interface LocalResult extends PushResult {
  /** False when the version was the active one already. */
  readonly activated: boolean;
}

export interface LocalPolicyStore extends PolicyStore {
  /**
   * Serves a folder or a bundle file of this machine: pushed and activated, by `local`, when it is not what is active
   * under the name. A build of our compiler is taken as it is, without compiling or testing it again.
   */
  addLocal(name: string, path: string): Promise<LocalResult>;
}

type Activated = { readonly version: VersionInfo; readonly epoch: number };

interface Upload {
  readonly name: string;
  readonly bundle: BundleFiles;
  /** The bytes as pushed; absent for a folder. */
  readonly original?: Uint8Array;
  readonly by: string;
  readonly activate: boolean;
  readonly trusted: boolean;
}

interface Made {
  readonly accepted: Accepted;
  readonly module: LoadedModule;
  readonly version: number;
  readonly uploadDigest: string;
}

const LOCAL = 'local';

const isFolder = async (path: string): Promise<boolean> => {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    throw new PolicyError('ARCHIVE_INVALID', `the bundle cannot be read: ${messageOf(error)}`, { cause: error });
  }
};

interface Parts {
  readonly options: PolicyStoreOptions;
  readonly catalog: PolicyCatalog;
  readonly shelf: Shelf;
  readonly live: LiveSet;
}

/** Versions as the catalog has them, newest first. */
const versionsOf = ({ catalog }: Parts, name: string): readonly VersionInfo[] => {
  const versions = catalog.versions(name);
  if (versions.length === 0) throw new PolicyError('BUNDLE_UNKNOWN', 'no bundle of this name was pushed');
  return versions;
};

const versionOf = (parts: Parts, name: string, version: number): VersionInfo => {
  const found = parts.catalog.version(name, version);
  if (found !== undefined) return found;
  versionsOf(parts, name);
  throw new PolicyError('VERSION_UNKNOWN', `${name} has no version ${version}`);
};

const bundlesOf = ({ catalog }: Parts): BundleInfo[] =>
  catalog.names().flatMap((name) => {
    const versions = catalog.versions(name);
    const [latest] = versions;
    const active = versions.find(({ state }) => state === 'active');
    if (latest === undefined) return [];
    return [{ name, latest, versions: versions.length, ...(active === undefined ? {} : { active }) }];
  });

/** A stored version, loaded. */
const candidateOf = async ({ options, shelf }: Parts, info: VersionInfo): Promise<Candidate> => {
  const { engine, toolchain, settings, log } = options;
  const bytes = await shelf.get(info.name, info.digest);
  const stored = { info, bytes, place: shelf.place(info.name, info.digest) };
  const runnable = await restoreRunnable(stored, { toolchain, settings, ...(log === undefined ? {} : { log }) });
  return { info, runnable, module: await loadModule(engine, `${info.name}@${info.version}`, runnable) };
};

const activateVersion = async (parts: Parts, info: VersionInfo, change: Change): Promise<Activated> => {
  const { live } = parts;
  if (info.state === 'active') return { version: info, epoch: live.current.epoch };
  live.refuseOverlap(info.name, info.roots);
  const epoch = await live.activate(await candidateOf(parts, info), change);
  return { version: versionOf(parts, info.name, info.version), epoch };
};

/** The files are known: at most there is something to activate. */
const takeAgain = async (parts: Parts, known: VersionInfo, { by, activate }: Upload): Promise<LocalResult> => {
  if (!activate || known.state === 'active') {
    return { version: known, created: false, activated: false, epoch: parts.live.current.epoch };
  }
  return { ...(await activateVersion(parts, known, { by })), created: false, activated: true };
};

/** Stores a version that was accepted and loads; what fails on the way leaves nothing behind. */
const store = async ({ options, catalog, shelf }: Parts, upload: Upload, made: Made): Promise<void> => {
  const { accepted, module, version, uploadDigest } = made;
  const { runnable } = accepted;
  try {
    await shelf.put(upload.name, runnable.digest, accepted.archive);
    catalog.add({
      name: upload.name,
      version,
      digest: runnable.digest,
      uploadDigest,
      revision: runnable.revision,
      roots: runnable.roots,
      entrypoints: runnable.entrypoints,
      opaque: runnable.opaque,
      builtins: module.builtins,
      tests: { passed: accepted.testsPassed },
      pushedBy: upload.by,
      pushedAt: new Date(options.clock.nowMs()).toISOString(),
      notes: accepted.notes,
    });
  } catch (error) {
    await module.close();
    await shelf.remove(upload.name, runnable.digest).catch(() => undefined);
    throw error;
  }
  const fields = { by: upload.by, digest: runnable.digest, opaque: runnable.opaque };
  options.log?.('info', `bundle ${upload.name}@${version} was pushed`, fields);
};

const take = async (parts: Parts, upload: Upload): Promise<LocalResult> => {
  const { options, catalog, live } = parts;
  const { name, bundle, original, trusted } = upload;
  const uploadDigest = filesDigest(bundle.files);
  const known = catalog.byDigest(name, uploadDigest);
  if (known !== undefined) return takeAgain(parts, known, upload);

  const { toolchain, settings, engine } = options;
  const how = { toolchain, settings, trusted, ...(original === undefined ? {} : { original }) };
  const accepted = await acceptBundle(bundle, how);
  const { runnable } = accepted;
  const same = catalog.byDigest(name, runnable.digest);
  if (same !== undefined) {
    catalog.addUpload(name, uploadDigest, same.version);
    return takeAgain(parts, same, upload);
  }
  live.refuseOverlap(name, runnable.roots);
  const version = catalog.nextVersion(name);
  const module = await loadModule(engine, `${name}@${version}`, runnable);
  await store(parts, upload, { accepted, module, version, uploadDigest });
  const info = versionOf(parts, name, version);
  if (!upload.activate) {
    await module.close();
    return { version: info, created: true, activated: false, epoch: live.current.epoch };
  }
  const epoch = await live.activate({ info, runnable, module }, { by: upload.by });
  return { version: versionOf(parts, name, version), created: true, activated: true, epoch };
};

const rollback = (parts: Parts, name: string, by: string): Promise<Activated> => {
  versionsOf(parts, name);
  const before = parts.catalog.active().find((row) => row.name === name)?.before ?? [];
  const target = before.at(-1);
  if (target === undefined) {
    throw new PolicyError('NOTHING_TO_ROLL_BACK', `${name} has no version that was active before`);
  }
  return activateVersion(parts, versionOf(parts, name, target), { by, before: before.slice(0, -1) });
};

/** What is wrong with a file says of which: configuration may name several. */
const named = (name: string, path: string, error: unknown): unknown =>
  error instanceof PolicyError && error.problems.length === 0
    ? new PolicyError(error.code, `the bundle ${name} at ${path}: ${error.message}`, { cause: error })
    : error;

const localUpload = async (name: string, path: string, settings: PolicySettings): Promise<Upload> => {
  checkBundleName(name);
  const limits = { ...defaultArchiveLimits, ...settings.limits };
  const common = { name, by: LOCAL, activate: true, trusted: true };
  if (await isFolder(path)) return { ...common, bundle: await readDirectory(path, limits) };
  const original = await readBoundedFile(path, limits.archiveBytes);
  return { ...common, bundle: await readArchive(original, limits), original };
};

/** Loads what was active when the process ended; none stays loaded when one cannot be. */
const restore = async (parts: Parts): Promise<void> => {
  const candidates: Candidate[] = [];
  try {
    for (const { name, version } of parts.catalog.active()) {
      candidates.push(await candidateOf(parts, versionOf(parts, name, version)));
    }
  } catch (error) {
    await Promise.all(candidates.map(({ module }) => module.close()));
    throw error;
  }
  parts.live.restore(candidates);
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
        const bundle = await readArchive(archive, { ...defaultArchiveLimits, ...settings.limits });
        const taken = await take(parts, { name, bundle, original: archive, by, activate, trusted: false });
        return { version: taken.version, created: taken.created, epoch: taken.epoch };
      }),
    addLocal: (name, path) =>
      inTurn(async () => {
        try {
          return await take(parts, await localUpload(name, path, settings));
        } catch (error) {
          throw named(name, path, error);
        }
      }),
    activate: (name, version, by) =>
      inTurn(async () => activateVersion(parts, versionOf(parts, name, version), { by })),
    rollback: (name, by) => inTurn(async () => rollback(parts, name, by)),
    close: async () => {
      if (isClosed) return;
      isClosed = true;
      await last.catch(() => undefined);
      await live.close();
    },
  };
};
