import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { resultJson } from '../../src/engine/values/result-json.ts';
import { withFastTwins } from '../../src/engine/wasm/fast/fast-twins.ts';
import { sectionsOf } from '../../src/engine/wasm/sections.ts';
import { RegoNumber, type RegoValue } from '../../src/rego/index.ts';
import type { Judge } from './judge.ts';
import { openJudge } from './judge.ts';

let judge: Judge;
beforeAll(async () => {
  judge = await openJudge();
});
afterAll(() => judge.bench.close());

const powers = [31n, 32n, 53n, 63n].flatMap((power) => [2n ** power - 1n, 2n ** power, 2n ** power + 1n]);
const tens = [18n].flatMap((power) => [10n ** power - 1n, 10n ** power]);
const large = [...powers, ...tens].flatMap((value) => [String(value), String(-value)]);
const edges = [
  ...['0', '1', '-1', '2', '-2', '3', '7', '10', '-10', '255', '46341', '-46341', '65536', '1000000000', ...large],
  ...[
    '-0',
    '0.0',
    '-0.0',
    '0.5',
    '-0.5',
    '1.0',
    '1.5',
    '2.50',
    '1e3',
    '1E3',
    '3e-1',
    '1e18',
    '1e400',
    '0.1',
    '0.2',
    '19.99',
    '-0.05',
    '999999.9',
    '0.00001',
    '4503599627370496.5',
  ],
];
const numbers = edges.map((text) => new RegoNumber(text));

const faults = async (name: string, lists: readonly (readonly RegoValue[])[]): Promise<string[]> => {
  const module = await judge.loaded(name, lists[0]?.length ?? 0);
  const found: string[] = [];
  for (const list of lists) {
    const fault = await judge.difference(module, name, list);
    if (fault !== '') found.push(fault);
  }
  await module.close();
  return found;
};

describe('at the edges of the numbers that the module reckons with itself it answers as OPA does', () => {
  const others: readonly RegoValue[] = [null, true, '3', [], [new RegoNumber('1')]];
  const pairs = [...numbers, ...others].flatMap((x) => [...numbers, '3', null].map((y) => [x, y]));
  test.each(['plus', 'minus', 'mul', 'div', 'rem', 'bits.and', 'bits.or'])('%s', async (name) => {
    expect(await faults(name, pairs)).toEqual([]);
  });

  test('format_int', async () => {
    const bases = ['10', '2', '16', '10.0', '1e1'].map((text) => new RegoNumber(text));
    const lists = [...numbers, ...others].flatMap((x) => bases.map((base) => [x, base]));
    expect(await faults('format_int', lists)).toEqual([]);
  });

  test.each(['abs', 'ceil', 'floor', 'round', 'to_number'])('%s', async (name) => {
    const texts = [...edges, '', '-', '--1', ' 1', '1 ', '0x1', 'abc', '٣', '9'.repeat(30)];
    expect(
      await faults(
        name,
        [...numbers, ...others, ...texts].map((value) => [value]),
      ),
    ).toEqual([]);
  });

  test('sum', async () => {
    const lists = numbers.flatMap((x) => numbers.map((y) => [x, new RegoNumber('5'), y]));
    const odd = [[], [new RegoNumber('1'), '2'], [null], '12', null, new RegoNumber('7')];
    expect(
      await faults(
        'sum',
        [...lists, ...odd].map((list) => [list]),
      ),
    ).toEqual([]);
  });
});

