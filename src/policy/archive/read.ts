import type { BundleFiles } from '../model.ts';
import { collectFiles } from './collect.ts';
import { inflate } from './inflate.ts';
import type { ArchiveLimits } from './limits.ts';
import { tarReader } from './tar.ts';

/**
 * Reads a gzipped tar from memory into memory; the disk is never touched. Keeps what OPA loads from a bundle and
 * names the rest in `ignored`. Rejects with ARCHIVE_INVALID or ARCHIVE_TOO_LARGE before more is held than `limits`
 * allow.
 */
export const readArchive = async (bytes: Uint8Array, limits: ArchiveLimits): Promise<BundleFiles> => {
  const collector = collectFiles(limits.nameBytes);
  const reader = tarReader(limits, (entry) => {
    if (entry.type === 'directory') collector.folder(entry.name);
    else collector.file(entry.name, entry.bytes);
  });
  await inflate(bytes, limits, reader.push);
  reader.end();
  return collector.files();
};
