import { messageOf, sha256Hex } from '../../canonical/index.ts';
import type { Toolchain } from '../../rego/index.ts';
import { readArchive } from '../archive/read.ts';
import { filesDigest } from '../archive/write.ts';
import { buildPrepared, inspect } from '../build/build.ts';
import type { PreparedBundle } from '../build/prepared.ts';
import { prepareBundle } from '../build/prepared.ts';
import type { PolicyLog } from '../live.ts';
import type { VersionInfo } from '../model.ts';
import { PolicyError } from '../model.ts';
import type { PolicySettings } from '../settings.ts';
import { foreignModule, opaqueReferences } from './opaque.ts';
import type { Runnable } from './runnable.ts';
import { builtRunnable, ownBuild } from './runnable.ts';

interface Stored {
  readonly info: VersionInfo;
  readonly bytes: Uint8Array;
  readonly place: string;
}

interface Parts {
  readonly toolchain: Toolchain;
  readonly settings: PolicySettings;
  readonly log?: PolicyLog;
}

// It was accepted once; limits may have been lowered since, and a version that is active must still load.
export const unlimited = {
  archiveBytes: Number.MAX_SAFE_INTEGER,
  inflatedBytes: Number.MAX_SAFE_INTEGER,
  ratio: Number.MAX_SAFE_INTEGER,
  entries: Number.MAX_SAFE_INTEGER,
  fileBytes: Number.MAX_SAFE_INTEGER,
  nameBytes: 4096,
};

const damaged = ({ info, place }: Stored, why: string, cause?: unknown): never => {
  const advice = 'put the file back, or start with an empty storage.dir and push the bundle again';
  throw new PolicyError(
    'STORAGE_FAILED',
    `the stored bundle ${info.name}@${info.version} (${place}) is damaged: ${why}; ${advice}`,
    { cause },
  );
};

const readStored = async (stored: Stored): Promise<PreparedBundle> => {
  try {
    const bundle = await readArchive(stored.bytes, unlimited);
    if (filesDigest(bundle.files) !== stored.info.digest) damaged(stored, 'its files are not those that were stored');
    return prepareBundle(bundle);
  } catch (error) {
    if (error instanceof PolicyError && error.code === 'STORAGE_FAILED') throw error;
    return damaged(stored, messageOf(error), error);
  }
};

const opaqueOf = ({ info }: Stored, prepared: PreparedBundle): Runnable => ({
  digest: info.digest,
  revision: info.revision,
  roots: info.roots,
  entrypoints: info.entrypoints,
  marks: [],
  data: prepared.data.json,
  dataRevision: sha256Hex(prepared.data.json),
  references: opaqueReferences,
  opaque: true,
  wasm: foreignModule(prepared),
});

/**
 * What a stored version runs as: the stored module when it is opaque or a build of this compiler; otherwise (Verdict
 * was upgraded since) its sources are compiled again, under the same version and digest.
 */
export const restoreRunnable = async (stored: Stored, { toolchain, settings, log }: Parts): Promise<Runnable> => {
  const prepared = await readStored(stored);
  if (stored.info.opaque) return opaqueOf(stored, prepared);
  const own = ownBuild(prepared, toolchain);
  if (own !== undefined) return own;
  const { name, version, digest } = stored.info;
  log?.('info', `bundle ${name}@${version} was built by another compiler: compiling it again`, { digest });
  const options = { toolchain, compileMs: settings.compileSeconds * 1000 };
  const build = await buildPrepared(prepared, await inspect(prepared, options), options);
  return { ...builtRunnable(build, prepared), digest };
};
