import { sha256 } from '../../canonical/index.ts';
import { AuditError } from '../../decision/model.ts';

const CHECK_BYTES = 6;

const checkOf = (text: string): Buffer => sha256(`cursor of ${text}`).subarray(0, CHECK_BYTES);

/** A place in a log as one word: origin and index, with a check so that a mistyped one leads nowhere. */
export const cursorOf = (origin: string, index: number): string => {
  const text = `${origin}.${index}`;
  return Buffer.concat([checkOf(text), Buffer.from(text)]).toString('base64url');
};

/** The index that a cursor of this log names. Throws AUDIT_CURSOR_INVALID. */
export const indexOf = (origin: string, cursor: string): number => {
  const bytes = /^[\w-]{1,200}$/.test(cursor) ? Buffer.from(cursor, 'base64url') : Buffer.alloc(0);
  const text = bytes.toString('utf8', CHECK_BYTES);
  if (!bytes.subarray(0, CHECK_BYTES).equals(checkOf(text)))
    throw new AuditError('AUDIT_CURSOR_INVALID', 'cursor: wanted what an earlier answer gave as next, unchanged');
  const dot = text.lastIndexOf('.');
  const index = Number(text.slice(dot + 1));
  if (text.slice(0, dot) !== origin || !Number.isSafeInteger(index) || index < 0)
    throw new AuditError('AUDIT_CURSOR_INVALID', `cursor: it is of another log than ${origin}`);
  return index;
};
