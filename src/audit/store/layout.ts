import type { Block } from './blocks.ts';
import type { FileKind } from './frame.ts';
import { FRAME_HEADER, frame, frameLength, MAGIC_LENGTH, magics } from './frame.ts';

// Names and fixed parts of the log's files.

export const RECORDS_PER_SEGMENT = 65_536;

export const segmentName = (first: number): string => `${String(first).padStart(16, '0')}.seg`;
export const sideName = (first: number): string => `${String(first).padStart(16, '0')}.side`;
/** The first index in the name of a segment or side file, set aside or not. */
export const firstOf = (name: string): number => Number.parseInt(name, 10);

/** More than what a file begins with takes. */
export const HEADER_BYTES = 512;

/** What a file begins with: its magic and a frame that says whose it is. */
export const fileHeader = (kind: FileKind, origin: string, first: number, created: string): Buffer =>
  Buffer.concat([magics[kind], frame(JSON.stringify({ [kind]: { format: 1, origin, first, created } }))]);

export interface FileHeader {
  readonly origin: string;
  readonly first: number;
  readonly created: string;
  /** Where the first record's frame stands. */
  readonly end: number;
}

export const readHeader = (kind: FileKind, bytes: Buffer): FileHeader | undefined => {
  if (!bytes.subarray(0, MAGIC_LENGTH).equals(magics[kind])) return undefined;
  const length = frameLength(bytes, MAGIC_LENGTH);
  if (length === undefined) return undefined;
  const end = MAGIC_LENGTH + FRAME_HEADER + length;
  try {
    const header = JSON.parse(bytes.toString('utf8', MAGIC_LENGTH + FRAME_HEADER, end)) as {
      [kind]?: { format?: unknown; origin?: unknown; first?: unknown; created?: unknown };
    };
    const { format, origin, first, created } = header[kind as 'kind'] ?? {};
    if (format !== 1 || typeof origin !== 'string' || typeof first !== 'number') return undefined;
    return { origin, first, created: String(created), end };
  } catch {
    return undefined;
  }
};

/** What a sealed segment says of itself after its last record. */
export interface Seal {
  readonly records: number;
  /** Bytes of the file before the seal. */
  readonly bytes: number;
  readonly blocks: readonly Block[];
}

const SEAL_MARK = Buffer.from('SEAL');
export const SEAL_TRAILER = 8;

/** A frame, then its length (u32, big-endian) and `SEAL`, so that it is found from the end of the file. */
export const sealBytes = (seal: Seal): Buffer => {
  const body = frame(JSON.stringify({ sealed: seal }));
  const trailer = Buffer.alloc(SEAL_TRAILER);
  trailer.writeUInt32BE(body.length);
  SEAL_MARK.copy(trailer, 4);
  return Buffer.concat([body, trailer]);
};

/** The length of the seal's frame from a file's last eight bytes, or undefined when it has no seal. */
export const sealLength = (trailer: Buffer): number | undefined =>
  trailer.length === SEAL_TRAILER && trailer.subarray(4).equals(SEAL_MARK) ? trailer.readUInt32BE() : undefined;

export const readSeal = (body: Buffer): Seal | undefined => {
  if (frameLength(body, 0) !== body.length - FRAME_HEADER) return undefined;
  try {
    const { sealed } = JSON.parse(body.toString('utf8', FRAME_HEADER)) as { sealed?: Seal };
    return sealed !== undefined && Array.isArray(sealed.blocks) ? sealed : undefined;
  } catch {
    return undefined;
  }
};
