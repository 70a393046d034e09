// Reads and checks an audit log from its files alone, after docs/reference/audit-log.md. It shares nothing with the
// program that writes them: no import from src/, a CRC of its own (bit by bit in one table), plain JavaScript.
//
//   node log-reader.mjs DIR      prints one record a line; findings on stderr; exit 1 when there are any
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const table = Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value >>> 0;
});

/** CRC32C of several runs of bytes, one after another. */
const crc32c = (...runs) => {
  let crc = 0xffffffff;
  for (const run of runs) for (const byte of run) crc = table[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
};

const MAGIC = { seg: 'VRDSEG1\n', side: 'VRDSID1\n' };

const frameAt = (bytes, at) => {
  if (at + 8 > bytes.length) return undefined;
  const length = bytes.readUInt32BE(at);
  if (at + 8 + length > bytes.length) return undefined;
  const payload = bytes.subarray(at + 8, at + 8 + length);
  return crc32c(bytes.subarray(at, at + 4), payload) === bytes.readUInt32BE(at + 4) ? payload : undefined;
};

/** Payloads of a file up to its end or its first damage, with what was wrong. */
const readFrames = (file, kind, problems) => {
  const bytes = readFileSync(file);
  const payloads = [];
  if (bytes.length === 0) return { payloads, header: undefined, seal: undefined };
  if (bytes.toString('latin1', 0, 8) !== MAGIC[kind]) problems.push(`${file}: wrong magic`);
  let at = 8;
  let header;
  let seal;
  while (at < bytes.length && seal === undefined) {
    const payload = frameAt(bytes, at);
    if (payload === undefined) {
      problems.push(`${file}: no whole frame at byte ${at} of ${bytes.length}`);
      break;
    }
    const text = payload.toString('utf8');
    const start = at;
    at += 8 + payload.length;
    if (header === undefined) header = JSON.parse(text)[kind === 'seg' ? 'segment' : 'side'];
    else if (text.startsWith('{"sealed":')) {
      seal = JSON.parse(text).sealed;
      if (seal.bytes !== start) problems.push(`${file}: the seal says ${seal.bytes} bytes, there are ${start}`);
      if (
        bytes.length !== at + 8 ||
        bytes.readUInt32BE(at) !== at - start ||
        bytes.toString('latin1', at + 4) !== 'SEAL'
      ) {
        problems.push(`${file}: the bytes after the seal are wrong`);
      }
    } else payloads.push(text);
  }
  return { payloads, header, seal };
};

/** Sound records of a file that was set aside, from wherever they stand. */
const salvage = (file) => {
  const bytes = readFileSync(file);
  const payloads = [];
  for (let at = bytes.indexOf('{"format":1'); at >= 0; at = bytes.indexOf('{"format":1', at + 1)) {
    const payload = at >= 8 ? frameAt(bytes, at - 8) : undefined;
    if (payload !== undefined) payloads.push(payload.toString('utf8'));
  }
  return payloads;
};

const readSide = (file, problems) => {
  const values = new Map();
  if (!existsSync(file)) return values;
  for (const text of readFrames(file, 'side', problems).payloads) {
    const { sha256, salt } = JSON.parse(text);
    const value = text.slice(text.indexOf('"value":') + 8, -1);
    const made = createHash('sha256').update(Buffer.from(salt, 'hex')).update(value).digest('hex');
    if (made !== sha256) problems.push(`${file}: a value does not have its digest ${sha256}`);
    values.set(sha256, value);
  }
  return values;
};

const valueAt = (value, pointer) =>
  pointer
    .split('/')
    .slice(1)
    .reduce((node, step) => node?.[step.replaceAll('~1', '/').replaceAll('~0', '~')], value);

/**
 * All records of a log, in order, each with the text of its leaf and the side values it names, and everything that
 * contradicts the format.
 */
export const readLog = (directory) => {
  const problems = [];
  const origin = readFileSync(join(directory, 'origin'), 'utf8').trim();
  const records = [];
  const names = readdirSync(directory).sort();
  const last = names.filter((name) => name.endsWith('.seg')).at(-1);
  for (const name of names.filter((each) => /^\d{16}\.seg(\.corrupt(-\d+)?)?$/.test(each))) {
    const file = join(directory, name);
    const first = Number(name.slice(0, 16));
    const side = readSide(join(directory, `${name.slice(0, 16)}.side`), problems);
    const setAside = !name.endsWith('.seg');
    const { payloads, header, seal } = setAside ? { payloads: salvage(file) } : readFrames(file, 'seg', problems);
    if (
      !setAside &&
      header !== undefined &&
      (header.first !== first || header.origin !== origin || header.format !== 1)
    ) {
      problems.push(`${file}: its header is of another file`);
    }
    if (seal !== undefined && seal.records !== payloads.length) problems.push(`${file}: the seal counts wrong`);
    if (seal === undefined && !setAside && name !== last) problems.push(`${file}: not sealed, and not the last`);
    for (const text of payloads) {
      const record = JSON.parse(text);
      if (record.format !== 1) problems.push(`${file}: a record of format ${record.format}`);
      if (record.origin !== origin) problems.push(`${file}: a record of ${record.origin}`);
      if (Buffer.byteLength(text) > 61_440) problems.push(`${file}: record ${record.index} is too large`);
      const aside = {};
      for (const pointer of record.side ?? []) {
        const outer = Object.keys(aside).find((each) => pointer.startsWith(`${each}/`));
        const place =
          outer === undefined
            ? valueAt(record, pointer)
            : valueAt(JSON.parse(aside[outer]), pointer.slice(outer.length));
        const value = side.get(place?.sha256);
        if (value !== undefined && Buffer.byteLength(value) !== place.bytes)
          problems.push(`${file}: ${pointer} has another length`);
        aside[pointer] = value;
      }
      records.push({ index: record.index, text, record, aside, setAside });
    }
  }
  records.sort((a, b) => a.index - b.index);
  const file = join(directory, 'begin');
  const begin = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  let expected = begin;
  for (const { index, setAside } of records.filter((each) => each.index >= begin)) {
    if (index < expected) problems.push(`index ${index} stands twice`);
    if (index > expected && !setAside) problems.push(`indexes ${expected} to ${index - 1} are missing`);
    expected = index + 1;
  }
  return { origin, records, problems };
};

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { records, problems } = readLog(process.argv[2] ?? '.');
  for (const { text } of records) process.stdout.write(`${text.replace(/[\r\n]+/g, ' ')}\n`);
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
