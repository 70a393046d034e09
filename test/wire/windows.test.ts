import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { fakeClock } from '../support/decision.ts';
import { type Pdp, type PdpAnswer, startPdp } from '../support/pdp.ts';

const root = path.join(import.meta.dirname, '..', '..');

interface Case {
  readonly name: string;
  readonly input: { readonly [name: string]: unknown };
}

const { cases } = parse(readFileSync(path.join(root, 'test', 'cases', 'services.yaml'), 'utf8')) as {
  readonly cases: readonly Case[];
};

const inputOf = (name: string): Case['input'] => cases.find((one) => one.name === name)!.input;

// Support may refund on working days, from 8 to 18 o'clock in Berlin; its token is that of another case.
const refund = { ...inputOf('a caller that is listed for another operation'), action: { name: 'refund' } };

// A Wednesday in winter, half a minute before 18 o'clock in Berlin.
const clock = fakeClock(Date.parse('2026-03-04T16:59:30Z'));

let pdp: Pdp;
beforeAll(async () => {
  pdp = await startPdp({ bundles: { services: path.join(root, 'bundles', 'services.tar.gz') }, clock });
});
afterAll(() => pdp?.stop());

const ask = async (
  input: unknown,
): Promise<{ readonly cache: string | null; readonly fresh: string | null } & object> => {
  const answer: PdpAnswer = await pdp.ask('/v1/data/services/decision', { input });
  const { result } = answer.json as { readonly result: { readonly allow: boolean; readonly reasons: string[] } };
  const { headers } = answer;
  return { ...result, cache: headers.get('verdict-cache'), fresh: headers.get('cache-control') };
};

const permitted = { allow: true };
const late = { allow: false, reasons: ['the caller may not call at this hour'] };

test('an answer that rests on office hours is remembered to the minute at which they end', async () => {
  expect(await ask(refund)).toMatchObject({ ...permitted, cache: 'miss', fresh: 'private, max-age=30' });
  expect(await ask(refund)).toMatchObject({ ...permitted, cache: 'hit', fresh: 'private, max-age=30' });
  clock.advance(29_999);
  expect(await ask(refund)).toMatchObject({ ...permitted, cache: 'hit' });
  clock.advance(1);
  expect(await ask(refund)).toMatchObject({ ...late, cache: 'miss', fresh: 'private, max-age=60' });
  expect(await ask(refund)).toMatchObject({ ...late, cache: 'hit' });
});

test('a permission that has ended is refused from the cache, and one that lasts is permitted from it', async () => {
  for (const [name, wanted] of [
    [
      'migration exports after its permission has ended',
      { allow: false, reasons: ["the caller's permission has ended"] },
    ],
    ['reports lists payments before its permission ends', permitted],
  ] as const) {
    expect(await ask(inputOf(name))).toMatchObject({ ...wanted, cache: 'miss' });
    expect(await ask(inputOf(name))).toMatchObject({ ...wanted, cache: 'hit', fresh: 'private, max-age=60' });
  }
});
