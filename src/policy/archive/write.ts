import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { sha256Hex } from '../../canonical/index.ts';

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

const OS_BYTE = 9;

/** Above this, zlib's usual level: of a million bindings the best one takes 5 % off and four times as long. */
const SMALL_BYTES = 1 << 20;

/**
 * A gzipped tar as OPA writes it (names with a leading slash, mode 0600, no times or owners), members in order of
 * name: the same files give the same bytes.
 */
export const writeArchive = async (files: ReadonlyMap<string, Uint8Array>): Promise<Uint8Array> => {
  const tar = pack();
  for (const name of [...files.keys()].sort(byBytes)) {
    const header = { name: `/${name}`, mode: 0o600, mtime: new Date(0), uid: 0, gid: 0, type: 'file' as const };
    tar.entry(header, Buffer.from(files.get(name) ?? new Uint8Array()));
  }
  tar.finalize();
  const bytes = await buffer(tar);
  const zipped = await promisify(gzip)(bytes, { level: bytes.length > SMALL_BYTES ? 6 : 9 });
  // zlib writes the operating system there; 255 is "unknown".
  zipped[OS_BYTE] = 255;
  return zipped;
};

/** SHA-256 over names, lengths and bytes in order of name: what a version is known by, however it was packed. */
export const filesDigest = (files: ReadonlyMap<string, Uint8Array>): string => {
  const parts: Uint8Array[] = [];
  for (const name of [...files.keys()].sort(byBytes)) {
    const bytes = files.get(name) ?? new Uint8Array();
    const lengths = Buffer.alloc(12);
    lengths.writeUInt32BE(Buffer.byteLength(name), 0);
    lengths.writeBigUInt64BE(BigInt(bytes.length), 4);
    parts.push(lengths, Buffer.from(name), bytes);
  }
  return sha256Hex(Buffer.concat(parts));
};
