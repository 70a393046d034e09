import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Clock } from '../../src/canonical/index.ts';
import { IdentityError, type NewToken, openTokenStore, ROLES } from '../../src/identity/index.ts';

const clockAt = (start: number): Clock & { tick(ms: number): void } => {
  let now = start;
  return {
    nowMs: () => now,
    nowNs: () => BigInt(now) * 1_000_000n,
    monotonicMs: () => now,
    tick: (ms) => {
      now += ms;
    },
  };
};

const open = (options: { catalog?: DatabaseSync; maxTokenDays?: number } = {}) => {
  const catalog = options.catalog ?? new DatabaseSync(':memory:');
  const clock = clockAt(Date.UTC(2026, 0, 1));
  const store = openTokenStore({ catalog, clock, settings: { maxTokenDays: options.maxTokenDays ?? 0 } });
  return { catalog, clock, store };
};

const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof IdentityError) return error.code;
    throw error;
  }
  return 'accepted';
};

test('a secret authenticates its token, with its roles and bundles', () => {
  const { store } = open();
  const { secret, info } = store.create({ name: 'ci', roles: ['auditor', 'author'], bundles: ['todo'] }, 'operator');
  expect(secret).toMatch(/^vdt_[A-Za-z0-9_-]{43}$/);
  expect(info).toEqual({
    name: 'ci',
    roles: ['author', 'auditor'],
    bundles: ['todo'],
    createdAt: '2026-01-01T00:00:00.000Z',
    createdBy: 'operator',
  });
  expect(store.authenticate(secret)).toEqual({
    kind: 'token',
    name: 'ci',
    roles: ['author', 'auditor'],
    bundles: ['todo'],
  });
});

test('the catalog holds no secret, and nothing that lists show holds one', () => {
  const { store, catalog } = open();
  const { secret } = store.create({ name: 'ci', roles: ['ask'] }, 'operator');
  const stored = JSON.stringify(catalog.prepare('SELECT *, hex(digest) AS hexadecimal FROM api_tokens').all());
  expect(stored).not.toContain(secret.slice(4));
  expect(JSON.stringify(store.list())).not.toContain(secret.slice(4));
});

test('anything that is not exactly a secret authenticates nobody', () => {
  const { store } = open();
  const { secret } = store.create({ name: 'ci', roles: ['ask'] }, 'operator');
  fc.assert(
    fc.property(fc.nat(secret.length - 1), fc.constantFrom('', 'A', '_', '\0', 'é'), (at, other) => {
      const changed = secret.slice(0, at) + other + secret.slice(at + 1);
      return changed === secret || store.authenticate(changed) === undefined;
    }),
  );
  expect(store.authenticate('')).toBeUndefined();
  expect(store.authenticate(`${secret} `)).toBeUndefined();
});

test('a revoked token is refused at once, and its name stays taken', () => {
  const { store } = open();
  const { secret } = store.create({ name: 'ci', roles: ['ask'] }, 'operator');
  expect(store.revoke('ci', 'operator').revokedAt).toBe('2026-01-01T00:00:00.000Z');
  expect(store.authenticate(secret)).toBeUndefined();
  expect(codeOf(() => store.create({ name: 'ci', roles: ['ask'] }, 'operator'))).toBe('TOKEN_EXISTS');
  expect(codeOf(() => store.revoke('nobody', 'operator'))).toBe('TOKEN_UNKNOWN');
});

test('a second revocation keeps the time of the first', () => {
  const { store, clock } = open();
  store.create({ name: 'ci', roles: ['ask'] }, 'operator');
  const first = store.revoke('ci', 'operator').revokedAt;
  clock.tick(5000);
  expect(store.revoke('ci', 'operator').revokedAt).toBe(first);
});

test('a token ends at its expiry, to the millisecond', () => {
  const { store, clock } = open();
  const { secret } = store.create({ name: 'ci', roles: ['ask'], expiresInMs: 1000 }, 'operator');
  clock.tick(999);
  expect(store.authenticate(secret)?.name).toBe('ci');
  clock.tick(1);
  expect(store.authenticate(secret)).toBeUndefined();
});

