import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { makeDataImage } from '../../src/engine/data-image.ts';
import { checkJson, defaultEngineSettings, engineOptions } from '../../src/engine/index.ts';
import { LocalEvaluator } from '../../src/engine/local-evaluator.ts';
import { withCounter } from '../../src/engine/wasm/instruction-counter.ts';
import { compilePolicy } from '../../src/engine/wasm/policy-module.ts';
import { RawInstance } from '../../src/engine/wasm/raw-instance.ts';
import { sectionsOf } from '../../src/engine/wasm/sections.ts';
import type { Workbench } from './workbench.ts';
import { dataOf, openWorkbench } from './workbench.ts';

let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench();
});
afterAll(() => bench.close());

const product = 'count([1 | some a in numbers.range(1, 100000); some b in numbers.range(1, 100000); a == b + 1000000])';

test('a policy that loops too long ends with its own code, and the next evaluation works', async () => {
  const policy = await bench.policy(`loop := ${product}\nfine := 1`, { budget: { instructions: 3_000_000 } });
  for (let round = 0; round < 3; round++) {
    expect(await policy.ask('p/loop')).toMatchObject({
      kind: 'failed',
      code: 'budget_exceeded',
      basis: { instructions: 3_000_000 },
    });
    expect(await policy.answer('p/fine')).toBe('1');
  }
});

test('calls of builtins use up the budget by what they take, and the next evaluation works', async () => {
  const policy = await bench.policy(
    `sums := count({1 | some n in numbers.range(1, 2000); crypto.sha256(input.s)})
    checks := count([1 | some n in numbers.range(1, 100); io.jwt.verify_rs256(input.s, input.s)])
    fine := crypto.md5(input.s)`,
    { budget: { instructions: 5_000_000 } },
  );
  const input = { s: 'abc' };
  expect(await policy.answer('p/sums', { input })).toBe('budget_exceeded');
  expect(await policy.answer('p/checks', { input })).toBe('budget_exceeded');
  expect(await policy.answer('p/fine', { input })).toBe('"900150983cd24fb0d6963f7d28e17f72"');
});

test('a native function that works for very long is ended too', async () => {
  const policy = await bench.policy('long := count(numbers.range(1, input.n))\nfine := 1', {
    budget: { instructions: 2_000_000, memoryBytes: 1 << 30 },
  });
  // Its result grows with its work, so one of the two budgets ends it.
  const code = await policy.answer('p/long', { input: { n: 1e12 } });
  expect(['budget_exceeded', 'memory_exceeded']).toContain(code);
  expect(await policy.answer('p/fine')).toBe('1');
});

test('a policy that takes too much memory ends with its own code, and the next evaluation works', async () => {
  const policy = await bench.policy('bomb := [a | some a in numbers.range(1, 10000000)]\nfine := 1', {
    budget: { instructions: 2_000_000_000, memoryBytes: 2 << 20 },
  });
  expect(await policy.answer('p/bomb')).toBe('memory_exceeded');
  expect(await policy.answer('p/fine')).toBe('1');
});

test('an input that does not fit is refused as too much memory', async () => {
  const policy = await bench.policy('size := count(input)', { budget: { memoryBytes: 1 << 20 } });
  expect(await policy.answer('p/size', { input: 'x'.repeat(1_040_000) })).toBe('memory_exceeded');
  expect(await policy.answer('p/size', { input: 'abc' })).toBe('3');
});

test('a result beyond the bound is refused', async () => {
  const policy = await bench.policy('big := concat("", [x | some _ in numbers.range(1, 1000); x := input])', {
    budget: { resultBytes: 5_000 },
  });
  expect(await policy.answer('p/big', { input: '12345678' })).toBe('too_large');
  expect(await policy.answer('p/big', { input: '1234' })).toHaveLength(4_002);
  // 1,000 characters that JSON escapes into six each.
  expect(await policy.answer('p/big', { input: '<' })).toBe('too_large');
});

test('two values for one rule are a conflict, and the next evaluation works', async () => {
  const policy = await bench.policy('c := x if some x in input\no := {k: v | some k in ["a"]; some v in input}');
  expect(await policy.ask('p/c', { input: [1, 2] })).toMatchObject({
    kind: 'failed',
    code: 'conflict',
    message: expect.stringMatching(/^\S+:\d+:\d+: a rule or function produced conflicting values$/),
  });
  expect(await policy.ask('p/o', { input: [1, 2] })).toMatchObject({
    message: expect.stringMatching(/^\S+:\d+:\d+: object keys must be unique$/),
  });
  expect(await policy.answer('p/o', { input: [1, 2] })).toBe('conflict');
  expect(await policy.answer('p/c', { input: [1, 1] })).toBe('1');
});

test('an abort that is no conflict is an engine error, and the next evaluation works', async () => {
  const policy = await bench.policy('f := format_int(input, 10)');
  const large = await policy.answer('p/f', { inputText: '99999999999' });
  expect(['"99999999999"', 'engine_error']).toContain(large);
  expect(await policy.answer('p/f', { input: 12 })).toBe('"12"');
});

