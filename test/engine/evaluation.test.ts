import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Policy, Workbench } from './workbench.ts';
import { dataOf, openWorkbench } from './workbench.ts';

let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench();
});
afterAll(() => bench.close());

describe('an answer is what OPA answers', () => {
  let policy: Policy;
  beforeAll(async () => {
    policy = await bench.policy(
      `
      default allow := false
      allow if input.n == 1
      denied if input.n == 2
      echo := input
      kind := "absent" if not input_there
      kind := type_name(input) if input_there
      input_there if _ = input
      sets := {3, 1, "b", {"x"}, null}
      mixed := {1: "a", "1": "b", [1]: {2, 1}, "<": "&"}
      list := ["a", {"k": false}]
      sum := input.a + input.b
      product := input.a * input.b
      from_data := data.config.limits[_]
      zone := data.config.zone
      names contains n if some n in ["x", "y", 7]
      bytes := base64.decode("/2E=")
      constant := 2.50`,
      { data: '{"config":{"limits":[1.50],"zone":"é\\u0000\\ud83d\\ude00"}}' },
    );
  });

  test('rules that are true, false by default, and undefined are three things', async () => {
    expect(await policy.answer('p/allow', { input: { n: 1 } })).toBe('true');
    expect(await policy.answer('p/allow', { input: { n: 2 } })).toBe('false');
    expect(await policy.answer('p/denied', { input: { n: 2 } })).toBe('true');
    expect(await policy.answer('p/denied', { input: { n: 1 } })).toBe('undefined');
  });

  test.each(['0', 'false', 'null', '""', '[]', '{}', '"\\u0000"', '{"__proto__":1}'])(
    'the input %s arrives as it is',
    async (inputText) => {
      expect(await policy.answer('p/echo', { inputText })).toBe(inputText);
    },
  );

  test('no input is not null', async () => {
    expect(await policy.answer('p/kind')).toBe('"absent"');
    expect(await policy.answer('p/kind', { inputText: 'null' })).toBe('"null"');
    expect(await policy.answer('p/echo')).toBe('undefined');
  });

  test('numbers keep the text in which they were written', async () => {
    const inputText = '[1.0,1e400,100000000000000000000,1E+2,-0,10.50,9007199254740993]';
    expect(await policy.answer('p/echo', { inputText })).toBe(inputText);
    expect(await policy.answer('p/constant')).toBe('2.50');
    expect(await policy.answer('p/from_data')).toBe('1.50');
  });

  test('numbers that the policy computed have the text of Go', async () => {
    const sum = (a: string, b: string) => policy.answer('p/sum', { inputText: `{"a":${a},"b":${b}}` });
    const product = (a: string, b: string) => policy.answer('p/product', { inputText: `{"a":${a},"b":${b}}` });
    expect(await sum('100000000000000000000', '1')).toBe('100000000000000000001');
    expect(await sum('1234567.25', '0.5')).toBe('1.23456775e+06');
    expect(await sum('0.1', '0.2')).toBe('0.3');
    expect(await product('7.50', '2')).toBe('15');
    expect(await product('0.00001', '0.5')).toBe('5e-06');
    expect(await product('1e30', '1.0')).toBe('1000000000000000000000000000000');
  });

  test('sets are sorted arrays, keys become strings, strings are escaped as Go does', async () => {
    expect(await policy.answer('p/sets')).toBe('[null,1,3,"b",["x"]]');
    expect(await policy.answer('p/mixed')).toBe('{"1":"b","\\u003c":"\\u0026","[1]":[1,2]}');
    expect(await policy.answer('p/zone')).toBe('"é\\u0000😀"');
    expect(await policy.answer('p/bytes')).toBe('"\\ufffda"');
  });

  test('a path below an entrypoint indexes into its value', async () => {
    const at = (entrypoint: string, ...below: string[]) => policy.answer(entrypoint, { below });
    expect(await at('p/mixed', '1')).toBe('"b"');
    expect(await at('p/mixed', '2')).toBe('undefined');
    expect(await at('p/list', '1', 'k')).toBe('false');
    expect(await at('p/list', '2')).toBe('undefined');
    expect(await at('p/list', '-1')).toBe('undefined');
    expect(await at('p/list', 'length')).toBe('undefined');
    expect(await at('p/names', 'x')).toBe('"x"');
    expect(await at('p/names', '7')).toBe('7');
    expect(await at('p/names', 'z')).toBe('undefined');
    expect(await policy.answer('p/echo', { below: ['a', 'b'], input: { a: { b: null } } })).toBe('null');
    expect(await policy.answer('p/allow', { below: ['x'], input: { n: 1 } })).toBe('undefined');
    expect(await policy.answer('p/echo', { below: ['__proto__'], input: {} })).toBe('undefined');
  });

  test('a thousand evaluations leave nothing behind for the next', async () => {
    for (let n = 0; n < 1_000; n++) {
      const expected = n % 3 === 1 ? 'true' : 'false';
      expect(await policy.answer('p/allow', { input: { n: n % 3, padding: 'x'.repeat(n) } })).toBe(expected);
    }
    expect(await policy.answer('p/kind')).toBe('"absent"');
  });

  test('an entrypoint that the module lacks is a failed evaluation', async () => {
    expect(await policy.ask('p/none')).toMatchObject({ kind: 'failed', code: 'engine_error' });
  });

  test('the basis names the clock and the points used, the same for the same question', async () => {
    const [one, two] = [
      await policy.ask('p/allow', { input: { n: 1 } }),
      await policy.ask('p/allow', { input: { n: 1 } }),
    ];
    expect(one.basis).toEqual(two.basis);
    expect(one.basis).toMatchObject({ nowNs: 1_763_800_000_123_456_789n, volatile: false, tokens: [] });
    expect(one.basis.instructions).toBeGreaterThan(100);
    expect(one.basis.instructions).toBeLessThan(10_000);
  });

  test('warming changes no answer and fails for no policy', async () => {
    await policy.module.warm();
    expect(await policy.answer('p/allow', { input: { n: 1 } })).toBe('true');
  });
});

