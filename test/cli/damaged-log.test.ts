import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Pdp, startPdp } from '../support/pdp.ts';
import { valuesOf } from '../support/prometheus.ts';
import { cli, type Run } from './run.ts';

let pdp: Pdp;
let firsts: number[];

const audit = (): string => path.join(pdp.dir, 'storage', 'audit');
const segments = (): string[] =>
  readdirSync(audit())
    .filter((name) => name.endsWith('.seg'))
    .sort();

const verdict = (argv: readonly string[], around: Parameters<typeof cli>[1] = {}): Promise<Run> =>
  cli([...argv, '--set', `storage.dir=${path.join(pdp.dir, 'storage')}`], {
    ...around,
    env: { VERDICT_SERVER: pdp.urls.admin },
  });

const metric = async (name: string): Promise<number | undefined> => {
  const { text } = await pdp.admin('GET', '/metrics');
  return valuesOf(text, name)[''];
};

// A whole log first: its first segment goes, and a byte of its second changes, while the server runs.
beforeAll(async () => {
  pdp = await startPdp({ bundles: { todo: 'policies/todo' }, sets: ['audit.sealBytes=65536'] });
  const id = 'x'.repeat(5_000);
  for (let at = 0; at < 30; at++) await pdp.ask('/v1/data/todo/decision', { input: { subject: { id }, at } });
  expect((await verdict(['decisions', '--all', '--output', 'json'])).code).toBe(0);
  firsts = segments().map((name) => Number.parseInt(name, 10));
  expect(firsts.length).toBeGreaterThan(2);
  rmSync(path.join(audit(), segments()[0] ?? ''));
  const second = path.join(audit(), segments()[0] ?? '');
  const bytes = readFileSync(second);
  bytes.writeUInt8(0x79, bytes.indexOf('xxxxxxxx') + 100);
  writeFileSync(second, bytes);
});

afterAll(() => pdp?.stop());

const hole = () => ({ from: 0, to: (firsts[1] as number) - 1, why: 'gone', file: '0000000000000000.seg' });

test('a search tells what is missing and damaged, beside what it found, and has an exit code of its own', async () => {
  const json = await verdict(['decisions', '--all', '--output', 'json']);
  const damaged = [{ file: segments()[0], offset: expect.any(Number), bytes: expect.any(Number), why: 'bytes' }];
  expect(json.code).toBe(6);
  expect(json.json()).toMatchObject({ missing: [hole()], damaged });
  const text = await verdict(['decisions', '--all']);
  expect(text.code).toBe(6);
  expect(text.stdout.trimEnd().split('\n')).toHaveLength(
    1 + (json.json() as { decisions: unknown[] }).decisions.length,
  );
  expect(text.stderr).toMatch(/^warning: records 0 to \d+ are missing: 0000000000000000\.seg is gone$/m);
  expect(text.stderr).toMatch(/^warning: \d{16}\.seg is damaged: \d+ bytes at \d+ are no whole record$/m);
});

test('the newest are shown, and that the log is not whole is told on stderr', async () => {
  const { code, stdout, stderr } = await verdict(['decisions', 'tail', '--limit', '1', '--output', 'json']);
  expect(code).toBe(6);
  expect(JSON.parse(stdout)).toMatchObject({ path: 'todo/decision' });
  expect(stderr).toContain('records 0 to');
});

test('who follows the log is told at once', async () => {
  const ending = new AbortController();
  const run = verdict(['decisions', 'tail', '--follow'], {
    ending: ending.signal,
    onStderr: (text) => text.includes('are missing') && ending.abort(),
  });
  expect((await run).code).toBe(6);
});

test('a decision that is not found may be among the missing ones', async () => {
  const { code, stderr } = await verdict(['decisions', 'show', '0192f0c1-5b7e-7c3a-8d2e-3f4a5b6c7d8e']);
  expect(code).toBe(1);
  expect(stderr).toContain('the log lacks records, and it may be one of them');
});

test('metrics count what is missing and what is damaged; the server is ready all the same', async () => {
  expect(await metric('verdict_audit_missing_records')).toBe(firsts[1]);
  expect(await metric('verdict_audit_damaged_segments')).toBe(1);
  expect((await pdp.admin('GET', '/health/ready')).status).toBe(200);
  expect((await pdp.ask('/v1/data/todo/decision', { input: {} })).status).toBe(200);
});
