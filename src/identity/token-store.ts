import { timingSafeEqual } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { type Clock, messageOf, sha256 } from '../canonical/index.ts';
import type { Caller } from '../decision/model.ts';
import { IdentityError, type NewSecret, type NewToken, type OpenTokenStore } from './model.ts';
import { checkNewToken, ROLES } from './new-token.ts';
import type { IdentitySettings } from './settings.ts';
import { isSecretText, newSecretText } from './token-form.ts';
import { infoOf, type TokenRow, tokenTable } from './token-row.ts';

const FLUSH_MS = 60_000;

const stored = <T>(what: string, work: () => T): T => {
  try {
    return work();
  } catch (cause) {
    throw new IdentityError('TOKEN_STORAGE_FAILED', `${what}: ${messageOf(cause)}`, { cause });
  }
};

const callerOf = (row: TokenRow): Caller => ({
  kind: 'token',
  name: row.name,
  roles: row.roles,
  ...(row.bundles === undefined ? {} : { bundles: row.bundles }),
});

const newSecret = (): { readonly secret: string; readonly digest: Buffer } => {
  const secret = newSecretText();
  return { secret, digest: sha256(secret) };
};

/**
 * Opens the API tokens in the catalog. All tokens are held in memory, so authentication never waits for the disk; a
 * change is on the disk before it shows. Throws TOKEN_STORAGE_FAILED when the catalog cannot be read.
 */
export const openTokenStore = (options: {
  readonly catalog: DatabaseSync;
  readonly clock: Clock;
  readonly settings: IdentitySettings;
}): OpenTokenStore => {
  const { clock, settings } = options;
  const table = stored('the tokens in the catalog cannot be read', () => tokenTable(options.catalog));
  const rows = stored('the tokens in the catalog cannot be read', () => table.all());
  const byName = new Map(rows.map((row) => [row.name, row]));
  // Finding by digest tells nothing by its time: nobody can steer the SHA-256 of a guess towards a stored one.
  const byDigest = new Map(rows.map((row) => [row.digest.toString('hex'), row]));
  const unwritten = new Set<TokenRow>();
  let timer: NodeJS.Timeout | undefined;

  const writeLastUsed = (): void => {
    timer = undefined;
    for (const row of unwritten) if (row.lastUsedMs !== undefined) table.used(row.name, row.lastUsedMs);
    unwritten.clear();
  };

  // The next flush tries again, and a lost "last used" is no reason to end the process.
  const flushLater = (): void => {
    try {
      writeLastUsed();
    } catch {
      timer = setTimeout(flushLater, FLUSH_MS).unref();
    }
  };

  const markUsed = (row: TokenRow, nowMs: number): void => {
    row.lastUsedMs = nowMs;
    unwritten.add(row);
    timer ??= setTimeout(flushLater, FLUSH_MS).unref();
  };

  const known = (name: string): TokenRow => {
    const row = byName.get(name);
    if (row === undefined) throw new IdentityError('TOKEN_UNKNOWN', 'no token has this name');
    return row;
  };

  const insert = (token: NewToken, by: string): NewSecret => {
    const { secret, digest } = newSecret();
    const nowMs = clock.nowMs();
    const row: TokenRow = {
      name: token.name,
      digest,
      roles: ROLES.filter((role) => token.roles.includes(role)),
      ...(token.bundles === undefined ? {} : { bundles: [...new Set(token.bundles)].sort() }),
      createdMs: nowMs,
      createdBy: by,
      ...(token.expiresInMs === undefined ? {} : { expiresMs: nowMs + token.expiresInMs }),
      revokedMs: undefined,
      lastUsedMs: undefined,
    };
    stored('the token cannot be written', () => table.insert(row));
    byName.set(row.name, row);
    byDigest.set(digest.toString('hex'), row);
    return { info: infoOf(row), secret };
  };

  const renew = (row: TokenRow, by: string): NewSecret => {
    const { secret, digest } = newSecret();
    const nowMs = clock.nowMs();
    stored('the token cannot be written', () => table.renew(row.name, digest, nowMs, by));
    byDigest.delete(row.digest.toString('hex'));
    Object.assign(row, { digest, createdMs: nowMs, createdBy: by, revokedMs: undefined });
    byDigest.set(digest.toString('hex'), row);
    return { info: infoOf(row), secret };
  };

  /** The live token with this secret. */
  const find = (secret: string, nowMs: number): TokenRow | undefined => {
    if (!isSecretText(secret)) return undefined;
    const digest = sha256(secret);
    const row = byDigest.get(digest.toString('hex'));
    if (row === undefined || !timingSafeEqual(row.digest, digest) || row.revokedMs !== undefined) return undefined;
    return row.expiresMs !== undefined && nowMs >= row.expiresMs ? undefined : row;
  };

  return {
    create: (token, by) => {
      checkNewToken(token, settings);
      if (byName.has(token.name))
        throw new IdentityError('TOKEN_EXISTS', `the name ${token.name} is taken (revoked names stay taken)`);
      return insert(token, by);
    },
    renew: (token, by) => {
      const row = byName.get(token.name);
      return row === undefined ? insert(token, by) : renew(row, by);
    },
    isSecretOf: (name, secret) => find(secret, clock.nowMs())?.name === name,
    list: () => [...byName.values()].map(infoOf).sort((a, b) => (a.name < b.name ? -1 : 1)),
    revoke: (name, by) => {
      const row = known(name);
      if (row.revokedMs === undefined) {
        const nowMs = clock.nowMs();
        stored('the revocation cannot be written', () => table.revoke(name, nowMs, by));
        row.revokedMs = nowMs;
      }
      return infoOf(row);
    },
    authenticate: (secret) => {
      const nowMs = clock.nowMs();
      const row = find(secret, nowMs);
      if (row === undefined) return undefined;
      markUsed(row, nowMs);
      return callerOf(row);
    },
    close: () => {
      clearTimeout(timer);
      stored('the tokens cannot be written', writeLastUsed);
    },
  };
};
