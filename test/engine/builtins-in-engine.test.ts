import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { typescriptBuiltins } from '../../src/engine/builtins/index.ts';
import type { BuiltinEntry } from '../../src/engine/builtins/model.ts';
import { BuiltinError } from '../../src/engine/builtins/model.ts';
import type { RegoValue } from '../../src/rego/index.ts';
import { RegoBytes, RegoSet, regoInteger } from '../../src/rego/index.ts';
import type { PolicyOptions, Workbench } from './workbench.ts';
import { openWorkbench } from './workbench.ts';

let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench();
});
afterAll(() => bench.close());

/** An engine whose builtins on the deciding thread are the given ones, under names of OPA's. */
const withBuiltins = (entries: { readonly [name: string]: BuiltinEntry | BuiltinEntry['run'] }): PolicyOptions => ({
  engine: {
    builtins: new Map([
      ...typescriptBuiltins,
      ...Object.entries(entries).map(
        ([name, entry]) => [name, typeof entry === 'function' ? { run: entry } : entry] as const,
      ),
    ]),
  },
});

describe('builtins on the deciding thread', () => {
  test('get strings and numbers of all kinds as they are, and give them back as the module has them', async () => {
    const same: BuiltinEntry['run'] = (_scope, value) => value as RegoValue;
    const policy = await bench.policy(
      'r := [[y == x, y, concat("", [format_int(1, 10), json.marshal(y)])] | some x in input; y := crypto.sha256(x)]',
      withBuiltins({ 'crypto.sha256': same }),
    );
    const texts = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 12 }),
      fc.string({ unit: 'grapheme-ascii', maxLength: 20 }),
      fc.constantFrom('', '"', '\\', '\0', 'ä', '{}', 'x'.repeat(1_024), 'x'.repeat(1_025), `${'x'.repeat(1_024)}é`),
    );
    const numbers = fc.oneof(
      fc.integer(),
      fc.integer({ min: -(2 ** 53), max: 2 ** 53 }),
      fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e20, max: 1e20 }).map((x) => (x === 0 ? 0 : x)),
      fc.constantFrom(0, 1, -1, 999_999_999, -999_999_999, 2 ** 31, -(2 ** 31), 1.5, true, false, null),
    );
    for (const input of fc.sample(fc.array(fc.oneof(texts, numbers), { maxLength: 8 }), { numRuns: 150, seed: 3 })) {
      const wellFormed = input.map((value) => (typeof value === 'string' ? value.toWellFormed() : value));
      const answers = JSON.parse(await policy.answer('p/r', { input: wellFormed })) as [boolean, unknown, string][];
      expect(answers.map(([, value]) => value)).toEqual(wellFormed);
      expect(answers.every(([isSame]) => isSame)).toBe(true);
      expect(answers.map(([, , text]) => JSON.parse(text.slice(1)) as unknown)).toEqual(wellFormed);
    }
  });

  test('get their operands without loss, and give results back', async () => {
    const seen: (readonly RegoValue[])[] = [];
    const policy = await bench.policy(
      'r := object.subset(input.a, {1, "x", {"k": 1.50}})\ns := units.parse("1")',
      withBuiltins({
        'object.subset': (_scope, ...operands) => {
          seen.push(operands);
          return [regoInteger(1), operands[1]!];
        },
        'units.parse': () => regoInteger(12n ** 30n),
      }),
    );
    expect(await policy.answer('p/r', { inputText: '{"a":{"n":1e400}}' })).toBe('[1,[1,"x",{"k":1.50}]]');
    expect(seen[0]?.[1]).toBeInstanceOf(RegoSet);
    expect(await policy.answer('p/s')).toBe(String(12n ** 30n));
  });

  test('numbers that the policy computed reach them as Go would have written them', async () => {
    const policy = await bench.policy(
      'r := sprintf("%v", [input.a * 2])',
      withBuiltins({ sprintf: (_scope, _format, operands) => JSON.stringify(operands) }),
    );
    expect(await policy.answer('p/r', { inputText: '{"a":7.50}' })).toBe('"[{\\"text\\":\\"15\\"}]"');
  });

  test('strings of any bytes come in, and leave well-formed', async () => {
    const seen: RegoValue[] = [];
    const policy = await bench.policy(
      'r := hex.encode(base64.decode("/w=="))',
      withBuiltins({
        'hex.encode': (_scope, operand) => {
          seen.push(operand!);
          return new RegoBytes(Uint8Array.of(0x61, 0xff));
        },
      }),
    );
    expect(await policy.answer('p/r')).toBe(String.raw`"a\ufffd"`);
    expect(seen[0]).toBeInstanceOf(RegoBytes);
  });

  test('a lone surrogate in a result is made well-formed', async () => {
    const policy = await bench.policy('r := hex.encode("a")', withBuiltins({ 'hex.encode': () => 'x\ud800y' }));
    expect(await policy.answer('p/r')).toBe('"x\ufffdy"');
  });

  test('an error makes the expression undefined, or fails the evaluation under strict errors', async () => {
    const policy = await bench.policy(
      'r := hex.encode("a")\nnot_r if not r\nu := hex.decode("b")',
      withBuiltins({
        'hex.encode': () => {
          throw new BuiltinError('operand 1 is odd');
        },
        'hex.decode': () => undefined,
      }),
    );
    expect(await policy.answer('p/r')).toBe('undefined');
    expect(await policy.answer('p/not_r')).toBe('true');
    expect(await policy.ask('p/r', { strictErrors: true })).toMatchObject({
      kind: 'failed',
      code: 'builtin_error',
      message: 'hex.encode: operand 1 is odd',
    });
    expect(await policy.answer('p/u', { strictErrors: true })).toBe('undefined');
    expect(await policy.answer('p/not_r')).toBe('true');
  });

  test("an error has its builtin's name once, wherever the builtin runs", async () => {
    const policy = await bench.policy('near := object.subset(input.a, input.a)\nfar := yaml.unmarshal(input.a)');
    const message = async (entrypoint: string) => await policy.ask(entrypoint, { input: { a: 1 }, strictErrors: true });
    expect(await message('p/near')).toMatchObject({
      message: 'object.subset: both arguments object.subset must be of the same type or array and set',
    });
    expect(await message('p/far')).toMatchObject({
      message: 'yaml.unmarshal: operand 1 must be string but got number',
    });
  });

  test('a defect in one fails the evaluation and nothing else', async () => {
    const policy = await bench.policy(
      'r := hex.encode("a")\nfine := 1',
      withBuiltins({
        'hex.encode': () => {
          throw new TypeError('oops');
        },
      }),
    );
    expect(await policy.answer('p/r')).toBe('engine_error');
    expect(await policy.answer('p/fine')).toBe('1');
  });

  test('arguments and results are bounded', async () => {
    const policy = await bench.policy('small := hex.encode(input)\nlarge := hex.decode(input)', {
      ...withBuiltins({ 'hex.encode': () => 'ok', 'hex.decode': () => 'x'.repeat(2_000) }),
      budget: { argumentBytes: 1_000, resultBytes: 1_000 },
    });
    expect(await policy.answer('p/small', { input: 'x'.repeat(900) })).toBe('"ok"');
    expect(await policy.answer('p/small', { input: 'x'.repeat(1_100) })).toBe('too_large');
    expect(await policy.answer('p/large', { input: '' })).toBe('too_large');
    expect(await policy.answer('p/small', { input: '' })).toBe('"ok"');
  });

  test('what they report of clock, tokens (each once) and results is the basis of the answer', async () => {
    const token = { issuer: 'i', claimsDigest: 'd', expires: 2_000_000_000 };
    const policy = await bench.policy(
      'r := [hex.encode("a"), hex.encode("a"), rand.intn("k", 10)]\nnone := 1',
      withBuiltins({
        'hex.encode': (scope) => {
          scope.addBoundary(scope.nowNs + 9n);
          scope.addBoundary(scope.nowNs + 5n);
          scope.addBoundary(scope.nowNs);
          scope.addToken(token);
          return 'x';
        },
        'rand.intn': { run: () => regoInteger(7), nonDeterministic: true },
      }),
    );
    const { basis } = await policy.ask('p/r');
    expect(basis).toMatchObject({ volatile: false, boundaryNs: basis.nowNs + 5n, tokens: [token] });
    expect(basis.nonDeterministic).toEqual([{ builtin: 'rand.intn', operands: '["k",10]', result: '7' }]);
    expect((await policy.ask('p/none')).basis).not.toHaveProperty('boundaryNs');
  });

  test('the clock is that of the evaluation, and makes the answer volatile', async () => {
    const policy = await bench.policy('now := time.now_ns()\nfixed := 1');
    const now = await policy.ask('p/now');
    expect(now).toMatchObject({ kind: 'defined', json: '1763800000123456789', basis: { volatile: true } });
    expect(now.basis.nonDeterministic).toEqual([
      { builtin: 'time.now_ns', operands: '[]', result: '1763800000123456789' },
    ]);
    expect((await policy.ask('p/fixed')).basis.volatile).toBe(false);
  });
});
