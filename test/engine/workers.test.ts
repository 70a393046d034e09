import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkJson } from '../../src/engine/index.ts';
import type { Policy, Workbench } from './workbench.ts';
import { dataOf, openWorkbench } from './workbench.ts';

let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench();
});
afterAll(() => bench.close());

// OPA's Go code: it answers at once, or turns a loop in a loop for as long as it is let.
const same = 'strings.render_template(input, {}) == input';
const range = '{{range $.l}}';
const turns = `strings.render_template("${range.repeat(6)}${'{{end}}'.repeat(6)}", {"l": numbers.range(1, input)})`;

describe('builtins that run in the Go code of OPA', () => {
  let policy: Policy;
  beforeAll(async () => {
    policy = await bench.policy(
      `
      version := semver.compare(input.a, input.b)
      text := yaml.marshal({"b": [1.50, null], "a": "yes"})
      merged := net.cidr_merge({"192.0.128.0/24", "192.0.129.0/24"})
      sets := [object.subset({1, 2, {3}}, {{3}}), graph.reachable_paths({"a": ["b"], "b": []}, {"a"})]
      random := [rand.intn("x", 1000000), rand.intn("x", 1000000), uuid.rfc4122("k") == uuid.rfc4122("k")]
      now := time.now_ns()
      bad := time.parse_rfc3339_ns(input)
      pure := input.n + 1
      schema := json.match_schema(input, {"type": "object"})
      fallback := "none" if not bad`,
    );
  });

  test('answer as OPA does, on a worker', async () => {
    const late = policy.module.evaluate({ entrypoint: 'p/merged', below: [], strictErrors: false });
    expect(late).toBeInstanceOf(Promise);
    expect(await policy.answer('p/merged')).toBe('["192.0.128.0/23"]');
    expect(await policy.answer('p/version', { input: { a: '1.2.3', b: '1.10.0' } })).toBe('-1');
    expect(await policy.answer('p/text')).toBe('"a: \\"yes\\"\\nb:\\n  - 1.5\\n  - null\\n"');
    expect(await policy.answer('p/sets')).toBe('[true,[["a","b"]]]');
    expect(await policy.answer('p/pure', { input: { n: 1 } })).toBe('2');
  });

  test('an error makes the expression undefined, or fails the evaluation under strict errors', async () => {
    expect(await policy.answer('p/bad', { input: 'yesterday' })).toBe('undefined');
    expect(await policy.answer('p/fallback', { input: 'yesterday' })).toBe('"none"');
    expect(await policy.answer('p/bad', { input: 'yesterday', strictErrors: true })).toBe('builtin_error');
    expect(await policy.answer('p/bad', { input: '2026-11-22T21:00:00Z' })).toBe('1795381200000000000');
  });

  test('randomness repeats within one evaluation, is volatile, and is written down', async () => {
    const first = await policy.ask('p/random');
    const second = await policy.ask('p/random');
    if (first.kind !== 'defined' || second.kind !== 'defined') throw new Error('undefined');
    const [one, same, equal] = JSON.parse(first.json) as [number, number, boolean];
    expect([same, equal]).toEqual([one, true]);
    expect(second.json).not.toBe(first.json);
    expect(first.basis.volatile).toBe(true);
    expect(first.basis.nonDeterministic.map(({ builtin }) => builtin).sort()).toEqual(['rand.intn', 'uuid.rfc4122']);
    expect(first.basis.nonDeterministic[0]).toMatchObject({ operands: '["x",1000000]', result: String(one) });
  });

  test('the clock on a worker is that of the evaluation', async () => {
    expect(await policy.answer('p/now')).toBe('1763800000123456789');
  });

  test('a schema without network is no moment in time', async () => {
    const { basis } = await policy.ask('p/schema', { input: {} });
    expect([basis.volatile, basis.nonDeterministic.length]).toEqual([false, 1]);
  });

  test('many questions at once are all answered', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => policy.answer('p/version', { input: { a: `1.${n}.0`, b: '1.25.0' } })),
    );
    expect(answers).toEqual(Array.from({ length: 50 }, (_, n) => String(Math.sign(n - 25))));
  });

  test('warming reaches the workers and fails for no policy', async () => {
    await policy.module.warm();
    expect(await policy.answer('p/pure', { input: { n: 1 } })).toBe('2');
  });
});

test('an entrypoint that reaches no Go builtin is answered on the deciding thread', async () => {
  const wasm = await bench.compile(`far := ${same}\nnear := input`);
  const reach = new Map([
    ['p/far', ['strings.render_template']],
    ['p/near', []],
  ]);
  const module = await bench.engine().load({ name: 'p@1', wasm, data: dataOf('{}'), reach });
  const ask = (entrypoint: string) => module.evaluate({ entrypoint, below: [], strictErrors: false });
  expect(ask('p/near')).toMatchObject({ kind: 'undefined' });
  expect(ask('p/far')).toBeInstanceOf(Promise);
  expect(await ask('p/far')).toMatchObject({ kind: 'undefined' });
});

