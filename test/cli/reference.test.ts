import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { cliReference } from '../../src/cli/index.ts';

const page = path.join(import.meta.dirname, '..', '..', 'docs', 'reference', 'cli.md');

// After a change of a command: `vitest run test/cli/reference.test.ts --update` writes the page anew.
test('the reference page is what the commands say', async () => {
  await expect(await cliReference()).toMatchFileSnapshot(page);
});

test('the reference page names every exit code and every option of every command', () => {
  const text = readFileSync(page, 'utf8');
  for (const code of [0, 1, 2, 3, 4, 5]) expect(text).toContain(`| ${code} |`);
  for (const option of ['--threshold <percent>', '--expires <time>', '--entrypoint <path>', '--activate']) {
    expect(text).toContain(option);
  }
});
