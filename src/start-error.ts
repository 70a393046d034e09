import { VerdictError } from './canonical/index.ts';

export type StartErrorCode =
  /** `storage.dir` is not a folder that can be made and written. */
  | 'STORAGE_UNUSABLE'
  /** `catalog.db` in it is damaged or is no catalog. */
  | 'CATALOG_UNREADABLE'
  /** A listener's address is taken or is not this machine's. */
  | 'ADDRESS_UNAVAILABLE';

/** A start that could not be: one sentence, and what to do. */
export class StartError extends VerdictError<StartErrorCode> {}
