import { PolicyError } from '../model.ts';
import { quoted } from './names.ts';
import { nameText } from './tar-header.ts';

const refuse = (why: string): never => {
  throw new PolicyError('ARCHIVE_INVALID', `not a tar archive that Verdict takes: ${why}`);
};

/** Keys that change what the entry after them is. Sizes and links never need them in a bundle. */
const isTrick = (key: string): boolean =>
  key === 'size' || key === 'linkpath' || key === 'charset' || key === 'hdrcharset' || key.startsWith('GNU.sparse');

/** The records of a PAX header (`LENGTH KEY=VALUE\n`), none twice. */
const readRecords = (body: Buffer): Map<string, Buffer> => {
  const records = new Map<string, Buffer>();
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(0x20, at);
    const digits = space === -1 ? '' : body.toString('latin1', at, space);
    const end = at + (/^[1-9][0-9]{0,6}$/.test(digits) ? Number(digits) : 0);
    const equals = body.indexOf(0x3d, at);
    if (end <= space || end > body.length || body[end - 1] !== 0x0a || equals === -1 || equals >= end) {
      refuse('an extended (PAX) header is malformed');
    }
    const key = body.toString('latin1', space + 1, equals);
    if (records.has(key)) refuse('an extended (PAX) header names one key twice');
    records.set(key, body.subarray(equals + 1, end - 1));
    at = end;
  }
  return records;
};

/** The name that a PAX header gives to the entry after it, if it gives one; refuses every other override. */
export const paxName = (body: Buffer, global: boolean): string | undefined => {
  const records = readRecords(body);
  for (const key of records.keys()) {
    if (isTrick(key)) refuse('an extended (PAX) header overrides size, link, encoding or makes the file sparse');
  }
  const name = records.get('path');
  if (name === undefined) return undefined;
  if (global) return refuse('a global (PAX) header names a path');
  if (name.includes(0)) return refuse('a name holds a zero byte');
  return nameText(name);
};

/** The name in a GNU long-name entry. */
export const gnuName = (body: Buffer): string => {
  const text = body.at(-1) === 0 ? body.subarray(0, -1) : body;
  return text.includes(0) ? refuse('a name holds a zero byte') : nameText(text);
};

/**
 * A long name stands for the header's own where the header has no room for it. Where it would have fitted, archivers
 * write none: two different names there are a way to show one file to a checker and another to the reader.
 */
export const overridingName = (own: string, long: string): string => {
  const fits = Buffer.byteLength(long) <= 100 && /^[\x20-\x7e]*$/.test(long);
  if (fits && own !== long) refuse(`member ${quoted(long)} has another name in its own header`);
  return long;
};
