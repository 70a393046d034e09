import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** SHA-256 over names and bytes of the named files and of everything below the named folders. */
export const digestOf = (names) => {
  const hash = createHash('sha256');
  const add = (name) => {
    const file = path.join(root, name);
    if (!existsSync(file)) return;
    const bytes = readFileSync(file);
    hash.update(`${name}\0${bytes.length}\0`).update(bytes);
  };
  for (const name of names) {
    const folder = path.join(root, name);
    if (existsSync(folder) && !/\.[a-z]+$/.test(name)) {
      const below = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
      for (const file of below.map((entry) => path.relative(root, path.join(entry.parentPath, entry.name))).sort())
        add(file);
    } else add(name);
  }
  return hash.digest('hex');
};

export const sourcesDigest = () =>
  digestOf(['src', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'nest-cli.json', 'scripts']);
