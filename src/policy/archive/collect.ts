import type { BundleFiles } from '../model.ts';
import { PolicyError } from '../model.ts';
import { DELTA, isBundleFile, normaliseName, quoted } from './names.ts';

const MOST_IGNORED = 20;

export interface Collector {
  /** Takes a folder; answers nothing. */
  folder(name: string): void;
  /** Takes a file; the bytes are kept only when it is one that a bundle is made of. */
  file(name: string, bytes: Uint8Array): void;
  /** Notes a file that a bundle is not made of. */
  leave(name: string): void;
  files(): BundleFiles;
}

/**
 * Gathers a bundle's files under normalised names. Names that are equal after Unicode normalisation (NFC), and a file
 * where another member has a folder, are refused: which of the two is the policy would depend on the reader.
 */
export const collectFiles = (nameBytes: number): Collector => {
  const spelled = new Map<string, { readonly name: string; readonly kind: 'file' | 'folder' }>();
  const files = new Map<string, Uint8Array>();
  const ignored: string[] = [];

  const claim = (name: string, kind: 'file' | 'folder'): void => {
    const key = name.normalize('NFC');
    const other = spelled.get(key);
    if (other === undefined) spelled.set(key, { name, kind });
    else if (other.kind === 'file' || kind === 'file' || other.name !== name) {
      throw new PolicyError('ARCHIVE_INVALID', `member ${quoted(name)}: the archive has another member of this name`);
    }
  };

  const claimParents = (name: string): void => {
    for (let at = name.indexOf('/'); at !== -1; at = name.indexOf('/', at + 1)) claim(name.slice(0, at), 'folder');
  };

  const leave = (name: string): void => {
    if (ignored.length < MOST_IGNORED) ignored.push(name);
  };

  return {
    folder: (raw) => {
      const name = normaliseName(raw, nameBytes);
      if (name === '') return;
      claimParents(name);
      claim(name, 'folder');
    },
    file: (raw, bytes) => {
      const name = normaliseName(raw, nameBytes);
      if (name === '') throw new PolicyError('ARCHIVE_INVALID', `member ${quoted(raw)}: a file without a name`);
      if (name === DELTA) {
        throw new PolicyError('ARCHIVE_INVALID', 'member "patch.json": a delta bundle is not taken, push a whole one');
      }
      claimParents(name);
      claim(name, 'file');
      if (isBundleFile(name)) files.set(name, Uint8Array.from(bytes));
      else leave(name);
    },
    leave,
    files: () => ({ files: new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1))), ignored }),
  };
};
