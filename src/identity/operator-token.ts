import {
  chmodSync,
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { messageOf } from '../canonical/index.ts';
import { IdentityError, type OpenTokenStore } from './model.ts';
import { ROLES } from './new-token.ts';

/** Name of the file below `storage.dir`; the command line finds it by this name. */
export const OPERATOR_TOKEN_FILE = 'operator-token';

const NAME = 'operator';
const BY = 'start';

export interface OperatorToken {
  readonly file: string;
  /** `made` on the first start and when the file was lost, `kept` when it holds the token's secret. */
  readonly state: 'made' | 'kept' | 'revoked';
}

const read = (file: string): string | undefined => {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
};

// Written beside and renamed, so that a reader finds a whole secret or none; the mode is there before the bytes are.
const writeSecret = (file: string, secret: string): void => {
  const beside = `${file}.new`;
  rmSync(beside, { force: true });
  const handle = openSync(beside, 'wx', 0o600);
  try {
    writeSync(handle, `${secret}\n`);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(beside, file);
};

const closeToOthers = (file: string): void => {
  if (process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600);
};

const ensure = (file: string, store: OpenTokenStore): OperatorToken => {
  const present = read(file);
  const info = store.list().find((token) => token.name === NAME);
  if (present !== undefined) {
    closeToOthers(file);
    // Revoking it was somebody's decision, and a restart does not undo it; removing the file does.
    if (info?.revokedAt !== undefined) return { file, state: 'revoked' };
    if (store.isSecretOf(NAME, present)) return { file, state: 'kept' };
  }
  writeSecret(file, store.renew({ name: NAME, roles: ROLES }, BY).secret);
  return { file, state: 'made' };
};

/**
 * Makes sure that `dir` holds the secret of the token `operator`, which has every role: made on the first start, and
 * again (the old secret ends) when the file is missing or holds something else. Throws TOKEN_STORAGE_FAILED.
 */
export const ensureOperatorToken = (dir: string, store: OpenTokenStore): OperatorToken => {
  const file = path.join(dir, OPERATOR_TOKEN_FILE);
  try {
    return ensure(file, store);
  } catch (cause) {
    if (cause instanceof IdentityError) throw cause;
    throw new IdentityError('TOKEN_STORAGE_FAILED', `${file} cannot be used: ${messageOf(cause)}`, { cause });
  }
};