describe('with decimals of all lengths the module answers as OPA does', () => {
  const digits = fc.oneof(
    fc.bigInt({ min: 1n, max: 9_999n }),
    fc.bigInt({ min: 10n ** 15n, max: 2n * 10n ** 19n }),
    fc.integer({ min: 0, max: 62 }).map((power) => 2n ** BigInt(power)),
    fc.bigInt({ min: 0n, max: 10n ** 9n }).map((off) => 1_790_000_000n * 10n ** 9n + off),
  );
  const short = fc.tuple(fc.boolean(), digits, fc.integer({ min: 0, max: 21 })).map(([negative, value, places]) => {
    const text = String(value).padStart(places + 1, '0');
    const fraction = text.slice(text.length - places);
    return `${negative ? '-' : ''}${text.slice(0, text.length - places)}${fraction === '' ? '' : `.${fraction}`}`;
  });
  const long = fc
    .tuple(fc.boolean(), digits, fc.integer({ min: -21, max: 21 }), fc.constantFrom('e', 'E', 'e+0', 'e+'))
    .map(([negative, value, power, e]) => {
      const [first, ...rest] = String(value);
      const written = power < 0 ? `e${power}` : `${e}${power}`;
      return `${negative ? '-' : ''}${first}${rest.length === 0 ? '' : `.${rest.join('')}`}${written}`;
    });
  // As policies reckon: prices, rates and seconds.
  const usual = fc.constantFrom('3', '7', '100', '1.19', '0.07', '19.99', '1000000000', '1e9', '6e10', '0.1', '365.25');
  const number = fc.oneof(short, usual, long).map((text) => new RegoNumber(text));
  test.each(['plus', 'minus', 'mul', 'div', 'rem'])('%s', async (name) => {
    expect(await faults(name, fc.sample(fc.tuple(number, number), { numRuns: 3_000, seed: 12 }))).toEqual([]);
  });
  test.each(['abs', 'ceil', 'floor', 'round'])('%s', async (name) => {
    expect(await faults(name, fc.sample(fc.tuple(number), { numRuns: 1_000, seed: 13 }))).toEqual([]);
  });
});

describe('with short strings the module answers as OPA does', () => {
  const text = fc.oneof(fc.stringMatching(/^[ab]{0,7}$/), fc.stringMatching(/^[abä]{0,4}$/u), fc.constant(null));
  const number = fc.oneof(
    fc.integer({ min: -2, max: 9 }).map(String),
    fc.constantFrom('1.0', '1e0', '4294967296', '-0', '9223372036854775807', '0.5'),
  );
  const index = number.map((written) => new RegoNumber(written));
  const lists: readonly (readonly [string, fc.Arbitrary<readonly RegoValue[]>])[] = [
    ['substring', fc.tuple(text, index, index)],
    ['indexof', fc.tuple(text, text)],
    ['concat', fc.tuple(text, fc.array(text, { maxLength: 4 }))],
  ];
  test.each(lists)('%s', async (name, operands) => {
    expect(await faults(name, fc.sample(operands, 600))).toEqual([]);
  });
});

test('what the module reckoned is an operand like any other', async () => {
  const { module } = await judge.bench.policy(`
    r := [z, z - 4, z / 0.5, format_int(z, 10), json.marshal(z), z < 0.5, z == 4294967296.0] if {
      z := (input[0] + input[1]) * input[2]
    }`);
  const number = fc.oneof(fc.integer({ min: -9, max: 9 }).map(String), fc.constantFrom(...edges.slice(0, -12)));
  const answers = fc.asyncProperty(number, number, number, async (x, y, by) => {
    const operand = (text: string): RegoValue => new RegoNumber(text);
    const z = judge.wanted('mul', [judge.wanted('plus', [operand(x), operand(y)]) as RegoValue, operand(by)]);
    const of = (name: string, ...more: readonly string[]): RegoValue =>
      judge.wanted(name, [z as RegoValue, ...more.map(operand)]) as RegoValue;
    const input = Buffer.from(`[${x},${y},${by}]`) as never;
    const evaluation = await module.evaluate({ entrypoint: 'p/r', below: [], strictErrors: false, input });
    const wanted = [z as RegoValue, of('minus', '4'), of('div', '0.5'), of('format_int', '10'), of('json.marshal')];
    const compared = [of('lt', '0.5'), of('equal', '4294967296.0')];
    expect(evaluation).toMatchObject({ kind: 'defined', json: resultJson([...wanted, ...compared]) });
  });
  await fc.assert(answers, { numRuns: 300 });
});