test('what was made, revoked and used is there after the store was opened again', () => {
  const { store, catalog, clock } = open();
  const kept = store.create({ name: 'kept', roles: ['ask'], bundles: ['b', 'a', 'a'] }, 'operator');
  const ended = store.create({ name: 'ended', roles: ['ask'] }, 'operator');
  store.revoke('ended', 'operator');
  clock.tick(60_000);
  store.authenticate(kept.secret);
  store.close();
  const again = open({ catalog }).store;
  expect(again.authenticate(ended.secret)).toBeUndefined();
  expect(again.list().map(({ name, lastUsedAt }) => ({ name, lastUsedAt }))).toEqual([
    { name: 'ended', lastUsedAt: undefined },
    { name: 'kept', lastUsedAt: '2026-01-01T00:01:00.000Z' },
  ]);
  expect(again.authenticate(kept.secret)?.bundles).toEqual(['a', 'b']);
});

test.each<[string, Partial<NewToken>, string]>([
  ['an empty name', { name: '' }, 'TOKEN_NAME_INVALID'],
  ['a name in capitals', { name: 'CI' }, 'TOKEN_NAME_INVALID'],
  ['a name of 64 characters', { name: 'a'.repeat(64) }, 'TOKEN_NAME_INVALID'],
  ['no role', { roles: [] }, 'TOKEN_ROLE_INVALID'],
  ['a role that does not exist', { roles: ['root' as 'ask'] }, 'TOKEN_ROLE_INVALID'],
  ['an operator of some bundles only', { roles: ['operator'], bundles: ['todo'] }, 'TOKEN_ROLE_INVALID'],
  ['no bundle at all', { bundles: [] }, 'TOKEN_BUNDLE_INVALID'],
  ['a bundle that cannot exist', { bundles: ['../x'] }, 'TOKEN_BUNDLE_INVALID'],
  ['an expiry in the past', { expiresInMs: -1 }, 'TOKEN_EXPIRY_INVALID'],
  ['an expiry that is no number', { expiresInMs: Number.NaN }, 'TOKEN_EXPIRY_INVALID'],
])('a token with %s is refused', (_, part, code) => {
  const { store } = open();
  expect(codeOf(() => store.create({ name: 'ci', roles: ['ask'], ...part }, 'operator'))).toBe(code);
  expect(store.list()).toEqual([]);
});

test('where tokens must expire, one that lives too long is refused', () => {
  const { store } = open({ maxTokenDays: 1 });
  expect(codeOf(() => store.create({ name: 'ci', roles: ['ask'] }, 'operator'))).toBe('TOKEN_EXPIRY_INVALID');
  const day = { name: 'ci', roles: ['ask'] as const, expiresInMs: 86_400_000 };
  expect(codeOf(() => store.create({ ...day, expiresInMs: 86_400_001 }, 'operator'))).toBe('TOKEN_EXPIRY_INVALID');
  expect(codeOf(() => store.create(day, 'operator'))).toBe('accepted');
});

test('a renewed token has a new secret, and the old one ends', () => {
  const { store, catalog } = open({ maxTokenDays: 1 });
  const first = store.renew({ name: 'operator', roles: ROLES }, 'start');
  store.revoke('operator', 'operator');
  const second = store.renew({ name: 'operator', roles: ROLES }, 'start');
  for (const opened of [store, open({ catalog }).store]) {
    expect(opened.authenticate(first.secret)).toBeUndefined();
    expect(opened.authenticate(second.secret)?.roles).toEqual(ROLES);
    expect(opened.isSecretOf('operator', second.secret)).toBe(true);
    expect(opened.isSecretOf('ci', second.secret)).toBe(false);
  }
});

test('a catalog that cannot take the token leaves the store as it was', () => {
  const { store, catalog } = open();
  catalog.exec("CREATE TRIGGER full BEFORE INSERT ON api_tokens BEGIN SELECT RAISE(ABORT, 'disk full'); END");
  expect(codeOf(() => store.create({ name: 'ci', roles: ['ask'] }, 'operator'))).toBe('TOKEN_STORAGE_FAILED');
  expect(store.list()).toEqual([]);
});
