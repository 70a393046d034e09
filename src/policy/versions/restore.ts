import { messageOf } from '../../canonical/index.ts';
import type { Toolchain } from '../../rego/index.ts';
import { buildPrepared, inspectOutlined } from '../build/build.ts';
import type { ReadBundle } from '../build/prepared.ts';
import { preparedOf, readArchiveAside } from '../build/upload.ts';
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

const readStored = async (stored: Stored): Promise<ReadBundle> => {
  try {
    const content = await readArchiveAside(stored.bytes, unlimited);
    if (content.digest !== stored.info.digest) damaged(stored, 'its files are not those that were stored');
    return preparedOf(content);
  } catch (error) {
    if (error instanceof PolicyError && error.code === 'STORAGE_FAILED') throw error;
    return damaged(stored, messageOf(error), error);
  }
};

const opaqueOf = ({ info }: Stored, prepared: ReadBundle): Runnable => ({
  digest: info.digest,
  revision: info.revision,
  roots: info.roots,
  entrypoints: info.entrypoints,
  marks: [],
  data: prepared.data.json,
  dataIndex: prepared.data.index,
  dataRevision: prepared.data.revision,
  references: opaqueReferences,
  opaque: true,
  wasm: foreignModule(prepared),
});

/**
 * What a stored version runs as: the stored module when it is opaque or a build of this compiler; otherwise (Verdict
 * was upgraded since) its sources are compiled again, under the same version and digest.
 */
export const restoreRunnable = async (stored: Stored, { toolchain, settings, log }: Parts): Promise<Runnable> => {
  const read = await readStored(stored);
  if (stored.info.opaque) return opaqueOf(stored, read);
  const own = ownBuild(read, stored.info.digest, toolchain);
  if (own !== undefined) return own;
  const { name, version, digest } = stored.info;
  log?.('info', `bundle ${name}@${version} was built by another compiler: compiling it again`, { digest });
  const options = { toolchain, compileMs: settings.compileSeconds * 1000 };
  const { prepared, inspection } = await inspectOutlined(read, options);
  const build = await buildPrepared(prepared, inspection, options);
  return { ...builtRunnable(build, prepared), digest };
};
