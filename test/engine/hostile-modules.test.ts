import { afterAll, expect, test } from 'vitest';
import type { Budget, Engine, Evaluation } from '../../src/engine/index.ts';
import { defaultEngineSettings, engineOptions, ModuleError, openEngine } from '../../src/engine/index.ts';
import { compilePolicy } from '../../src/engine/wasm/policy-module.ts';
import { RawInstance } from '../../src/engine/wasm/raw-instance.ts';
import type { HandMade } from './hand-made-module.ts';
import { constant, handMade, places } from './hand-made-module.ts';
import { stillClock } from './workbench.ts';

const engines: Engine[] = [];
afterAll(() => Promise.all(engines.map((engine) => engine.close())));

const load = (parts: HandMade, budget: Partial<Budget> = {}) => {
  const options = engineOptions(defaultEngineSettings);
  const engine = openEngine({ ...options, budget: { ...options.budget, ...budget }, clock: stillClock });
  engines.push(engine);
  return engine.load({ name: 'p@1', wasm: handMade(parts), data: Buffer.from('{}') });
};

const evaluation = async (parts: HandMade, budget?: Partial<Budget>): Promise<Evaluation> =>
  await (await load(parts, budget)).evaluate({ entrypoint: 'p/x', below: [], strictErrors: false });

const refusal = (parts: HandMade): Promise<unknown> =>
  load(parts).then(
    () => 'loaded',
    (thrown: unknown) => (thrown instanceof ModuleError ? thrown.code : thrown),
  );

const answer = constant(places.answer);
const drop = 0x1a;

test('a module that behaves is run, whoever made it', async () => {
  expect(await evaluation({})).toMatchObject({ kind: 'defined', json: 'true' });
});

test.each<readonly [string, HandMade]>([
  ['a memory named by its number', { evaluate: [...constant(0), 0x28, 0x42, 0, 0, drop, ...answer] }],
  ['a block of a reference', { evaluate: [0x02, 0x63, 0x70, 0xd0, 0x70, 0x0b, drop, ...answer] }],
  ['a block of a reference, in one byte', { evaluate: [0x02, 0x70, 0xd0, 0x70, 0x0b, drop, ...answer] }],
  ['variables that are references', { locals: [1, 1, 0x63, 0x00] }],
  ['a selection of references', { evaluate: [0x00, 0x1c, 1, 0x63, 0x00, drop, ...answer] }],
])('code is refused in which a loop could hide from the counter: %s', async (_what, parts) => {
  expect(await refusal(parts)).toBe('MODULE_INVALID');
});

test.each<readonly [string, HandMade]>([
  ['a table that takes the heap of the whole process', { table: [0x70, 0, 0x80, 0xad, 0xe2, 0x04] }],
  ['a memory far above its data', { minimumPages: 40_000 }],
  ['numbers of builtins that nobody can list', { builtins: '{"count":4000000000}' }],
  ['a builtin under no number', { builtins: '{"count":"length"}' }],
  ['two builtins under one number', { builtins: '{"a":1,"b":1}' }],
])('what a module wants before it runs is bounded: %s', async (_what, parts) => {
  expect(await refusal(parts)).toBe('MODULE_FOREIGN');
});

test('a small table is taken', async () => {
  expect(await evaluation({ table: [0x70, 0, 80] })).toMatchObject({ json: 'true' });
});

// A loop of 1,000 turns over a variable.
const turns = (body: readonly number[]): HandMade => ({
  locals: [1, 1, 0x7f],
  evaluate: [
    ...[0x03, 0x40, ...body],
    ...[0x20, 7, ...constant(1), 0x6a, 0x22, 7, ...constant(1_000), 0x48, 0x0d, 0, 0x0b],
    ...answer,
  ],
});

test('long code costs its length: in a loop, behind an inner loop that is left out, and in slow instructions', async () => {
  const long = Array.from({ length: 5_000 }, () => [...constant(0), drop]).flat();
  const skipped = [0x02, 0x40, ...constant(1), 0x0d, 0, 0x03, 0x40, 0x0b, 0x0b];
  const slow = Array.from({ length: 700 }, () => [...constant(9), ...constant(3), 0x6d, drop]).flat();
  const budget = { instructions: 100_000 };
  expect(await evaluation(turns([]), budget)).toMatchObject({ kind: 'defined' });
  for (const body of [long, [...skipped, ...long], slow]) {
    expect(await evaluation(turns(body), budget)).toMatchObject({ kind: 'failed', code: 'budget_exceeded' });
  }
});

test('a module has few points to start with', async () => {
  const instance = new RawInstance(await compilePolicy(handMade()), 16, () => 0);
  expect(instance.points).toBeLessThanOrEqual(20_000_000);
});

test('recursion without end fails, and the next evaluation answers', async () => {
  const again = Array.from({ length: 7 }, (_, at) => [0x20, at]).flat();
  const module = await load({ evaluate: [...again, 0x10, 1] }, { instructions: 2_000_000_000 });
  const ask = () => module.evaluate({ entrypoint: 'p/x', below: [], strictErrors: false });
  expect(await ask()).toMatchObject({ kind: 'failed', code: 'too_large' });
  expect(await ask()).toMatchObject({ kind: 'failed', code: 'too_large' });
});

test('of the text of an abort only the beginning is kept', async () => {
  const fill = [0x03, 0x40, 0x20, 7, ...constant(0x61), 0x3a, 0, ...[0x80, 0x80, 1]];
  const next = [0x20, 7, ...constant(1), 0x6a, 0x22, 7, ...constant(100_000), 0x48, 0x0d, 0, 0x0b];
  const found = await evaluation({
    locals: [1, 1, 0x7f],
    evaluate: [...fill, ...next, ...constant(16_384), 0x10, 0, ...answer],
    minimumPages: 4,
  });
  expect(found).toMatchObject({ kind: 'failed', code: 'engine_error', message: 'a'.repeat(1_024) });
});
