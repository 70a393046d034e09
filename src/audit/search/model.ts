import type { CacheState, Outcome } from '../../decision/model.ts';
import type { DamagedPlace, MissingRecords } from '../store/chain.ts';

/**
 * Which records are wanted. Every member narrows; several values of one member are alternatives. Texts are compared
 * whole and exactly.
 */
export interface RecordFilter {
  /** Milliseconds since 1970, compared with `timestamp`: from (included) and to (excluded). */
  readonly fromMs?: number;
  readonly toMs?: number;
  readonly subject?: readonly string[];
  readonly action?: readonly string[];
  readonly resource?: readonly string[];
  readonly outcome?: readonly Outcome[];
  /** A bundle that the answer rests on, and numbers of its version. */
  readonly bundle?: readonly string[];
  readonly version?: readonly number[];
  /** The caller's name. */
  readonly caller?: readonly string[];
  /** `jti`, `iss`, `claims_sha256` or the 16 digits with which that begins. */
  readonly token?: readonly string[];
  /** A path as records have it, or one above it: `todo` finds `todo/allow`. */
  readonly path?: readonly string[];
  readonly wire?: readonly string[];
  /** The id that the decisions of one batch have in common. */
  readonly batch?: readonly string[];
  readonly cache?: readonly CacheState[];
  /** True: records that are no decisions (activation, start, stop, pause) too, where time, bundle, version and caller fit. */
  readonly events?: boolean;
  /** Only decisions that rest on bundles, and on these alone: what a restricted auditor may read. */
  readonly within?: readonly string[];
}

export interface RecordPage {
  /** The records' JSON texts without line breaks, joined by `,\n`. Side values are filled in. */
  readonly bytes: Uint8Array;
  /** Of each record: its index in the log, and where its text lies in `bytes`. */
  readonly records: readonly { readonly index: number; readonly start: number; readonly end: number }[];
  /** Where the next page begins; absent when there is no more. */
  readonly next?: string;
  /** True when the bound on one search was met before the page was full: `next` goes on from there. */
  readonly partial: boolean;
  /** What was read for this page. */
  readonly scanned: { readonly records: number; readonly bytes: number };
  /** Whole files of the log that are not as they should be, and damage that was met: the first hundred places. */
  readonly damaged: readonly DamagedPlace[];
  /** Records that the log lacks, wanted or not: the first hundred holes. */
  readonly missing: readonly MissingRecords[];
}

/** Records in the order in which they were written, after a place. */
export interface FollowedRecords extends Omit<RecordPage, 'next'> {
  /** Every record below this index was looked at. */
  readonly upTo: number;
}

/**
 * Reads a log while it is written. Reading happens on a thread of its own, one request at a time; each is bounded in
 * time and bytes. Rejects with AUDIT_BUSY when too many wait, AUDIT_CURSOR_INVALID, AUDIT_SEARCH_FAILED.
 */
export interface AuditReader {
  /** Newest first, from `cursor` on. Pages do not shift when records are added. `limit` 1 to 1,000. */
  search(
    filter: RecordFilter,
    page: { readonly limit: number; readonly cursor?: string | undefined },
  ): Promise<RecordPage>;
  /** Oldest first, from the record with index `from` on. */
  follow(filter: RecordFilter, page: { readonly limit: number; readonly from: number }): Promise<FollowedRecords>;
  /** Records that the log lacks, as a page has them. */
  missing(): readonly MissingRecords[];
  /** The index that the next record gets. */
  end(): number;
  /** Names a record of this log; `search` goes on below it, `indexOf` reads it. */
  cursorOf(index: number): string;
  /** Throws AUDIT_CURSOR_INVALID. */
  indexOf(cursor: string): number;
  close(): Promise<void>;
}
