/** What one archive or folder may hold. Everything here is checked while reading, before memory is taken for it. */
export interface ArchiveLimits {
  /** Bytes of the compressed archive. */
  readonly archiveBytes: number;
  /** Bytes after inflation, tar headers included. */
  readonly inflatedBytes: number;
  /** Inflated bytes for one compressed byte; archives below 1 MiB inflated are not held to it. */
  readonly ratio: number;
  /** Tar headers of any kind, or files and folders of a directory. */
  readonly entries: number;
  readonly fileBytes: number;
  /** UTF-8 bytes of a member's name. */
  readonly nameBytes: number;
}

export const defaultArchiveLimits: ArchiveLimits = {
  archiveBytes: 33_554_432,
  inflatedBytes: 268_435_456,
  ratio: 250,
  entries: 10_000,
  fileBytes: 134_217_728,
  nameBytes: 512,
};
