import { PolicyError } from '../model.ts';
import type { ArchiveLimits } from './limits.ts';
import { quoted } from './names.ts';
import { gnuName, overridingName, paxName } from './pax.ts';
import type { TarHeader } from './tar-header.ts';
import { BLOCK, readHeader } from './tar-header.ts';

const LONG_HEADER = 65_536;

export interface TarEntry {
  readonly type: 'file' | 'directory';
  /** As the archive has it, not normalised. */
  readonly name: string;
  readonly bytes: Buffer;
}

export interface TarReader {
  push(chunk: Buffer): void;
  /** Refuses an archive that is cut off. */
  end(): void;
}

const refuse = (why: string): never => {
  throw new PolicyError('ARCHIVE_INVALID', `not a tar archive that Verdict takes: ${why}`);
};

const isZero = (block: Buffer): boolean => block.every((byte) => byte === 0);

const checkSize = ({ type, name, size }: TarHeader, limits: ArchiveLimits): void => {
  if (type === 'file' && size > limits.fileBytes) {
    throw new PolicyError('ARCHIVE_TOO_LARGE', `member ${quoted(name)} has ${size} bytes, at most ${limits.fileBytes}`);
  }
  if (type !== 'file' && type !== 'directory' && size > LONG_HEADER) refuse('an extended header is too long');
};

/**
 * A strict reader: octal sizes, right checksums, ustar or GNU headers, files and folders only, two zero blocks and
 * nothing but zeros at the end. `take` gets each entry in order. It holds no more than one member and a block.
 *
 * Ours, because tar-stream hides what must be compared here: the name in the header beside the one that overrides it,
 * bytes that are no UTF-8, what follows the end.
 */
export const tarReader = (limits: ArchiveLimits, take: (entry: TarEntry) => void): TarReader => {
  let partial: Buffer[] = [];
  let held = 0;
  let wanted = BLOCK;
  let header: TarHeader | undefined;
  let longName: string | undefined;
  let entries = 0;
  let zeroBlocks = 0;

  const finish = (found: TarHeader, body: Buffer): void => {
    const bytes = body.subarray(0, found.size);
    if (found.type === 'pax-global') {
      paxName(bytes, true);
      return;
    }
    if (found.type === 'pax' || found.type === 'gnu-name') {
      if (longName !== undefined) refuse('a member has two long names');
      longName = found.type === 'pax' ? paxName(bytes, false) : gnuName(bytes);
      return;
    }
    const name = longName === undefined ? found.name : overridingName(found.name, longName);
    longName = undefined;
    take({ type: found.type, name, bytes });
  };

  const block = (bytes: Buffer): void => {
    if (header !== undefined) {
      const done = header;
      header = undefined;
      wanted = BLOCK;
      finish(done, bytes);
      return;
    }
    if (isZero(bytes)) {
      zeroBlocks++;
      return;
    }
    if (zeroBlocks > 0) refuse('something follows its end');
    if (++entries > limits.entries) {
      throw new PolicyError('ARCHIVE_TOO_LARGE', `the archive has more than ${limits.entries} members`);
    }
    const found = readHeader(bytes);
    checkSize(found, limits);
    if (found.size === 0) {
      finish(found, Buffer.alloc(0));
      return;
    }
    header = found;
    wanted = Math.ceil(found.size / BLOCK) * BLOCK;
  };

  return {
    push: (chunk) => {
      let rest = chunk;
      while (held + rest.length >= wanted) {
        const missing = wanted - held;
        partial.push(rest.subarray(0, missing));
        rest = rest.subarray(missing);
        const whole = partial.length === 1 ? (partial[0] as Buffer) : Buffer.concat(partial);
        partial = [];
        held = 0;
        block(whole);
      }
      if (rest.length > 0) partial.push(rest);
      held += rest.length;
    },
    end: () => {
      if (header !== undefined || held > 0) refuse('it is cut off');
      if (longName !== undefined) refuse('a long name belongs to no member');
      if (zeroBlocks < 2) refuse('its end is missing');
    },
  };
};
