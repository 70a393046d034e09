import { constants, crc32, createInflateRaw } from 'node:zlib';
import { messageOf } from '../../canonical/index.ts';
import { PolicyError } from '../model.ts';
import type { ArchiveLimits } from './limits.ts';

const FIXED_HEADER = 10;
const TRAILER = 8;
const FREE_BYTES = 1_048_576;

const refuse = (why: string): never => {
  throw new PolicyError('ARCHIVE_INVALID', `not a gzip archive that Verdict takes: ${why}`);
};

/** Where the zero-terminated field that starts at `at` ends. */
const pastZero = (bytes: Uint8Array, at: number): number => {
  const zero = bytes.indexOf(0, at);
  return zero === -1 ? refuse('the header is cut off') : zero + 1;
};

/** The length of the gzip header (RFC 1952, section 2.3). */
const headerLength = (bytes: Uint8Array): number => {
  if (bytes.length < FIXED_HEADER + TRAILER) return refuse('it is too short');
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b || bytes[2] !== 8) return refuse('it does not start with a gzip header');
  const flags = bytes[3] ?? 0;
  if ((flags & 0xe0) !== 0) return refuse('the header has reserved flags');
  let at = FIXED_HEADER;
  if ((flags & 4) !== 0) at += 2 + (bytes[at] ?? 0) + 256 * (bytes[at + 1] ?? 0);
  if ((flags & 8) !== 0) at = pastZero(bytes, at);
  if ((flags & 16) !== 0) at = pastZero(bytes, at);
  if ((flags & 2) !== 0) at += 2;
  return at + TRAILER > bytes.length ? refuse('the header is cut off') : at;
};

const checkSize = (inflated: number, compressed: number, limits: ArchiveLimits): void => {
  if (inflated > limits.inflatedBytes) {
    throw new PolicyError('ARCHIVE_TOO_LARGE', `the archive inflates to more than ${limits.inflatedBytes} bytes`);
  }
  if (inflated > Math.max(FREE_BYTES, compressed * limits.ratio)) {
    throw new PolicyError('ARCHIVE_TOO_LARGE', `the archive inflates to more than ${limits.ratio} times its size`);
  }
};

/**
 * Inflates one gzip member, piece by piece, and gives up at the first byte over a limit. The member must be the whole
 * of the bytes: readers disagree on what follows one (a second member, garbage), so nothing may.
 */
export const inflate = async (
  bytes: Uint8Array,
  limits: ArchiveLimits,
  take: (chunk: Buffer) => void,
): Promise<void> => {
  if (bytes.length > limits.archiveBytes) {
    throw new PolicyError('ARCHIVE_TOO_LARGE', `the archive has ${bytes.length} bytes, at most ${limits.archiveBytes}`);
  }
  const start = headerLength(bytes);
  const stream = createInflateRaw({ chunkSize: 65_536, finishFlush: constants.Z_FINISH });
  stream.end(bytes.subarray(start));
  let inflated = 0;
  let checksum = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      inflated += chunk.length;
      checkSize(inflated, bytes.length, limits);
      checksum = crc32(chunk, checksum);
      take(chunk);
    }
  } catch (error) {
    if (error instanceof PolicyError) throw error;
    throw new PolicyError('ARCHIVE_INVALID', 'the gzip stream is damaged or cut off', { cause: messageOf(error) });
  }
  const end = start + stream.bytesWritten;
  if (bytes.length < end + TRAILER) refuse('the checksum at its end is missing');
  if (bytes.length > end + TRAILER) refuse('something follows the first gzip member');
  const trailer = new DataView(bytes.buffer, bytes.byteOffset + end, TRAILER);
  if (trailer.getUint32(0, true) !== checksum) refuse('its checksum is wrong');
  if (trailer.getUint32(4, true) !== inflated % 0x1_0000_0000) refuse('its length is wrong');
};
