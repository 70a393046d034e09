import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Clock } from '../../src/canonical/index.ts';
import type { Budget, Engine, LoadedModule } from '../../src/engine/index.ts';
import { checkJson } from '../../src/engine/index.ts';
import type { Workbench } from './workbench.ts';
import { dataOf, openWorkbench, stillClock } from './workbench.ts';

let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench();
});
afterAll(() => bench.close());

const budget: Partial<Budget> = { decidingInstructions: 100_000, instructions: 10_000_000, memoryBytes: 32 << 20 };

// As many turns as the input says.
const turns = 'count([1 | some n in numbers.range(1, input); n > 0])';

interface Loaded {
  readonly engine: Engine;
  readonly module: LoadedModule;
  ask(entrypoint: string, input?: unknown): ReturnType<LoadedModule['evaluate']>;
}

const loaded = async (rego: string, clock: Clock = stillClock): Promise<Loaded> => {
  const engine = bench.engine({ budget, engine: { clock } });
  const module = await engine.load({ name: 'p@1', wasm: await bench.compile(rego), data: dataOf('{"d": 7}') });
  const ask: Loaded['ask'] = (entrypoint, input) => {
    const given = input === undefined ? {} : { input: checkJson(Buffer.from(JSON.stringify(input))).json };
    return module.evaluate({ entrypoint, below: [], strictErrors: false, ...given });
  };
  return { engine, module, ask };
};

test('a short evaluation is answered where it is asked, and no worker starts for it', async () => {
  const { engine, ask } = await loaded(`turns := ${turns}`);
  expect(ask('p/turns', 100)).toMatchObject({ kind: 'defined', json: '100' });
  expect(engine.places()).toEqual({ deciding: 1, worker: 0, moved: 0 });
  expect(engine.workers().threads).toBe(0);
});

test('threads start one at a time, and none beside an evaluation that has its own', async () => {
  const { engine, ask } = await loaded(`turns := ${turns}`);
  const asked = ask('p/turns', 10_000);
  expect(engine.workers().threads).toBe(1);
  await asked;
  // The spare, now that nobody is kept waiting by its start.
  expect(engine.workers().threads).toBe(2);
});

test('where a spare is to be kept, a thread can be started before one is needed', async () => {
  const engine = bench.engine({ engine: { aheadMs: 0 } });
  await engine.load({ name: 'p@1', wasm: await bench.compile('x := 1'), data: dataOf('{}') });
  await vi.waitUntil(() => engine.workers().threads > 0, 60_000);
});

test('an evaluation that needs more begins anew on a worker, with data, and answers the same', async () => {
  const { engine, ask } = await loaded(`turns := ${turns} + data.d`);
  const asked = ask('p/turns', 10_000);
  expect(asked).toBeInstanceOf(Promise);
  const { kind, json, basis } = (await asked) as { kind: string; json: string; basis: { instructions: number } };
  expect([kind, json]).toEqual(['defined', '10007']);
  expect(basis.instructions).toBeGreaterThan(100_000);
  expect(engine.places()).toEqual({ deciding: 1, worker: 1, moved: 1 });
  // What the try used counts in the bundle's points, and not in the evaluation's.
  expect(engine.points().get('p')).toBe(100_000 + basis.instructions);
});

test('for a minute its entrypoint goes to a worker at once, and others do not', async () => {
  let now = 0;
  const { engine, ask } = await loaded(`turns := ${turns}\nother := input`, { ...stillClock, monotonicMs: () => now });
  await ask('p/turns', 10_000);
  now = 59_999;
  expect(ask('p/other', 1)).toMatchObject({ json: '1' });
  expect(await ask('p/turns', 5)).toMatchObject({ json: '5' });
  expect(engine.places()).toEqual({ deciding: 2, worker: 2, moved: 1 });
  now = 60_000;
  expect(ask('p/turns', 5)).toMatchObject({ json: '5' });
});

test('a version with many slow entrypoints is tried no more, whatever is asked of it', async () => {
  const rules = Array.from({ length: 12 }, (_, at) => `t${at} := ${turns}`).join('\n');
  const { engine, ask } = await loaded(`${rules}\nother := input`);
  for (let at = 0; at < 12; at++) expect(await ask(`p/t${at}`, 10_000)).toMatchObject({ json: '10000' });
  expect(await ask('p/other', 1)).toMatchObject({ json: '1' });
  expect(engine.places()).toEqual({ deciding: 10, worker: 13, moved: 10 });
});

test('what uses up its whole budget, or its memory, fails with its own code', async () => {
  const { engine, ask } = await loaded(
    `ns := numbers.range(1, 20000)
    loop if { some _ in ns; some b in ns; b < 0 }
    large := replace(replace(s, "", s), "", s) if s := concat("", [input, input])`,
  );
  expect(await ask('p/loop')).toMatchObject({ code: 'budget_exceeded', basis: { instructions: 10_000_000 } });
  const { moved } = engine.places();
  expect(moved).toBe(1);
  expect(await ask('p/large', 'x'.repeat(4_000))).toMatchObject({ kind: 'failed' });
});

test('nothing of the try is in the answer: what was drawn at random is drawn once', async () => {
  const { engine, ask } = await loaded(`drawn := [rand.intn("x", 1000000000), ${turns}]`);
  const answer = await ask('p/drawn', 10_000);
  expect(engine.places()).toEqual({ deciding: 1, worker: 1, moved: 1 });
  const [drawn] = answer.kind === 'defined' ? (JSON.parse(answer.json) as number[]) : [];
  expect(answer.basis.nonDeterministic.map(({ result }) => result)).toEqual([String(drawn)]);
});

test('a rule whose own budget is at most the deciding thread’s ends there', async () => {
  const { engine, module } = await loaded('loop := count(numbers.range(1, 10000000))');
  const own = { entrypoint: 'p/loop', below: [], strictErrors: false, instructions: 100_000 };
  expect(module.evaluate(own)).toMatchObject({ code: 'budget_exceeded', basis: { instructions: 100_000 } });
  expect(engine.places()).toEqual({ deciding: 1, worker: 0, moved: 0 });
});

test('a module that is closed answers what was moved before', async () => {
  const { module, ask } = await loaded(`turns := ${turns}`);
  const asked = ask('p/turns', 10_000);
  await module.close();
  expect(await asked).toMatchObject({ json: '10000' });
});
