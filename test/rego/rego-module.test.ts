import { beforeAll, expect, test } from 'vitest';
import {
  compileRegoModule,
  goBuiltins,
  instantiateRego,
  nonDeterministicBuiltins,
  opaVersion,
  type RegoModule,
  type RegoValue,
  regoInteger,
  regoObject,
  regoSet,
  ToolchainError,
} from '../../src/rego/index.ts';
import { instantiate } from '../../src/rego/instance.ts';
import { decodeReply, encodeRequest } from '../../src/rego/request.ts';

const context = { nowNs: 1_700_000_000_000_000_001n, seed: new Uint8Array(32).fill(3) };

let module: WebAssembly.Module;
let rego: RegoModule;
beforeAll(async () => {
  module = await compileRegoModule();
  rego = instantiateRego(module);
});

const within = <T>(run: () => T, evaluation = context): T => {
  rego.begin(evaluation);
  try {
    return run();
  } finally {
    rego.end();
  }
};

const answerOf = (name: string, ...operands: RegoValue[]): RegoValue => {
  const result = rego.call(name, operands);
  if (result.kind !== 'value') throw new Error(`${name} answered ${JSON.stringify(result)}`);
  return result.value;
};

test('the tables of names are those of the module', () => {
  const instance = instantiate(module, { memoryBytes: 256 << 20 });
  const { result } = instance.ask('operate', encodeRequest({ op: 'version', sources: { modules: [] } }), decodeReply);
  const { opa, builtins } = result as { opa: string; builtins: { name: string; nondeterministic: boolean }[] };
  expect(opa).toBe(opaVersion);
  expect(builtins.map(({ name }) => name).sort()).toEqual([...goBuiltins].sort());
  expect(builtins.filter(({ nondeterministic }) => nondeterministic).map(({ name }) => name)).toEqual([
    ...nonDeterministicBuiltins,
  ]);
  expect(goBuiltins.size).toBe(206);
});

test('a builtin answers what OPA answers', () => {
  within(() => {
    expect(answerOf('sprintf', '%s %d %v', ['a', regoInteger(12), regoSet(['x'])])).toBe('a 12 {"x"}');
    expect(answerOf('units.parse_bytes', '10KiB')).toEqual(regoInteger(10_240));
    expect(answerOf('semver.compare', '1.2.3', '1.10.0')).toEqual(regoInteger(-1));
    expect(answerOf('yaml.unmarshal', 'a: [1, b]')).toEqual(regoObject([['a', [regoInteger(1), 'b']]]));
    expect(answerOf('time.format', [regoInteger(0), 'Europe/Zurich', 'RFC1123'])).toBe('Thu, 01 Jan 1970 01:00:00 CET');
  });
});

test('errors, undefined and unknown names are told apart', () => {
  within(() => {
    expect(rego.call('to_number', ['x'])).toMatchObject({ kind: 'error', halt: false });
    expect(rego.call('upper', [null])).toEqual({
      kind: 'error',
      halt: false,
      message: 'upper: operand 1 must be string but got null',
    });
    expect(rego.call('no.such', [])).toEqual({ kind: 'error', halt: true, message: 'unknown builtin no.such' });
    expect(rego.call('upper', [])).toEqual({ kind: 'error', halt: true, message: 'upper takes 1 operands, not 0' });
    expect(rego.call('array.slice', [[], regoInteger(0), regoInteger(1)])).toEqual({ kind: 'value', value: [] });
    expect(rego.call('indexof', ['a', 'b'])).toEqual({ kind: 'value', value: regoInteger(-1) });
  });
});

test('the one relation answers all its results', () => {
  within(() => {
    expect(answerOf('walk', ['a'])).toEqual([
      [[], ['a']],
      [[regoInteger(0)], 'a'],
    ]);
  });
});

test('uuid and rand repeat within one evaluation, and with its seed, and not with another', () => {
  const ask = () => [
    answerOf('uuid.rfc4122', 'a'),
    answerOf('uuid.rfc4122', 'b'),
    answerOf('rand.intn', 'k', regoInteger(1_000_000)),
    answerOf('uuid.rfc4122', 'a'),
  ];
  const first = within(ask);
  expect(first[3]).toBe(first[0]);
  expect(first[1]).not.toBe(first[0]);
  expect(within(ask)).toEqual(first);
  expect(within(ask, { ...context, seed: new Uint8Array(32).fill(4) })[0]).not.toBe(first[0]);
});

test('many random values can be drawn in one evaluation', () => {
  const drawn = within(() => Array.from({ length: 200 }, (_, at) => answerOf('uuid.rfc4122', String(at))));
  expect(new Set(drawn).size).toBe(200);
});

test('the clock is the one given', () => {
  within(() => {
    expect(answerOf('time.now_ns')).toEqual(regoInteger(context.nowNs));
  });
});

test('a call outside an evaluation ends the evaluation that it is not in', () => {
  expect(rego.call('upper', ['a'])).toEqual({ kind: 'error', halt: true, message: 'no evaluation has begun' });
});

test('the network is refused by name', () => {
  within(() => {
    const request = regoObject([
      ['method', 'get'],
      ['url', 'http://127.0.0.1/'],
    ]);
    expect(rego.call('http.send', [request])).toMatchObject({
      kind: 'error',
      message: /^http\.send: there is no network/,
    });
    expect(rego.call('net.lookup_ip_addr', ['localhost'])).toMatchObject({ kind: 'error', message: /no network/ });
    const schema = regoObject([['$ref', 'http://127.0.0.1/schema.json']]);
    expect(rego.call('json.match_schema', [regoObject([]), schema]).kind).toBe('error');
  });
});

test('calls leave nothing behind: memory stands still over many of them', () => {
  const text = 'x'.repeat(5_000);
  const some = () =>
    within(() => Array.from({ length: 40 }, () => answerOf('strings.replace_n', regoObject([['x', 'yy']]), text)));
  for (let round = 0; round < 10; round++) some();
  const before = rego.memoryBytes;
  for (let round = 0; round < 10; round++) some();
  expect(rego.memoryBytes - before).toBeLessThan(4 << 20);
});

test('a builtin that takes all the memory is a ToolchainError, and the instance is dead then', async () => {
  const small = instantiateRego(await compileRegoModule(48 << 20), 48 << 20);
  small.begin(context);
  const expand = () => small.call('net.cidr_expand', ['10.0.0.0/8']);
  expect(expand).toThrow(ToolchainError);
  expect(() => small.call('upper', ['a'])).toThrow(expect.objectContaining({ code: 'TOOLCHAIN_MEMORY' }));
});
