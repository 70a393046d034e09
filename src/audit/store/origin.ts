import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { messageOf } from '../../canonical/index.ts';
import { AuditError } from '../../decision/model.ts';

const form = /^[\w.-]{1,128}$/;

const writeWhole = (file: string, text: string): void => {
  const fresh = `${file}.new`;
  const fd = fs.openSync(fresh, 'w', 0o600);
  try {
    fs.writeSync(fd, text);
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
  fs.renameSync(fresh, file);
};

/** Makes the directory when there is none, private to its owner; rejects one that cannot be written. */
export const prepareDirectory = (directory: string): void => {
  try {
    fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
    fs.accessSync(directory, fs.constants.R_OK | fs.constants.W_OK | fs.constants.X_OK);
  } catch (error) {
    const why = messageOf(error);
    throw new AuditError('AUDIT_UNUSABLE', `audit log ${directory} cannot be written: ${why}`, { cause: error });
  }
};

/** The name of the directory's log, made at its first start. A log keeps its origin: every record bears it. */
export const readOrigin = (directory: string): string => {
  const file = path.join(directory, 'origin');
  const known = fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim() : '';
  if (form.test(known)) return known;
  if (fs.readdirSync(directory).some((name) => /^\d{16}\.seg/.test(name))) {
    throw new AuditError('AUDIT_CORRUPT', `audit log ${directory}: there are segments, but ${file} names no origin`);
  }
  const origin = `verdict-${randomBytes(12).toString('hex')}`;
  writeWhole(file, `${origin}\n`);
  return origin;
};