describe('a module compiled from a query', () => {
  test('answers its bindings', async () => {
    const sources = { modules: [{ path: 'p.rego', text: 'package p\nq contains x if some x in [1, 2]' }] };
    const { wasm, entrypoints } = await bench.toolchain.compileQuery(sources, 'data.p.q[x]');
    const module = await bench.engine().load({ name: 'query', wasm, data: dataOf('{}') });
    const request = { entrypoint: module.entrypoints[0]!, below: [], strictErrors: false };
    expect(entrypoints).toHaveLength(1);
    expect(await module.evaluate(request)).toMatchObject({ kind: 'defined', json: '[{"x":1},{"x":2}]' });
  });
});

describe('a query that finds rules by a variable', () => {
  test('is answered as OPA does, under its own names', async () => {
    const text = 'package p\nown["x"].v := 1\nown.a.v := false\nlib.f(n) := n\nlib.v := 2';
    const query = 'k := ["x", "a", "z"][_]; not data.p.own[k].v; y := [data.p.lib[k] | k := "v"]; data.p.lib.f(7, z)';
    const { wasm } = await bench.toolchain.compileQuery({ modules: [{ path: 'p.rego', text }] }, query);
    const module = await bench.engine().load({ name: 'query', wasm, data: dataOf('{}') });
    const request = { entrypoint: module.entrypoints[0]!, below: [], strictErrors: false };
    expect(await module.evaluate(request)).toMatchObject({
      kind: 'defined',
      json: '[{"k":"a","y":[2],"z":7},{"k":"z","y":[2],"z":7}]',
    });
  });
});

describe('a large document', () => {
  test('of data is parsed elsewhere and copied into each instance', async () => {
    const users = Array.from({ length: 20_000 }, (_, at) => `"u${at}":{"role":"r${at % 7}","quota":${at}.50}`);
    const policy = await bench.policy('role := data.users[input.id].role\nquota := data.users[input.id].quota', {
      data: `{"users":{${users.join(',')}}}`,
    });
    expect(await policy.answer('p/role', { input: { id: 'u19999' } })).toBe('"r0"');
    expect(await policy.answer('p/quota', { input: { id: 'u3' } })).toBe('3.50');
    expect(await policy.answer('p/role', { input: { id: 'u20000' } })).toBe('undefined');
  });

  test('of input grows the memory, and the next answers are right', async () => {
    const policy = await bench.policy('size := count(input.text)\nlast := input.list[count(input.list) - 1]');
    for (const length of [10, 900_000, 5, 700_000, 20]) {
      expect(await policy.answer('p/size', { input: { text: 'x'.repeat(length) } })).toBe(String(length));
    }
    const list = Array.from({ length: 100_000 }, (_, at) => at);
    for (let round = 0; round < 5; round++) expect(await policy.answer('p/last', { input: { list } })).toBe('99999');
  });
});

test('a member of the input is replaced whatever the input is, and what it refuses stays refused', async () => {
  const policy = await bench.policy(`allow if not blocked with input.mode as "check"
blocked if input.mode == "check"
whole := input
deep := x if x := whole with input.a.b as 1 with input.c as 2`);
  for (const inputText of ['1', '"x"', '""', '[]', '[1]', 'true', 'null', '{}', undefined]) {
    const question = inputText === undefined ? {} : { inputText };
    expect(await policy.answer('p/allow', question)).toBe('undefined');
    expect(await policy.answer('p/deep', question)).toBe('{"a":{"b":1},"c":2}');
  }
  const deep = await policy.answer('p/deep', { inputText: '{"a":{"z":true},"c":[1],"k":{}}' });
  expect(JSON.parse(deep)).toEqual({ a: { b: 1, z: true }, c: 2, k: {} });
  await policy.module.close();
});
