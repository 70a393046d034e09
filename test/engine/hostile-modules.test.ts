import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import type { Budget, Engine, Evaluation } from '../../src/engine/index.ts';
import { defaultEngineSettings, engineOptions, ModuleError, openEngine } from '../../src/engine/index.ts';
import { compilePolicy } from '../../src/engine/wasm/policy-module.ts';
import { RawInstance } from '../../src/engine/wasm/raw-instance.ts';
import type { HandMade } from './hand-made-module.ts';
import { constant, handMade, places, text } from './hand-made-module.ts';
import { dataOf, stillClock } from './workbench.ts';

const engines: Engine[] = [];
afterAll(() => Promise.all(engines.map((engine) => engine.close())));

const load = (parts: HandMade, budget: Partial<Budget> = {}) => {
  const options = engineOptions(defaultEngineSettings);
  const engine = openEngine({ ...options, budget: { ...options.budget, ...budget }, clock: stillClock });
  engines.push(engine);
  return engine.load({ name: 'p@1', wasm: handMade(parts), data: dataOf('{}') });
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

const known: ReadonlySet<number> = new Set([
  ...[0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x1a, 0x1b, 0x1c, 0xfc],
  ...Array.from({ length: 0xc5 }, (_, opcode) => opcode).filter((opcode) => opcode >= 0x20 && opcode <= 0xc4),
]);
const references = [0x25, 0x26, 0x27, 0x3f + 0x80];

test('an instruction that the counter does not know is refused, whatever follows it', async () => {
  const unknown = Array.from({ length: 256 }, (_, opcode) => opcode).filter(
    (opcode) => !known.has(opcode) || references.includes(opcode),
  );
  const moved = Array.from({ length: 24 }, (_, operation) => [0xfc, operation + 8]);
  const operands = fc.uint8Array({ maxLength: 12 });
  const opcode = fc.constantFrom<number[]>(...unknown.map((one) => [one]), ...moved);
  await fc.assert(
    fc.asyncProperty(opcode, operands, async (odd, rest) => {
      expect(await refusal({ evaluate: [0x00, ...odd, ...rest, ...answer] })).toBe('MODULE_INVALID');
    }),
    { numRuns: 300 },
  );
});

test('whatever bytes stand for code: the module is refused, or its evaluation ends', async () => {
  const control = fc.constantFrom([0x03, 0x40], [0x02, 0x40], [0x04, 0x40], [0x0b], [0x0c, 0], [0x0c, 1], [0x0d, 0]);
  const plain = fc.constantFrom(constant(1), [drop], [0x10, 1], [0x20, 0], [0x40, 0], [0x24, 2], [0x23, 2], [0x6d]);
  const bytes = fc.uint8Array({ maxLength: 6 }).map((some) => [...some]);
  const body = fc.array(fc.oneof(control, plain, bytes), { maxLength: 20 }).map((parts) => parts.flat());
  await fc.assert(
    fc.asyncProperty(body, async (evaluate) => {
      const said = await evaluation({ evaluate: [...evaluate, ...answer] }, { instructions: 100_000 }).then(
        ({ kind }) => kind,
        (thrown: unknown) => (thrown instanceof ModuleError ? thrown.code : thrown),
      );
      expect(['defined', 'undefined', 'failed', 'MODULE_INVALID', 'MODULE_FOREIGN']).toContain(said);
    }),
    { numRuns: 300 },
  );
});

const env = (name: string, ...kind: number[]): number[] => [...text('env'), ...text(name), ...kind];

test.each<readonly [string, HandMade]>([
  ['a function of another name', { imports: [env('opa_fetch', 0, 1)] }],
  ['a function of a known name and another type', { imports: [env('opa_println', 0, 1)] }],
  ['a function of WASI', { imports: [[...text('wasi_snapshot_preview1'), ...text('proc_exit'), 0, 2]] }],
  ['a global', { imports: [env('counter', 3, 0x7f, 1)] }],
  ['a table', { imports: [env('table', 1, 0x70, 0, 1)] }],
  ['a second memory', { imports: [env('memory', 2, 0, 1)] }],
  ['a memory that threads share', { imports: [env('memory', 2, 3, 1, 1)] }],
  ['a memory of its own', { memorySection: [5, 3, 1, 0, 1] }],
  ['a data segment without a place', { segments: [[1, 1, 0x61]] }],
  ['a data segment behind a computed place', { segments: [[0, 0x23, 0, 0x0b, 1, 0x61]] }],
  ['a data segment beyond 4 GB', { segments: [[0, ...constant(-2), 0x0b, 4, 1, 2, 3, 4]] }],
])('imports, memories and data of a module are those of OPA: %s', async (_what, parts) => {
  expect(await refusal(parts)).toBe('MODULE_FOREIGN');
});

test('a start function is within the points to start with, and nobody else has the name of the counter', async () => {
  expect(await evaluation({ start: [0x01] })).toMatchObject({ json: 'true' });
  expect(await refusal({ start: [0x03, 0x40, 0x0c, 0, 0x0b] })).toBe('MODULE_FOREIGN');
  expect(await refusal({ exports: [[...text('verdict.points'), 3, 0]] })).toBe('MODULE_INVALID');
});
