import fs from 'node:fs';
import { promisify } from 'node:util';

/** What the log asks of the disk while it writes: one port, so that tests can make each call fail. */
export interface LogFiles {
  /** Opens for reading and writing; `create` demands that the file is new. */
  open(path: string, mode: 'create' | 'existing'): number;
  /** May write less than asked, as the system call. */
  write(fd: number, bytes: Uint8Array, offset: number, length: number, position: number): number;
  truncate(fd: number, length: number): void;
  /** Off the calling thread. A failure is final: nobody knows what reached the disk. */
  datasync(fd: number): Promise<void>;
  syncDirectory(path: string): Promise<void>;
  /** Bytes that may still be written where a folder lies; infinite where nobody can say. */
  freeBytes(path: string): number;
  close(fd: number): void;
}

const fdatasync = promisify(fs.fdatasync);

/** Windows cannot open a directory to sync it, and does not need it. */
const syncDirectory = async (path: string): Promise<void> => {
  if (process.platform === 'win32') return;
  const handle = await fs.promises.open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

const freeBytes = (path: string): number => {
  try {
    const { bavail, bsize } = fs.statfsSync(path);
    return bavail * bsize;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
};

export const nodeFiles: LogFiles = {
  open: (path, mode) => fs.openSync(path, mode === 'create' ? 'wx+' : 'r+', 0o600),
  write: (fd, bytes, offset, length, position) => fs.writeSync(fd, bytes, offset, length, position),
  truncate: (fd, length) => fs.ftruncateSync(fd, length),
  datasync: (fd) => fdatasync(fd),
  syncDirectory,
  freeBytes,
  close: (fd) => fs.closeSync(fd),
};

/** A file that only grows, and never by a part of what was asked. */
export interface AppendFile {
  readonly fd: number;
  readonly size: () => number;
  /** All of it or, with an error thrown, nothing of it. */
  append(bytes: Uint8Array, start: number, end: number): void;
}

export const createAppendFile = (files: LogFiles, fd: number, from: number): AppendFile => {
  let size = from;
  /** Bytes past `size` may be on the disk, from a write that failed and could not be taken back yet. */
  let dirty = false;
  const takeBack = (): void => {
    files.truncate(fd, size);
    dirty = false;
  };
  return {
    fd,
    size: () => size,
    append: (bytes, start, end) => {
      if (dirty) takeBack();
      try {
        for (let at = start; at < end; ) {
          const written = files.write(fd, bytes, at, end - at, size + at - start);
          if (written <= 0) throw new Error('the disk took no bytes');
          at += written;
        }
      } catch (error) {
        dirty = true;
        try {
          takeBack();
        } catch {
          // Stays dirty: the next append tries again before it writes.
        }
        throw error;
      }
      size += end - start;
    },
  };
};
