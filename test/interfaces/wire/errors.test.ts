import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { decisionErrors, requestErrors } from '../../../src/interfaces/wire/index.ts';

const page = readFileSync(path.join(import.meta.dirname, '../../../docs/reference/errors.md'), 'utf8');

/** The cells of every row of the table under a heading, code marks taken off. */
const rowsUnder = (heading: string): string[][] => {
  const section = page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const lines = section.split('\n').filter((line) => line.startsWith('| `'));
  return lines.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replace(/^`(.*)`$/, '$1')),
  );
};

test('the page of errors and the table of failed verdicts say the same', () => {
  const rows = rowsUnder('Failed verdicts');
  const wanted = Object.entries(decisionErrors).map(([code, { opa, authzen }]) => [
    code,
    String(opa.status),
    opa.code,
    opa.inner ?? '',
    String(authzen),
  ]);
  expect(rows.map((cells) => cells.slice(0, 5))).toEqual(wanted);
  for (const cells of rows) expect(cells[5]?.length).toBeGreaterThan(20);
});

test('the page of errors and the table of refused requests say the same', () => {
  const rows = rowsUnder('Refused requests');
  const wanted = Object.entries(requestErrors).map(([code, { status, opa, grpc = '' }]) => [
    code,
    String(status),
    opa,
    grpc,
  ]);
  expect(rows.map((cells) => cells.slice(0, 4))).toEqual(wanted);
  for (const cells of rows) expect(cells[4]?.length).toBeGreaterThan(20);
});

test('no failed verdict is worded as a permit: every status of OPA is an error', () => {
  for (const { opa } of Object.values(decisionErrors)) expect(opa.status).toBeGreaterThanOrEqual(400);
});
