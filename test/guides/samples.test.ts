import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Pdp, startPdp } from '../support/pdp.ts';

const root = path.join(import.meta.dirname, '..', '..');
const page = readFileSync(path.join(root, 'docs', 'guides', 'samples.md'), 'utf8');
const run = promisify(execFile);

// Each command as a reader types it, with the answer that the page gives; only the port is the test's own.
const shown = [...page.matchAll(/```sh\n([\s\S]*?)```\n\n(?:The .*:\n\n)?```json\n([\s\S]*?)```/g)].map(
  ([, command, answer]) => ({
    command: command ?? '',
    answer: JSON.parse(answer ?? '') as unknown,
  }),
);

let pdp: Pdp;

beforeAll(async () => {
  const names = readdirSync(path.join(root, 'policies'));
  const bundles = Object.fromEntries(names.map((name) => [name, path.join(root, 'bundles', `${name}.tar.gz`)]));
  pdp = await startPdp({ bundles, sets: ['authzen.bundle=todo'] });
});

afterAll(() => pdp?.stop());

test('every command of the page is shown with its answer', () => {
  expect(shown).toHaveLength(4);
  expect(page.match(/```sh/g)).toHaveLength(4);
});

test.each(shown)('the page shows what the samples answer: %#', async ({ command, answer }) => {
  const text = command.replaceAll('127.0.0.1:8181', new URL(pdp.urls.http).host);
  const { stdout } = await run('sh', ['-ec', text]);
  const said = JSON.parse(stdout) as { readonly result?: unknown };
  expect(said.result ?? said).toEqual(answer);
});
