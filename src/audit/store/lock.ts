import {
  closeSync,
  linkSync,
  openSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../canonical/index.ts';
import { AuditError } from '../../decision/model.ts';

/** Who holds a log: process ids come again after a reboot, in a new container, and in time in the same one. */
interface Owner {
  readonly pid: number;
  readonly boot: string;
  readonly namespace: string;
  readonly started: string;
  /** The folder that it writes; empty when an older release wrote the lock. */
  readonly directory: string;
}

const quietly = (read: () => string): string => {
  try {
    return read().trim();
  } catch {
    return '';
  }
};

/** Field 22 of /proc/PID/stat: clock ticks from boot to the process's start. The name before it may hold spaces. */
const startOf = (pid: number): string =>
  quietly(() => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19] ?? '');

const self = (directory: string): Owner => ({
  pid: process.pid,
  boot: quietly(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
  namespace: quietly(() => readlinkSync('/proc/self/ns/pid')),
  started: startOf(process.pid),
  directory: realpathSync(directory),
});

const readOwner = (file: string): Owner | undefined => {
  try {
    const owner = JSON.parse(readFileSync(file, 'utf8')) as Partial<Owner>;
    const { pid, boot = '', namespace = '', started = '', directory = '' } = owner;
    return typeof pid === 'number' ? { pid, boot, namespace, started, directory } : undefined;
  } catch {
    return undefined;
  }
};

/** A holder touches its lock this often; one that we cannot see is gone when it stopped. */
export const HEARTBEAT_MS = 1_000;
const WATCH_MS = 3 * HEARTBEAT_MS;
const STALE_MS = 15 * HEARTBEAT_MS;

const touched = (file: string): number | undefined => statSync(file, { throwIfNoEntry: false })?.mtimeMs;

const isAlive = async (file: string, owner: Owner | undefined): Promise<boolean> => {
  const here = self(path.dirname(file));
  if (owner !== undefined && owner.boot === here.boot && owner.namespace === here.namespace) {
    try {
      process.kill(owner.pid, 0);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    }
    return owner.started === startOf(owner.pid);
  }
  // Another machine, another container, or one before a reboot.
  const before = touched(file);
  if (before === undefined || Math.abs(Date.now() - before) > STALE_MS) return false;
  await sleep(WATCH_MS);
  return touched(file) !== before;
};

export interface Lock {
  /** The folder that this one is a copy of, when a process writes that one. */
  readonly copyOf?: string;
  touch(): void;
  release(): void;
}

const create = (file: string, text: string): boolean => {
  try {
    const fd = openSync(file, 'wx', 0o600);
    writeSync(fd, text);
    closeSync(fd);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
};

/**
 * True when the lock came here with a copy of the folder: where its owner writes lies another file with the same words. A
 * copy that cannot be told so surely is treated as the folder itself.
 */
const isCopied = (file: string, held: string, { directory }: Owner): boolean => {
  if (directory === '') return false;
  try {
    const theirs = path.join(directory, path.basename(file));
    const [here, there] = [statSync(file, { bigint: true }), statSync(theirs, { bigint: true })];
    const isOther = here.dev !== there.dev || here.ino !== there.ino;
    return isOther && readFileSync(theirs, 'utf8').trim() === held;
  } catch {
    return false;
  }
};

/** Takes a dead owner's lock away; whoever else does so at the same time must not lose a lock it just made. */
const removeDead = (file: string, dead: string): void => {
  const aside = `${file}.${process.pid}`;
  renameSync(file, aside);
  if (quietly(() => readFileSync(aside, 'utf8')) !== dead) linkSync(aside, file);
  rmSync(aside, { force: true });
};

/** Makes this process the directory's only writer. Rejects with AUDIT_UNUSABLE while another one lives. */
export const acquireLock = async (directory: string): Promise<Lock> => {
  const file = path.join(directory, 'lock');
  const text = JSON.stringify(self(directory));
  let copyOf: string | undefined;
  try {
    for (let attempt = 0; !create(file, text); attempt++) {
      const held = quietly(() => readFileSync(file, 'utf8'));
      const owner = readOwner(file);
      if (attempt < 5 && owner !== undefined && isCopied(file, held, owner)) copyOf = owner.directory;
      else if (attempt === 5 || (await isAlive(file, owner))) {
        const who = owner === undefined ? 'another process' : `process ${owner.pid}`;
        throw new AuditError(
          'AUDIT_UNUSABLE',
          `audit log ${directory}: ${who} writes it already: stop it, or set storage.dir to a directory of its own`,
        );
      }
      try {
        removeDead(file, held);
      } catch {
        // Someone else was faster: look again.
      }
    }
  } catch (error) {
    if (error instanceof AuditError) throw error;
    throw new AuditError('AUDIT_UNUSABLE', `audit log ${directory} cannot be locked: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return {
    ...(copyOf === undefined ? {} : { copyOf }),
    touch: () => {
      try {
        utimesSync(file, Date.now() / 1000, Date.now() / 1000);
      } catch {
        // The lock still stands; only a reader in another container could take it for dead.
      }
    },
    release: () => {
      if (quietly(() => readFileSync(file, 'utf8')) === text) rmSync(file, { force: true });
    },
  };
};
