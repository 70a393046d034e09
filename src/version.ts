import { readFileSync } from 'node:fs';

/** Verdict's own version: that of the package. */
export const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