test('the budgets hold on workers too', async () => {
  const policy = await bench.policy(`loop if { ${same}; count(numbers.range(1, 10000000)) > 0 }\nfine := ${same}`, {
    budget: { instructions: 100_000 },
  });
  expect(await policy.answer('p/loop', { input: 'a' })).toBe('budget_exceeded');
  expect(await policy.answer('p/fine', { input: 'a' })).toBe('true');
});

test('Go code takes points by the bytes of its operands and of its result, more of them where it does more', async () => {
  const calls = {
    format: 'json.marshal_with_options(input, {"pretty": true})',
    parse: 'rego.parse_module("p.rego", input)',
    write: 'yaml.marshal(input)',
  };
  const rules = Object.entries(calls).map(([name, call]) => `${name} if ${call} != ""`);
  const policy = await bench.policy(rules.join('\n'));
  /** Points for each byte that an operand is longer. */
  const pointsForByte = async (name: string): Promise<number> => {
    const inputs = [1_000, 9_000].map((length) => `package p\n# ${'x'.repeat(length)}`);
    const [short = 0, long = 0] = await Promise.all(
      inputs.map(async (input) => (await policy.ask(`p/${name}`, { input })).basis.instructions),
    );
    return (long - short) / 8_000;
  };
  expect(await pointsForByte('format')).toBeGreaterThan(20);
  expect(await pointsForByte('parse')).toBeGreaterThan(100);
  expect(await pointsForByte('write')).toBeGreaterThan(200);
});

test('Go code that takes too long is ended with its thread, and the next question is answered', async () => {
  const policy = await bench.policy(`slow := ${turns}`, { budget: { deadlineMs: 1_500 } });
  // A spare stands ready, and the ended thread is replaced: twice in a row is no different.
  for (let round = 0; round < 2; round++) {
    const slow = await policy.ask('p/slow', { input: 400 });
    expect(slow.kind).toBe('failed');
    if (slow.kind === 'failed') expect(['deadline_exceeded', 'memory_exceeded']).toContain(slow.code);
  }
  const engine = await bench.policy(`slow := ${turns}`);
  expect(await engine.answer('p/slow', { input: 1 })).toBe('""');
});

test('a thread that was ended is counted, and another stands in its place', async () => {
  const wasm = await bench.compile(`slow := ${turns}`);
  const engine = bench.engine({ budget: { deadlineMs: 1_500 } });
  expect(engine.workers()).toEqual({ threads: 0, waiting: 0, replaced: 0 });
  const module = await engine.load({ name: 'p@1', wasm, data: dataOf('{}') });
  const { threads } = engine.workers();
  expect(threads).toBeGreaterThan(0);
  const input = checkJson(Buffer.from('400')).json;
  expect(await module.evaluate({ entrypoint: 'p/slow', below: [], strictErrors: false, input })).toMatchObject({
    kind: 'failed',
  });
  expect(engine.workers()).toEqual({ threads, waiting: 0, replaced: 1 });
});

test('more questions than may wait are refused at once, the others are answered', async () => {
  const policy = await bench.policy(`ok := ${same}`, {
    engine: { workers: { count: 1, spare: 0, queued: 3 } },
  });
  await policy.answer('p/ok', { input: '1.0.0' });
  const answers = await Promise.all(Array.from({ length: 8 }, () => policy.answer('p/ok', { input: '1.0.0' })));
  expect(answers.filter((answer) => answer === 'true').length).toBeGreaterThanOrEqual(3);
  expect(answers.filter((answer) => answer === 'engine_error').length).toBe(
    answers.length - answers.filter((answer) => answer === 'true').length,
  );
  expect(answers).toContain('engine_error');
});

test('a module that is closed answers what it was asked before, and nothing after', async () => {
  const policy = await bench.policy(`ok := ${same}`);
  const asked = policy.answer('p/ok', { input: '1.0.0' });
  await policy.module.close();
  expect(await asked).toBe('true');
  expect(await policy.answer('p/ok', { input: '1.0.0' })).toBe('engine_error');
});

test('a bundle whose questions take their whole deadline does not keep others from the workers', async () => {
  const workers = { count: 1, spare: 1, queued: 4 };
  const engine = bench.engine({ budget: { deadlineMs: 1_500 }, engine: { workers } });
  const load = async (rego: string) =>
    engine.load({ name: 'p@1', wasm: await bench.compile(rego), data: dataOf('{}') });
  const [slow, fine] = [await load(`x := ${turns}`), await load(`x := ${same}`)];
  const ask = async (module: typeof slow, text: string) =>
    module.evaluate({ entrypoint: 'p/x', below: [], strictErrors: false, input: checkJson(Buffer.from(text)).json });
  // One runs, and the others fill the queue.
  const hostile = [1, 2, 3, 4, 5].map(() => ask(slow, '400'));
  expect(await ask(fine, '"a"')).toMatchObject({ kind: 'defined', json: 'true' });
  for (const evaluation of await Promise.all(hostile)) expect(evaluation.kind).toBe('failed');
});
