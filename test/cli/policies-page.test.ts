import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { cli, folderOf } from './run.ts';

const source = path.join(import.meta.dirname, '..', '..', 'docs', 'reference', 'policies.md');

/** The files that the page shows: each under its name. */
const shown = (): { [name: string]: string } => {
  const page = readFileSync(source, 'utf8');
  const files = page.matchAll(/^`(invoices\/[\w.]+)`:\n\n```\w+\n([\s\S]*?)```/gm);
  return Object.fromEntries([...files].map(([, name, text]) => [name ?? '', text ?? '']));
};

test('the policy that the page shows is tidy, tested whole, and builds', async () => {
  const files = shown();
  expect(Object.keys(files)).toEqual(['invoices/invoices.rego', 'invoices/data.json', 'invoices/invoices_test.rego']);
  const cwd = folderOf(files);
  expect(await cli(['fmt', '--check', 'invoices'], { cwd })).toMatchObject({ code: 0, stdout: '' });
  const tested = await cli(['test', 'invoices', '--threshold', '100'], { cwd });
  expect(tested.stdout + tested.stderr).toContain('5 tests: 5 passed');
  expect(tested.code).toBe(0);
  const built = await cli(['build', 'invoices'], { cwd });
  expect(built.stdout).toMatch(/^ {2}invoices\/decision$/m);
});
