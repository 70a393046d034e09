import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** The folder of kept cases. */
export const corpus = path.join(import.meta.dirname, 'corpus');

/** The kept cases of a target: file name and text. */
export const keptCases = (target: string): readonly { readonly file: string; readonly text: string }[] => {
  const folder = path.join(corpus, target);
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).sort();
  return files.map((file) => ({ file, text: readFileSync(path.join(folder, file), 'utf8') }));
};

/** Keeps a case; its path. */
export const keepCase = (target: string, text: string): string => {
  const folder = path.join(corpus, target);
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `${createHash('sha256').update(text).digest('hex').slice(0, 12)}.json`);
  writeFileSync(file, `${text}\n`);
  return file;
};
