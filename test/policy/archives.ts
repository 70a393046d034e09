// Archives for the tests, sane and hostile: tar blocks written by hand where no archiver would write them.
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import type { Header } from 'tar-stream';
import { pack } from 'tar-stream';
import type { ArchiveLimits, BundleFiles } from '../../src/policy/index.ts';
import { defaultArchiveLimits, readArchive } from '../../src/policy/index.ts';

export type Contents = { readonly [name: string]: string | Uint8Array };

export const bytesOf = (content: string | Uint8Array): Uint8Array =>
  typeof content === 'string' ? Buffer.from(content) : content;

export const filesOf = (contents: Contents): BundleFiles => ({
  files: new Map(Object.entries(contents).map(([name, content]) => [name, bytesOf(content)])),
});

/** A tar that tar-stream packs; each entry may be of any type. */
export const tarOf = async (
  entries: readonly (Partial<Header> & { name: string; body?: string })[],
): Promise<Buffer> => {
  const tar = pack();
  for (const { body, ...header } of entries) {
    if (header.type === undefined || header.type === 'file') tar.entry(header as Header, body ?? '');
    else tar.entry(header as Header);
  }
  tar.finalize();
  return Buffer.from(await buffer(tar));
};

export const archiveOf = async (contents: Contents): Promise<Buffer> => {
  const tar = pack();
  for (const [name, content] of Object.entries(contents)) tar.entry({ name }, Buffer.from(bytesOf(content)));
  tar.finalize();
  return gzipSync(await buffer(tar));
};

export interface RawHeader {
  readonly name?: string | Uint8Array;
  readonly type?: string;
  readonly size?: string | Uint8Array;
  readonly prefix?: string;
  readonly magic?: string;
  readonly body?: string | Uint8Array;
  /** Added to the right checksum. */
  readonly checksumError?: number;
}

const pad = (bytes: Uint8Array): Buffer => Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);

/** One entry, field by field. */
export const rawEntry = (header: RawHeader): Buffer => {
  const body = bytesOf(header.body ?? '');
  const block = Buffer.alloc(512);
  Buffer.from(bytesOf(header.name ?? 'a.rego')).copy(block, 0, 0, 100);
  block.write('000644 \0', 100, 'latin1');
  Buffer.from(bytesOf(header.size ?? `${body.length.toString(8).padStart(11, '0')} `)).copy(block, 124, 0, 12);
  block.write('00000000000 ', 136, 'latin1');
  block.write(header.type ?? '0', 156, 'latin1');
  block.write(header.magic ?? 'ustar\x0000', 257, 'latin1');
  block.write(header.prefix ?? '', 345, 'latin1');
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0) + (header.checksumError ?? 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return Buffer.concat([block, pad(body)]);
};

export const endOfTar = Buffer.alloc(1024);

export const rawArchive = (...entries: readonly RawHeader[]): Buffer =>
  gzipSync(Buffer.concat([...entries.map(rawEntry), endOfTar]));

export const paxRecord = (key: string, value: string): string => {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + 1;
  while (String(length).length + rest !== length) length = String(length).length + rest;
  return `${length} ${key}=${value}\n`;
};

export const read = (bytes: Uint8Array, limits: Partial<ArchiveLimits> = {}): Promise<BundleFiles> =>
  readArchive(bytes, { ...defaultArchiveLimits, ...limits });
