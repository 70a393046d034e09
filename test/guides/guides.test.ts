import { afterEach, expect, test } from 'vitest';
import { follow, type Reader } from './guide.ts';

// Each guide as a reader follows it: its files saved, its commands typed, in its order, on the built program.
let reader: Reader;

afterEach(() => reader?.end());

const skip = async (steps: number): Promise<void> => {
  for (let step = 0; step < steps; step++) await reader.next();
};

test('the first policy decides, is changed, is in the log, and is rolled back', async () => {
  reader = await follow('first-policy.md');
  await skip(4);
  const reasons = ['you are the manager'];
  expect(JSON.parse(await reader.next())).toEqual({ decision: true, context: { reasons } });
  expect(JSON.parse(await reader.next())).toEqual({ allow: true, reasons });
  expect(await reader.next()).toMatch(/^leave@2 pushed, active/);
  const shown = await reader.next();
  expect(shown).toContain('outcome: refuse');
  expect(shown).toContain('"version": 2');
  expect(await reader.next()).toMatch(/^leave@1 is active again(.|\n)*^2 +retired(.|\n)*^1 +active/m);
  expect(reader.done()).toBe(true);
}, 240_000);

test('a policy is checked, tested, tried and built without a server', async () => {
  reader = await follow('test-a-policy.md');
  await skip(2);
  expect(await reader.next()).toMatch(/no problems(.|\n)*4 passed(.|\n)*100 %/);
  await skip(2);
  expect(JSON.parse(await reader.next())).toEqual({ allow: true, reasons: ['you are the manager'] });
  expect(await reader.next()).toBe('true\n');
  expect(await reader.next()).toMatch(/^leave\.tar\.gz: \d+ bytes(.|\n)*4 tests: 4 passed/m);
  expect(reader.done()).toBe(true);
}, 240_000);

test('a policy of your own is checked, tested, served while it is written, and explained', async () => {
  reader = await follow('own-policy.md');
  await skip(4);
  expect(await reader.next()).toMatch(/no problems(.|\n)*6 passed(.|\n)*100 %/);
  await skip(2);
  expect(await reader.next()).toMatch(/"decision":false(.|\n)*the amount is above your limit/);
  expect(await reader.next()).toMatch(/data\.expenses\.decision held(.|\n)*expenses\/decision = /);
  expect(reader.done()).toBe(true);
}, 240_000);
