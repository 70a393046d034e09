import type { ArchiveLimits } from '../archive/limits.ts';
import { readArchive } from '../archive/read.ts';
import { outlineOf } from '../build/outline.ts';
import { readUpload } from '../build/upload.ts';
import { joinData } from '../link/joined-data.ts';
import type { BundleFiles } from '../model.ts';

/** What a thread can be asked to do: work that takes time in proportion to data, on values that can be copied to it. */
export const tasks = {
  /** Reads an archive, and all in it that needs no compiler. */
  archive: async ({ bytes, limits }: { readonly bytes: Uint8Array; readonly limits: ArchiveLimits }) =>
    readUpload(await readArchive(bytes, limits)),
  /** The same of files that are there already. */
  files: async (bundle: BundleFiles) => readUpload(bundle),
  outline: async (request: Parameters<typeof outlineOf>[0]) => outlineOf(request),
  join: async (request: Parameters<typeof joinData>[0]) => joinData(request),
} as const;

export type Task = keyof typeof tasks;
export type Request<Name extends Task> = Parameters<(typeof tasks)[Name]>[0];
export type Answer<Name extends Task> = Awaited<ReturnType<(typeof tasks)[Name]>>;