test('calls with integers, fractions and short strings do not reach the host, and take what a native takes of the budget', async () => {
  const { module } = await judge.bench.policy(`
    none := input.x
    small := ((((input.x + 1) * 6) - 2) / 2) % 100 + abs(input.x) + round(input.x) + to_number("17") + sum([input.x, 3])
    text := format_int(bits.or(input.x, 8), 10)
    fractions := round((input.x * 2.5) - (0.5 / 2)) + ceil(input.x / 4)
    long := round(((input.x * 1.19) / 7) * 100) / 100 + floor(1e9 / 3)
    cut := concat("/", split(substring("a@b.c", indexof("a@b.c", input.s) + 1, -1), "."))
    host := bits.xor(input.x, 1)`);
  const used = async (name: string): Promise<[string, number]> => {
    const input = Buffer.from('{"x":5,"s":"@"}') as never;
    const evaluation = await module.evaluate({ entrypoint: `p/${name}`, below: [], strictErrors: false, input });
    return [evaluation.kind === 'defined' ? evaluation.json : '', evaluation.basis.instructions];
  };
  const [, least] = await used('none');
  const more = async (name: string): Promise<[string, number]> => {
    const [json, points] = await used(name);
    return [json, points - least];
  };
  expect(await more('small')).toEqual(['52', expect.toSatisfy((points: number) => points < 1_000)]);
  expect(await more('text')).toEqual(['"13"', expect.toSatisfy((points: number) => points < 1_000)]);
  expect(await more('fractions')).toEqual(['14', expect.toSatisfy((points: number) => points < 3_000)]);
  expect(await more('long')).toEqual(['3.3333333385e+08', expect.toSatisfy((points: number) => points < 3_000)]);
  expect(await more('cut')).toEqual(['"b/c"', expect.toSatisfy((points: number) => points < 2_000)]);
  expect(await more('host')).toEqual(['4', expect.toSatisfy((points: number) => points >= 3_000)]);
});

test('of comparisons with now a thousand take what two calls of the host take, and a hundred operations each', async () => {
  const { module } = await judge.bench.policy(`
    none := count([1 | some x in input; x != 7])
    now := time.now_ns()
    open := count([1 | some x in input; x > now])
    past := count([1 | some x in input; now - x > 90 * 24 * 3600 * 1000000000])
    seconds := count([1 | some x in input; x / 1000000000 < now / 1e9])`);
  const used = async (name: string): Promise<number> => {
    const times = Array.from({ length: 1_000 }, (_, n) => 1_763_800_500_123_456_789n - BigInt(n) * 1_000_000_007n);
    const input = Buffer.from(`[${times}]`) as never;
    const evaluation = await module.evaluate({ entrypoint: `p/${name}`, below: [], strictErrors: false, input });
    expect(evaluation).toMatchObject({ kind: 'defined', basis: { volatile: false } });
    return evaluation.basis.instructions;
  };
  const least = await used('none');
  for (const name of ['open', 'past', 'seconds']) expect((await used(name)) - least).toBeLessThan(1_600_000);
});

test('a policy that reckons for too long ends with its budget', async () => {
  const policy = await judge.bench.policy(
    'r := count([1 | some x in numbers.range(1, 1000); some y in numbers.range(1, 1000); x * y + x - y == -1])',
    { budget: { instructions: 3_000_000 } },
  );
  expect(await policy.answer('p/r')).toBe('budget_exceeded');
});

test('zeros before a number’s digits are not the number', async () => {
  const policy = await judge.bench.policy('r := [to_number(x) | some x in input]');
  expect(await policy.answer('p/r', { input: ['01', '-007', '00', '00.5'] })).toBe('[1,-7,0,0.5]');
});

test('a division by zero is the same error as before', async () => {
  const policy = await judge.bench.policy('q := input.x / input.y\nm := input.x % input.y');
  const asked = { input: { x: 4, y: 0 }, strictErrors: true };
  expect(await policy.ask('p/q', asked)).toMatchObject({ kind: 'failed', message: 'div: divide by zero' });
  expect(await policy.ask('p/m', asked)).toMatchObject({ kind: 'failed', message: 'rem: modulo by zero' });
  expect(await policy.answer('p/q', { input: { x: 4, y: 0 } })).toBe('undefined');
});

test('a module without twins stays as it is', async () => {
  const wasm = await judge.bench.compile('r := count(input)');
  expect(withFastTwins(wasm, sectionsOf(wasm))).toBe(wasm);
});
