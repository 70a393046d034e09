import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { Role } from '../decision/model.ts';
import type { TokenInfo } from './model.ts';

/** A token in memory: what authentication compares, and what lists show. */
export interface TokenRow {
  readonly name: string;
  /** SHA-256 of the secret. */
  digest: Buffer;
  readonly roles: readonly Role[];
  readonly bundles?: readonly string[];
  createdMs: number;
  createdBy: string;
  readonly expiresMs?: number;
  revokedMs: number | undefined;
  lastUsedMs: number | undefined;
}

const TABLE = `
  CREATE TABLE IF NOT EXISTS api_tokens (
    name TEXT PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    roles TEXT NOT NULL,
    bundles TEXT,
    created_ms INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    expires_ms INTEGER,
    revoked_ms INTEGER,
    revoked_by TEXT,
    last_used_ms INTEGER
  ) STRICT, WITHOUT ROWID`;

const optionalNumber = (value: SQLOutputValue | undefined): number | undefined =>
  value === null || value === undefined ? undefined : Number(value);

const rowOf = (record: Record<string, SQLOutputValue>): TokenRow => {
  const expiresMs = optionalNumber(record.expires_ms);
  return {
    name: String(record.name),
    digest: Buffer.from(record.digest as Uint8Array),
    roles: JSON.parse(String(record.roles)) as Role[],
    ...(record.bundles === null ? {} : { bundles: JSON.parse(String(record.bundles)) as string[] }),
    createdMs: Number(record.created_ms),
    createdBy: String(record.created_by),
    ...(expiresMs === undefined ? {} : { expiresMs }),
    revokedMs: optionalNumber(record.revoked_ms),
    lastUsedMs: optionalNumber(record.last_used_ms),
  };
};

/** The table of tokens in the catalog. Statements are prepared once; every call may throw what SQLite throws. */
export const tokenTable = (catalog: DatabaseSync) => {
  catalog.exec(TABLE);
  const insert = catalog.prepare(
    `INSERT INTO api_tokens (name, digest, roles, bundles, created_ms, created_by, expires_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  const renew = catalog.prepare(
    `UPDATE api_tokens SET digest = ?, created_ms = ?, created_by = ?, revoked_ms = NULL, revoked_by = NULL
     WHERE name = ?`,
  );
  const revoke = catalog.prepare('UPDATE api_tokens SET revoked_ms = ?, revoked_by = ? WHERE name = ?');
  const used = catalog.prepare('UPDATE api_tokens SET last_used_ms = ? WHERE name = ?');
  return {
    all: (): TokenRow[] => catalog.prepare('SELECT * FROM api_tokens ORDER BY name').all().map(rowOf),
    insert: (row: TokenRow): void => {
      const bundles = row.bundles === undefined ? null : JSON.stringify(row.bundles);
      const expires = row.expiresMs ?? null;
      insert.run(row.name, row.digest, JSON.stringify(row.roles), bundles, row.createdMs, row.createdBy, expires);
    },
    renew: (name: string, digest: Buffer, nowMs: number, by: string): void => {
      renew.run(digest, nowMs, by, name);
    },
    revoke: (name: string, nowMs: number, by: string): void => {
      revoke.run(nowMs, by, name);
    },
    used: (name: string, lastUsedMs: number): void => {
      used.run(lastUsedMs, name);
    },
  };
};

const iso = (ms: number): string => new Date(ms).toISOString();

export const infoOf = (row: TokenRow): TokenInfo => ({
  name: row.name,
  roles: row.roles,
  ...(row.bundles === undefined ? {} : { bundles: row.bundles }),
  createdAt: iso(row.createdMs),
  createdBy: row.createdBy,
  ...(row.expiresMs === undefined ? {} : { expiresAt: iso(row.expiresMs) }),
  ...(row.revokedMs === undefined ? {} : { revokedAt: iso(row.revokedMs) }),
  ...(row.lastUsedMs === undefined ? {} : { lastUsedAt: iso(row.lastUsedMs) }),
});