test('the counter changes no result: the module answers the same with and without it', async () => {
  const wasm = await bench.compile(
    `
    counts := [c | some n in numbers.range(0, 20); c := count(numbers.range(n, 20))]
    text := sort([upper(concat("-", [x, y])) | some x in input.a; some y in input.b])
    nested := {k: {v | some v in vs} | some k, vs in input}
    found := regex.match("^a+b?$", input.a[0])`,
  );
  const run = (bytes: Uint8Array, entrypoint: number, text: string): string => {
    const memory = new WebAssembly.Memory({ initial: 5 });
    const stop = (): never => {
      throw new Error('called out of place');
    };
    const env: Record<string, WebAssembly.ImportValue> = { memory, opa_abort: stop };
    for (let operands = 0; operands < 5; operands++) env[`opa_builtin${operands}`] = stop;
    const module = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);
    const exports = new WebAssembly.Instance(module, { env }).exports as Record<string, (...args: number[]) => number>;
    const put = (json: string): [number, number] => {
      const at = exports.opa_malloc!(json.length);
      Buffer.from(memory.buffer).write(json, at);
      return [at, json.length];
    };
    const data = exports.opa_json_parse!(...put('{}'));
    const [input, length] = put(text);
    const result = exports.opa_eval!(0, entrypoint, data, input, length, exports.opa_heap_ptr_get!(), 1);
    const bytesNow = Buffer.from(memory.buffer);
    return bytesNow.toString('utf8', result, bytesNow.indexOf(0, result));
  };
  const counted = withCounter(wasm, sectionsOf(wasm));
  expect(counted.points).toBeGreaterThan(500);
  for (const input of ['{"a":["aab","ab"],"b":["x","y"]}', '{"a":["b"],"b":[]}', '[]', 'null', '{"a":1}']) {
    for (let entrypoint = 0; entrypoint < 4; entrypoint++) {
      expect(run(counted.wasm, entrypoint, input)).toBe(run(wasm, entrypoint, input));
    }
  }
  const names = (bytes: Uint8Array) =>
    WebAssembly.Module.customSections(new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>), 'name').map((section) =>
      Buffer.from(section).toString('hex'),
    );
  expect(names(counted.wasm)).toEqual(names(wasm));
  expect(names(wasm)).toHaveLength(1);
});

test('what is counted asks for the size of its memory without growing it', async () => {
  const { module, initialPages } = await compilePolicy(await bench.compile('x := 1'));
  const memory = new WebAssembly.Memory({ initial: initialPages });
  const { buffer } = memory;
  const unused = (): number => 0;
  const env: Record<string, WebAssembly.ImportValue> = { memory, opa_abort: unused };
  for (let operands = 0; operands < 5; operands++) env[`opa_builtin${operands}`] = unused;
  const exports = new WebAssembly.Instance(module, { env }).exports as Record<string, (...args: number[]) => number>;
  exports.opa_malloc!(8);
  // Growth, by nothing too, puts another buffer in its place.
  expect(memory.buffer).toBe(buffer);
});

test('memory that a policy takes counts by its bytes', async () => {
  const raw = new RawInstance(await compilePolicy(await bench.compile('x := 1')), 1_000, () => 0);
  const costOf = (bytes: number): number => {
    raw.points = 1e9;
    raw.exports.opa_malloc(bytes);
    return 1e9 - raw.points;
  };
  const one = costOf(1);
  expect(one).toBeLessThan(100);
  // Pages that it grows by are not free, either.
  expect(costOf(1 << 20) - one).toBeGreaterThanOrEqual(1 << 18);
  expect(costOf(2 << 20) - one).toBeGreaterThanOrEqual(1 << 19);
  const policy = await bench.policy('sets := count({{a, b} | some a in input; some b in input})');
  const used = async (members: number): Promise<number> => {
    const { basis } = await policy.ask('p/sets', { input: Array.from({ length: members }, (_, at) => at) });
    return basis.instructions;
  };
  // Twice the members are four times the sets, and each of these has its room.
  expect(await used(40)).toBeGreaterThan(3 * (await used(20)));
});

test('a budget that ran out costs no new memory, and what answers in the used one answers as before', async () => {
  const policy = await bench.policy(
    `loop := ${product}
    texts := {concat("-", [x, y]) | some x in data.xs; some y in input.ys}
    sums := [x | some n in data.ns; x := n * input.f]
    found := {k: v | some k, v in data.o; k != input.ys[1]}`,
    { budget: { instructions: 300_000 }, data: '{"xs":["a","b"],"ns":[1.50,2,1e3],"o":{"p":[null,false,{}]}}' },
  );
  const input = { ys: ['o', 'q'], f: 0.1 };
  const answers = () => Promise.all(['p/texts', 'p/sums', 'p/found'].map((path) => policy.answer(path, { input })));
  const fresh = await answers();
  const made = vi.spyOn(WebAssembly, 'Memory');
  for (let round = 0; round < 5; round++) {
    expect(await policy.answer('p/loop')).toBe('budget_exceeded');
    // Every other time there is a spare.
    for (let turn = 0; turn < round * 3; turn++) await nextTurn();
    expect(await answers()).toEqual(fresh);
  }
  expect(made).not.toHaveBeenCalled();
  made.mockRestore();
});

