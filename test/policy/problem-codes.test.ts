import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = path.join(import.meta.dirname, '..', '..');

const sources = ['src/policy', 'toolchain']
  .flatMap((folder) => readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile() && /(?:\.ts|(?<!_test)\.go)$/.test(entry.name))
  .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), 'utf8'));

const found = (texts: readonly string[], pattern: RegExp): string[] =>
  [...new Set(texts.flatMap((text) => [...text.matchAll(pattern)].map(([, code]) => code!)))].sort();

test('the reference page names every code that a problem of a policy can have, and no other', () => {
  const page = readFileSync(path.join(root, 'docs/reference/errors.md'), 'utf8');
  const documented = found([page], /^\| `(verdict_\w+_(?:error|warning))` \|/gm);
  expect(documented).toEqual(found(sources, /['"](verdict_\w+_(?:error|warning))['"]/g));
});
