// What the decision log takes and gives: part of model.ts, through which the other parts import it.
import { VerdictError } from '../canonical/index.ts';
import type { CheckedJson, NonDeterministicCall, SeenToken } from '../engine/index.ts';
import type { CacheState, DecisionError, Outcome, PolicyRef, RequestFacts } from './model.ts';

/** What was asked and answered, before masking. */
export interface RecordContent {
  readonly input?: CheckedJson;
  /** JSON text; absent when the verdict is not `decided`. */
  readonly result?: string;
  readonly nonDeterministic: readonly NonDeterministicCall[];
}

declare const masked: unique symbol;

/** Content after masks, token recognition and the size rule: a record's text, made once and used by every hit. */
export interface PreparedContent {
  readonly [masked]: true;
  /** Bytes that keeping this in memory costs. */
  readonly sizeBytes: number;
}

/** The facts of one record that differ from answer to answer. */
export interface RecordFacts extends RequestFacts {
  readonly decisionId: string;
  /** Milliseconds since 1970 at which the answer was made ready. */
  readonly timestampMs: number;
  readonly path: readonly string[];
  readonly entrypoint?: string | undefined;
  readonly outcome: Outcome;
  readonly error?: DecisionError | undefined;
  readonly policies: readonly PolicyRef[];
  readonly epoch: number;
  readonly cache: CacheState;
  readonly ageMs: number;
  /** Milliseconds since 1970 until which the answer holds; absent when it is not cacheable. */
  readonly freshUntilMs?: number | undefined;
  /** The evaluation's clock, nanoseconds since 1970 (for a hit: that of the evaluation which made the answer). */
  readonly nowNs?: bigint | undefined;
  readonly strictErrors: boolean;
  readonly inputPresent: boolean;
  readonly tokens: readonly SeenToken[];
  /** Nanoseconds that deciding took, evaluation included. */
  readonly durationNs: number;
  readonly instructions?: number | undefined;
}

export type AuditErrorCode =
  /** The log cannot take records now: disk full, I/O error, or it was closed. */
  | 'AUDIT_UNWRITABLE'
  /** The directory cannot be used: not writable, locked by another process, or not a log. */
  | 'AUDIT_UNUSABLE'
  /** A segment or side file is damaged where it must not be. */
  | 'AUDIT_CORRUPT'
  /** A cursor that no search of this log gave. */
  | 'AUDIT_CURSOR_INVALID'
  /** More searches wait than one log takes. */
  | 'AUDIT_BUSY'
  /** The thread that reads the log failed. */
  | 'AUDIT_SEARCH_FAILED';

export class AuditError extends VerdictError<AuditErrorCode> {}

export interface AuditLog {
  /** Masks, redacts and sizes the content of a record. Never throws: what cannot be masked is redacted whole. */
  prepare(content: RecordContent): PreparedContent;
  /**
   * Takes one record. `done` is called in the same turn of the event loop or a later one, after the record is where
   * `audit.durability` wants it, or with the error that kept it from there. Records of one turn are written together,
   * in the order in which they were appended.
   */
  append(facts: RecordFacts, content: PreparedContent, done: (error?: AuditError) => void): void;
  /** A record that is no decision: an activation, a push, a token, start, stop. */
  note(event: AuditEvent): Promise<void>;
  /** The stored JSON text of one record, side values filled in, or undefined. Exact as soon as `done` was called. */
  find(decisionId: string): Promise<string | undefined>;
  /** False while the log cannot take records, with the sentence that says why. */
  health(): { readonly writable: boolean; readonly reason?: string };
  /** Writes what is pending, syncs, closes. */
  close(): Promise<void>;
}

/** What the log did since it was opened, and what waits in it now. */
export interface LogStats {
  /** Records, events included, and bytes that were written. */
  readonly records: number;
  readonly bytes: number;
  /** Taken, and not yet written. */
  readonly waitingRecords: number;
  readonly waitingBytes: number;
  /** Milliseconds for which the oldest record that was written waits to be on the disk; 0 when all are. */
  readonly unsyncedMs: number;
  readonly failedWrites: number;
  /** Times at which the log began to take no records, and records that were refused. */
  readonly pauses: number;
  readonly refusedRecords: number;
  readonly segments: number;
}

export interface AuditEvent {
  readonly event: 'activation' | 'push' | 'token_create' | 'token_revoke' | 'start' | 'stop' | 'pause';
  readonly by: string;
  readonly details: { readonly [key: string]: unknown };
}
