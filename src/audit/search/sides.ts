import fs from 'node:fs';
import { FRAME_HEADER, frameLength, MAGIC_LENGTH } from '../store/frame.ts';

interface Index {
  /** Where the frame of a value stands, and how long it is. */
  readonly places: Map<string, readonly [at: number, bytes: number]>;
  /** Frames before this are in `places`. */
  end: number;
}

const OPENING = '{"sha256":"';
const DIGITS = 64;
const KEPT_FILES = 8;
const kept = new Map<string, Index>();

const indexOf = (file: string): Index => {
  const index = kept.get(file) ?? { places: new Map(), end: MAGIC_LENGTH };
  kept.delete(file);
  kept.set(file, index);
  const [oldest] = kept.keys();
  if (kept.size > KEPT_FILES && oldest !== undefined) kept.delete(oldest);
  return index;
};

/** Takes the frames that were added since the last time. A frame whose length is damaged hides those after it. */
const extend = (fd: number, index: Index): void => {
  const { size } = fs.fstatSync(fd);
  const start = Buffer.alloc(FRAME_HEADER + OPENING.length + DIGITS);
  while (index.end + FRAME_HEADER < size) {
    const got = fs.readSync(fd, start, 0, start.length, index.end);
    const bytes = FRAME_HEADER + start.readUInt32BE();
    if (index.end + bytes > size) return;
    const opens = start.toString('latin1', FRAME_HEADER, FRAME_HEADER + OPENING.length) === OPENING;
    if (got === start.length && opens) {
      index.places.set(start.toString('latin1', FRAME_HEADER + OPENING.length), [index.end, bytes]);
    }
    index.end += bytes;
  }
};

const valueIn = (file: string, sha256: string): string | undefined => {
  const fd = fs.openSync(file, 'r');
  try {
    const index = indexOf(file);
    if (!index.places.has(sha256)) extend(fd, index);
    const place = index.places.get(sha256);
    if (place === undefined) return undefined;
    const frame = Buffer.alloc(place[1]);
    fs.readSync(fd, frame, 0, frame.length, place[0]);
    if (frameLength(frame, 0) === undefined) return undefined;
    const payload = frame.toString('utf8', FRAME_HEADER);
    return payload.slice(payload.indexOf('"value":') + 8, -1);
  } finally {
    fs.closeSync(fd);
  }
};

/** The text of a side value, found through an index that is kept of the files that were read last. */
export const readIndexedSide = (files: readonly string[], sha256: string): string | undefined => {
  for (const file of files) {
    if (!fs.existsSync(file)) continue;
    const value = valueIn(file, sha256);
    if (value !== undefined) return value;
  }
  return undefined;
};
