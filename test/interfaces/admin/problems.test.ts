import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { PROBLEMS, problemOf } from '../../../src/interfaces/admin/index.ts';
import { PolicyError } from '../../../src/policy/index.ts';

const src = path.join(import.meta.dirname, '..', '..', '..', 'src');

/** The literals of a union of error codes, as they stand in the source. */
const codesOf = (union: string): string[] => {
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  for (const file of files) {
    const text = readFileSync(path.join(src, file), 'utf8');
    const body = new RegExp(`export type ${union} =([^;]*);`).exec(text.replaceAll(/\/\*\*.*?\*\//gs, ''))?.[1];
    if (body !== undefined) return [...body.matchAll(/'([A-Z_]+)'/g)].map((match) => match[1] ?? '');
  }
  return [];
};

const UNIONS = [
  'AdminErrorCode',
  'AuditErrorCode',
  'IdentityErrorCode',
  'ModuleErrorCode',
  'PolicyErrorCode',
  'ToolchainErrorCode',
];

test.each(UNIONS)('every code of %s has a status and a title', (union) => {
  const codes = codesOf(union);
  expect(codes.length).toBeGreaterThan(2);
  for (const code of codes) expect(PROBLEMS, code).toHaveProperty(code);
});

test('the table has no row that no part raises', () => {
  const raised = UNIONS.flatMap(codesOf);
  expect(Object.keys(PROBLEMS).filter((code) => !raised.includes(code))).toEqual([]);
});

test('the reference lists the table', () => {
  const page = readFileSync(path.join(src, '..', 'docs', 'reference', 'access.md'), 'utf8');
  const listed = [...page.matchAll(/^\| `([A-Z_]+)` \| (\d+) \| (.+) \|$/gm)];
  expect(Object.fromEntries(listed.map(([, code, status, title]) => [code, [Number(status), title]]))).toEqual(
    PROBLEMS,
  );
});

test('an error that is not named in the table shows no message', () => {
  expect(problemOf(new Error('internal detail'))).toMatchObject({ status: 500, code: 'INTERNAL' });
  expect(JSON.stringify(problemOf(new Error('internal detail')))).not.toContain('internal detail');
  expect(problemOf('thrown text').code).toBe('INTERNAL');
});

test('a problem without places has no list of them', () => {
  expect(problemOf(new PolicyError('BUNDLE_UNKNOWN', 'no bundle has this name'))).toEqual({
    type: 'urn:verdict:problem:bundle-unknown',
    title: 'There is no such bundle',
    status: 404,
    detail: 'no bundle has this name',
    code: 'BUNDLE_UNKNOWN',
  });
});
