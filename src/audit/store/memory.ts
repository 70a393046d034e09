import type { DatabaseSync } from 'node:sqlite';

/**
 * What is remembered of logs outside of their own folder: how many records were written at least. It shows that the newest
 * were taken away; what was written after the last `remember` it cannot know.
 */
export interface LogMemory {
  /** The index after the last record of this log that is known to have been written; 0 of one that is not known. */
  reach(origin: string): number;
  /** The log that was remembered last, when it is another one than this. */
  former(origin: string): { readonly origin: string; readonly records: number } | undefined;
  /** Never throws: a memory that is not kept costs no record. */
  remember(origin: string, records: number): void;
}

/** For a log without a catalog beside it. */
export const noMemory: LogMemory = { reach: () => 0, former: () => undefined, remember: () => {} };

const table = `
  CREATE TABLE IF NOT EXISTS audit_reach (
    origin TEXT NOT NULL PRIMARY KEY, records INTEGER NOT NULL, seen INTEGER NOT NULL
  ) STRICT`;

/** Keeps it in the catalog. `nowMs` orders logs. */
export const catalogMemory = (catalog: DatabaseSync, nowMs: () => number): LogMemory => {
  catalog.exec(table);
  const byOrigin = catalog.prepare('SELECT records FROM audit_reach WHERE origin = ?');
  const newest = catalog.prepare('SELECT origin, records FROM audit_reach ORDER BY seen DESC, rowid DESC LIMIT 1');
  const put = catalog.prepare(`
    INSERT INTO audit_reach (origin, records, seen) VALUES (?, ?, ?)
    ON CONFLICT (origin) DO UPDATE SET records = max(records, excluded.records), seen = excluded.seen`);
  return {
    reach: (origin) => Number(byOrigin.get(origin)?.records ?? 0),
    former: (origin) => {
      const row = newest.get();
      if (row === undefined || row.origin === origin) return undefined;
      return { origin: String(row.origin), records: Number(row.records) };
    },
    remember: (origin, records) => {
      try {
        // It may be a little behind after a power failure, so it waits for no disk: this is the deciding thread.
        catalog.exec('PRAGMA synchronous = NORMAL');
        try {
          put.run(origin, records, nowMs());
        } finally {
          catalog.exec('PRAGMA synchronous = FULL');
        }
      } catch {
        // The catalog is busy or its disk is full: what was remembered before still holds.
      }
    },
  };
};
