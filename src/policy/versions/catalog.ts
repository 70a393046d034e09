import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { messageOf } from '../../canonical/index.ts';
import type { VersionInfo } from '../model.ts';
import { PolicyError } from '../model.ts';

type Row = { readonly [column: string]: SQLOutputValue };

/** A version as it is when it is pushed: what comes later (activation) the catalog adds. */
export type NewVersion = Omit<VersionInfo, 'state' | 'activatedBy' | 'activatedAt'> & {
  /** Digest of the files as they were pushed, before the build. */
  readonly uploadDigest: string;
};

export interface ActiveRow {
  readonly name: string;
  readonly version: number;
  /** Versions that were active before, latest last: what rollbacks go back to. */
  readonly before: readonly number[];
}

/** Versions, activations and the epoch in the catalog. Everything throws STORAGE_FAILED when the catalog does. */
export interface PolicyCatalog {
  names(): readonly string[];
  /** Newest first. */
  versions(name: string): readonly VersionInfo[];
  version(name: string, version: number): VersionInfo | undefined;
  /** The version that was made of these files: pushed so, or stored so. */
  byDigest(name: string, digest: string): VersionInfo | undefined;
  nextVersion(name: string): number;
  add(version: NewVersion): void;
  /** Replaces what linking tells of a version, once it could be linked. */
  settle(name: string, version: number, found: Pick<VersionInfo, 'builtins' | 'tests' | 'notes'>): void;
  /** Remembers that these files, too, are that version. */
  addUpload(name: string, uploadDigest: string, version: number): void;
  active(): readonly ActiveRow[];
  epoch(): number;
  /** Makes each version the active one of its name, with the epoch, in one transaction. */
  activate(rows: readonly ActiveRow[], how: { readonly by: string; readonly at: string; readonly epoch: number }): void;
}

const tables = `
  CREATE TABLE IF NOT EXISTS policy_versions (
    name TEXT NOT NULL, version INTEGER NOT NULL, digest TEXT NOT NULL, facts TEXT NOT NULL,
    activated_by TEXT, activated_at TEXT,
    PRIMARY KEY (name, version), UNIQUE (name, digest)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS policy_uploads (
    name TEXT NOT NULL, digest TEXT NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (name, digest)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS policy_active (
    name TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, before TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS policy_epoch (only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1), epoch INTEGER NOT NULL) STRICT;
`;

const select = `
  SELECT v.*, a.version AS active_version FROM policy_versions v LEFT JOIN policy_active a ON a.name = v.name`;

const versionOf = (row: Row): VersionInfo => {
  const { activated_by: by, activated_at: at } = row;
  const facts = JSON.parse(String(row.facts)) as Omit<VersionInfo, 'state'>;
  const state = row.active_version === row.version ? 'active' : at === null ? 'pushed' : 'retired';
  return {
    ...facts,
    state,
    ...(typeof by === 'string' ? { activatedBy: by } : {}),
    ...(typeof at === 'string' ? { activatedAt: at } : {}),
  };
};

const guarded = <T>(run: () => T): T => {
  try {
    return run();
  } catch (error) {
    throw new PolicyError('STORAGE_FAILED', `the catalog of versions cannot be used: ${messageOf(error)}`, {
      cause: error,
    });
  }
};

/** All or nothing: a crash between the writes leaves the state before them. */
const transaction = (database: DatabaseSync, run: () => void): void => {
  database.exec('BEGIN IMMEDIATE');
  try {
    run();
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
};

/** Opens the policy tables in a catalog, making them when they are not there. */
export const policyCatalog = (database: DatabaseSync): PolicyCatalog =>
  guarded(() => {
    database.exec(tables);
    const upload = database.prepare(
      'INSERT INTO policy_uploads (name, digest, version) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
    );
    const list = database.prepare(`${select} WHERE v.name = ? ORDER BY v.version DESC`);
    const one = database.prepare(`${select} WHERE v.name = ? AND v.version = ?`);
    const found = database.prepare(
      `${select} WHERE v.name = ? AND (v.digest = ? OR v.version =
         (SELECT u.version FROM policy_uploads u WHERE u.name = v.name AND u.digest = ?))`,
    );
    const add = (version: NewVersion): void => {
      const { uploadDigest, ...facts } = version;
      database
        .prepare('INSERT INTO policy_versions (name, version, digest, facts) VALUES (?, ?, ?, ?)')
        .run(facts.name, facts.version, facts.digest, JSON.stringify(facts));
      upload.run(facts.name, uploadDigest, facts.version);
    };
    const activeRows = (): ActiveRow[] =>
      database
        .prepare('SELECT * FROM policy_active ORDER BY name')
        .all()
        .map((row) => ({
          name: String(row.name),
          version: Number(row.version),
          before: JSON.parse(String(row.before)) as number[],
        }));
    return {
      names: () =>
        guarded(() =>
          database
            .prepare('SELECT DISTINCT name FROM policy_versions ORDER BY name')
            .all()
            .map((row) => String(row.name)),
        ),
      versions: (name) => guarded(() => list.all(name).map(versionOf)),
      version: (name, version) =>
        guarded(() => {
          const row = one.get(name, version);
          return row === undefined ? undefined : versionOf(row);
        }),
      byDigest: (name, digest) =>
        guarded(() => {
          const row = found.get(name, digest, digest);
          return row === undefined ? undefined : versionOf(row);
        }),
      nextVersion: (name) =>
        guarded(() => {
          const row = database.prepare('SELECT max(version) AS last FROM policy_versions WHERE name = ?').get(name);
          return Number(row?.last ?? 0) + 1;
        }),
      add: (version) => guarded(() => transaction(database, () => add(version))),
      settle: (name, version, found) =>
        guarded(() => {
          const stored = one.get(name, version);
          if (stored === undefined) return;
          const facts = { ...(JSON.parse(String(stored.facts)) as object), ...found };
          database
            .prepare('UPDATE policy_versions SET facts = ? WHERE name = ? AND version = ?')
            .run(JSON.stringify(facts), name, version);
        }),
      addUpload: (name, digest, version) => guarded(() => void upload.run(name, digest, version)),
      active: () => guarded(activeRows),
      epoch: () => guarded(() => Number(database.prepare('SELECT epoch FROM policy_epoch').get()?.epoch ?? 0)),
      activate: (rows, { by, at, epoch }) =>
        guarded(() =>
          transaction(database, () => {
            for (const { name, version, before } of rows) {
              database
                .prepare('INSERT OR REPLACE INTO policy_active (name, version, before) VALUES (?, ?, ?)')
                .run(name, version, JSON.stringify(before));
              database
                .prepare('UPDATE policy_versions SET activated_by = ?, activated_at = ? WHERE name = ? AND version = ?')
                .run(by, at, name, version);
            }
            database.prepare('INSERT OR REPLACE INTO policy_epoch (only_row, epoch) VALUES (1, ?)').run(epoch);
          }),
        ),
    };
  });