/** An evaluator of lists that are as long as the input says, and how it is asked. */
const openRanges = async () => {
  const policy = await compilePolicy(await bench.compile('n := count([x | some x in numbers.range(1, input)])'));
  const budget = { ...engineOptions(defaultEngineSettings).budget, instructions: 2_000_000_000 };
  const image = { bundle: 'p', policy, data: makeDataImage(policy, dataOf('{}')), budget };
  const evaluator = new LocalEvaluator(
    () => image,
    () => undefined,
  );
  const ask = (text: string) =>
    evaluator.evaluate({
      entrypoint: 0,
      below: [],
      input: checkJson(Buffer.from(text)).json,
      strictErrors: false,
      nowNs: 0n,
      instructions: budget.instructions,
    });
  return { evaluator, ask };
};

test('memory that one evaluation took is given back, and the next answers are right', async () => {
  const { evaluator, ask } = await openRanges();
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const first = new WeakRef(evaluator.current());
  expect(ask('10')).toMatchObject({ kind: 'defined', json: '10' });
  expect(evaluator.current() === first.deref()).toBe(true);
  // What was looked at lives until the next turn.
  await nextTurn();
  expect(ask('200000')).toMatchObject({ kind: 'defined', json: '200000' });
  // Before anybody asks again.
  collect();
  expect(first.deref() === undefined).toBe(true);
  expect(ask('10')).toMatchObject({ kind: 'defined', json: '10' });
  evaluator.close();
});

test('memory that an evaluation grew far is there for the next one for two seconds, and then let go', async () => {
  const { evaluator, ask } = await openRanges();
  expect(ask('10')).toMatchObject({ json: '10' });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const made = vi.spyOn(WebAssembly, 'Memory');
  try {
    for (const size of ['200000', '100000000', '200000']) {
      const found = ask(size);
      if (size === '200000') expect(found).toMatchObject({ json: '200000' });
      else expect(found).toMatchObject({ kind: 'failed', code: 'memory_exceeded' });
      // Each begins the time anew.
      vi.advanceTimersByTime(1_900);
      expect(ask('10')).toMatchObject({ json: '10' });
    }
    expect(made).not.toHaveBeenCalled();
    vi.advanceTimersByTime(200);
    expect(ask('10')).toMatchObject({ json: '10' });
    expect(made).toHaveBeenCalledTimes(1);
    // Small questions need no other, however long it takes.
    vi.advanceTimersByTime(60_000);
    expect(ask('10')).toMatchObject({ json: '10' });
    expect(made).toHaveBeenCalledTimes(1);
  } finally {
    made.mockRestore();
    vi.useRealTimers();
    evaluator.close();
  }
});

test('what the host reads counts by its values: a result of many, and arguments of many', async () => {
  const policy = await bench.policy(
    `numbers_in := input
    text := crypto.md5(input.s)
    printed := sprintf("%v", [input])`,
    { budget: { instructions: 10_000_000 } },
  );
  const many = Array.from({ length: 40_000 }, () => 1);
  expect(await policy.answer('p/numbers_in', { input: many })).toBe('budget_exceeded');
  expect(await policy.answer('p/printed', { input: many })).toBe('budget_exceeded');
  expect(await policy.answer('p/numbers_in', { input: [1] })).toBe('[1]');
  // As many bytes in one value are cheap.
  expect(await policy.answer('p/numbers_in', { input: 'x'.repeat(80_000) })).toHaveLength(80_002);
  expect(await policy.answer('p/text', { input: { s: 'x'.repeat(80_000) } })).toHaveLength(34);
});

test('a question may name a budget of its own, up to the most that is configured', async () => {
  const wasm = await bench.compile(`loop := ${product}`, ['p/loop']);
  const budget = { instructions: 3_000_000, mostInstructions: 5_000_000 };
  const module = await bench.engine({ budget }).load({ name: 'p@1', wasm, data: dataOf('{}') });
  const used = async (instructions?: number) => {
    const own = instructions === undefined ? {} : { instructions };
    const evaluation = await module.evaluate({ entrypoint: 'p/loop', below: [], strictErrors: false, ...own });
    expect(evaluation).toMatchObject({ kind: 'failed', code: 'budget_exceeded' });
    return evaluation.basis.instructions;
  };
  expect([await used(), await used(20_000), await used(4_000_000), await used(9_000_000)]).toEqual([
    3_000_000, 20_000, 4_000_000, 5_000_000,
  ]);
});

test('warming a module of greedy entrypoints takes a bounded number of points, and points are counted by bundle', async () => {
  const wasm = await bench.compile(Array.from({ length: 200 }, (_, at) => `r${at} := ${product}`).join('\n'));
  const engine = bench.engine();
  const module = await engine.load({ name: 'greedy@1', wasm, data: dataOf('{}') });
  await module.warm();
  const points = engine.points().get('greedy') ?? 0;
  expect(points).toBeGreaterThanOrEqual(100_000_000);
  expect(points).toBeLessThan(105_000_000);
});
