import type { ArchiveLimits } from '../archive/limits.ts';
import { isYaml } from '../archive/names.ts';
import { readArchive } from '../archive/read.ts';
import { filesDigest } from '../archive/write.ts';
import { aside, errorOf, INLINE_BYTES, type Refusal, refusalOf } from '../aside/aside.ts';
import type { BundleFiles } from '../model.ts';
import { PolicyError } from '../model.ts';
import type { ReadBundle } from './prepared.ts';
import { prepareBundle } from './prepared.ts';

/** A bundle's files with what they say, or why they are refused: files that are known already need not be taken anew. */
export interface UploadContent {
  readonly bundle: BundleFiles;
  /** SHA-256 of the files, as `filesDigest` has it. */
  readonly digest: string;
  readonly read: { readonly prepared: ReadBundle } | { readonly refusal: Refusal };
}

/** Reads on the thread that calls; the tree of the data stays behind where it is handed to another. */
export const readUpload = (bundle: BundleFiles): UploadContent => {
  const digest = filesDigest(bundle.files);
  try {
    const {
      data: { root: _tree, ...data },
      ...prepared
    } = prepareBundle(bundle);
    return { bundle, digest, read: { prepared: { ...prepared, data } } };
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    return { bundle, digest, read: { refusal: refusalOf(error) } };
  }
};

// YAML takes ten times as long to read as JSON.
const weightOf = ({ files }: BundleFiles): number =>
  [...files].reduce((sum, [name, bytes]) => sum + bytes.length * (isYaml(name) ? 10 : 1), 0);

/** Reads files, aside where there is much to read. */
export const readFilesAside = async (bundle: BundleFiles): Promise<UploadContent> =>
  weightOf(bundle) > INLINE_BYTES ? aside('files', bundle) : readUpload(bundle);

/** Reads an archive and its files, aside where there is much to read. Rejects as readArchive does. */
export const readArchiveAside = async (bytes: Uint8Array, limits: ArchiveLimits): Promise<UploadContent> =>
  bytes.length > INLINE_BYTES ? aside('archive', { bytes, limits }) : readFilesAside(await readArchive(bytes, limits));

/** What the files say; throws the PolicyError with which they are refused. */
export const preparedOf = ({ read }: UploadContent): ReadBundle => {
  if ('refusal' in read) throw errorOf(read.refusal);
  return read.prepared;
};
