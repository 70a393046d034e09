import { afterAll, expect, test } from 'vitest';
import { openToolchain, RegoBytes, RegoNumber, regoInteger, regoObject, regoSet } from '../../src/rego/index.ts';
import { file, json, policy, problemsOf } from './sources.ts';

const toolchain = openToolchain();
afterAll(() => toolchain.close());

const none = { modules: [] };
const context = { nowNs: 1_700_000_000_123_456_789n, seed: new Uint8Array(32).fill(7) };

test('the value of a path is bound to result, and undefined is no solution', async () => {
  const sources = policy('x := false');
  expect((await toolchain.evaluate(sources, 'data.policy.x')).bindings).toEqual([{ result: false }]);
  expect((await toolchain.evaluate(sources, 'data.policy.y')).bindings).toEqual([]);
});

test('a query with variables has one object of bindings for each solution', async () => {
  const { bindings } = await toolchain.evaluate(none, 'some x in [1, 2]; y := x * 2');
  expect(bindings).toEqual([
    { x: regoInteger(1), y: regoInteger(2) },
    { x: regoInteger(2), y: regoInteger(4) },
  ]);
  const sources = policy('names := ["a", "b"]');
  expect((await toolchain.evaluate(sources, 'data.policy.names[i]')).bindings).toEqual([
    { result: 'a', i: regoInteger(0) },
    { result: 'b', i: regoInteger(1) },
  ]);
});

test('values pass both ways without loss: sets, large numbers, keys that are no strings, raw bytes', async () => {
  const big = new RegoNumber('123456789012345678901234567890.5');
  const input = regoObject([
    [regoInteger(1), regoSet(['a', big, null])],
    ['1', regoSet([])],
    [regoSet([true]), 'x\u0000y'],
  ]);
  const { bindings } = await toolchain.evaluate(none, 'x := input; y := hex.decode("ff00")', { input });
  expect(bindings).toEqual([{ x: input, y: new RegoBytes(Uint8Array.of(0xff, 0)) }]);
});

test('an input of null is an input', async () => {
  expect((await toolchain.evaluate(none, 'input == null', { input: null })).bindings).toEqual([{ result: true }]);
  expect((await toolchain.evaluate(none, 'input == null')).bindings).toEqual([]);
});

test('data is what the sources bring', async () => {
  const { bindings } = await toolchain.evaluate({ ...none, data: json({ a: { b: [1.5] } }) }, 'data.a.b[0]');
  expect(bindings).toEqual([{ result: new RegoNumber('1.5') }]);
});

test('the clock and the seed given decide what time, uuid and rand answer', async () => {
  const query = 'now := time.now_ns(); id := uuid.rfc4122("a"); n := rand.intn("k", 1000000)';
  const first = await toolchain.evaluate(none, query, { context });
  expect(first.bindings[0]?.now).toEqual(regoInteger(context.nowNs));
  expect((await toolchain.evaluate(none, query, { context })).bindings).toEqual(first.bindings);
  const other = { ...context, seed: new Uint8Array(32).fill(8) };
  expect((await toolchain.evaluate(none, query, { context: other })).bindings[0]?.id).not.toBe(first.bindings[0]?.id);
});

test('a failing builtin is undefined, or ends the evaluation when errors are strict', async () => {
  const sources = policy('x := to_number("no")');
  expect((await toolchain.evaluate(sources, 'data.policy.x')).bindings).toEqual([]);
  const [problem] = await problemsOf(toolchain.evaluate(sources, 'data.policy.x', { strictErrors: true }));
  expect(problem).toMatchObject({
    code: 'eval_builtin_error',
    file: 'policy.rego',
    row: 3,
    excerpt: 'x := to_number("no")',
  });
});

test('rules that disagree are a conflict, with the place', async () => {
  const [problem] = await problemsOf(toolchain.evaluate(policy('x := 1\n\nx := 2'), 'data.policy.x'));
  expect(problem).toMatchObject({ code: 'eval_conflict_error', file: 'policy.rego' });
});

test('a trace is there when it is asked for, and what rules print always', async () => {
  const sources = policy('x if {\n\tprint("seen", input.a)\n\tinput.a == 2\n}');
  const asked = { input: regoObject([['a', regoInteger(1)]]), trace: true };
  const { trace, printed, bindings } = await toolchain.evaluate(sources, 'data.policy.x', asked);
  expect(bindings).toEqual([]);
  expect(printed).toBe('seen 1\n');
  expect(trace).toMatch(/policy\.rego:5 +\| \| Fail input\.a = 2|policy\.rego:5 .*Fail/);
  expect((await toolchain.evaluate(sources, 'data.policy.x')).trace).toBeUndefined();
});

test('a file is formatted as OPA does, in its own version', async () => {
  const text = 'package   a\nallow   if   input.x==1';
  expect(await toolchain.format(file('a.rego', text))).toBe('package a\n\nallow if input.x == 1\n');
  const old = file('a.rego', 'package a\nallow{input.x==1}');
  expect(await toolchain.format(old, { regoVersion: 0 })).toBe('package a\n\nallow {\n\tinput.x == 1\n}\n');
  const [problem] = await problemsOf(toolchain.format(old));
  expect(problem).toMatchObject({ code: 'rego_parse_error', file: 'a.rego', row: 2, excerpt: 'allow{input.x==1}' });
});
