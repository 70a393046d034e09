import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../src/canonical/index.ts';
import {
  ensureOperatorToken,
  OPERATOR_TOKEN_FILE,
  type OpenTokenStore,
  openTokenStore,
  ROLES,
} from '../../src/identity/index.ts';

let dir: string;
let store: OpenTokenStore;
const newStore = (maxTokenDays = 0) =>
  openTokenStore({ catalog: new DatabaseSync(':memory:'), clock: systemClock, settings: { maxTokenDays } });
const file = () => path.join(dir, OPERATOR_TOKEN_FILE);
const secret = () => readFileSync(file(), 'utf8').trim();

beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'verdict-operator-'));
  store = newStore();
});
afterEach(() => rmSync(dir, { recursive: true }));

test('the first start writes a token with every role, for its owner alone', () => {
  expect(ensureOperatorToken(dir, store)).toEqual({ file: file(), state: 'made' });
  expect(store.authenticate(secret())).toMatchObject({ name: 'operator', roles: ROLES });
  expect(statSync(file()).mode & 0o777).toBe(0o600);
  expect(readdirSync(dir)).toEqual([OPERATOR_TOKEN_FILE]);
});

test('the next start keeps it', () => {
  ensureOperatorToken(dir, store);
  const first = secret();
  expect(ensureOperatorToken(dir, store).state).toBe('kept');
  expect(secret()).toBe(first);
  expect(store.list()[0]).not.toHaveProperty('lastUsedAt');
});

test('a file that others could read is closed to them', () => {
  ensureOperatorToken(dir, store);
  chmodSync(file(), 0o644);
  ensureOperatorToken(dir, store);
  expect(statSync(file()).mode & 0o777).toBe(0o600);
});

test('when the file is gone there is a new secret, and the old one is refused', () => {
  ensureOperatorToken(dir, store);
  const first = secret();
  rmSync(file());
  expect(ensureOperatorToken(dir, store).state).toBe('made');
  expect(store.authenticate(first)).toBeUndefined();
  expect(store.authenticate(secret())?.name).toBe('operator');
});

test('a file of another catalog, or of rubbish, is replaced', () => {
  ensureOperatorToken(dir, store);
  const fresh = newStore();
  expect(ensureOperatorToken(dir, fresh).state).toBe('made');
  expect(fresh.authenticate(secret())?.name).toBe('operator');
  writeFileSync(file(), 'rubbish');
  expect(ensureOperatorToken(dir, fresh).state).toBe('made');
});

test('a revoked operator token stays revoked until its file is removed', () => {
  ensureOperatorToken(dir, store);
  store.revoke('operator', 'operator');
  expect(ensureOperatorToken(dir, store).state).toBe('revoked');
  expect(store.authenticate(secret())).toBeUndefined();
  rmSync(file());
  expect(ensureOperatorToken(dir, store).state).toBe('made');
  expect(store.authenticate(secret())?.name).toBe('operator');
});

test('the rule that tokens expire does not keep the first start from its token', () => {
  expect(ensureOperatorToken(dir, newStore(30)).state).toBe('made');
});

test('a file left half written by a crash does not stand in the way', () => {
  writeFileSync(`${file()}.new`, 'vdt_half');
  expect(ensureOperatorToken(dir, store).state).toBe('made');
});

test('what cannot be read or written is named', () => {
  mkdirSync(file());
  expect(() => ensureOperatorToken(dir, store)).toThrowError(
    expect.objectContaining({ code: 'TOKEN_STORAGE_FAILED', message: expect.stringContaining(file()) }),
  );
});
