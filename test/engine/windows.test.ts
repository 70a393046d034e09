import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Evaluation } from '../../src/engine/index.ts';
import type { RegoSources } from '../../src/rego/index.ts';
import { regoFromJson } from '../../src/rego/index.ts';
import type { Timed } from './timed-policies.ts';
import {
  checkEnds,
  constraints,
  hour,
  jsonOf,
  second,
  secret,
  timed as timedOn,
  timedProgram,
  timedQuestion,
  tokenOf,
} from './timed-policies.ts';
import type { Workbench } from './workbench.ts';
import { openWorkbench } from './workbench.ts';

// Answers that rest on now say until when they hold. OPA's interpreter judges them, with its clock at the same instants.
let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench();
});
afterAll(() => bench.close());

const timed = (rego: string): Promise<Timed> => timedOn(bench, rego);

test('until an answer’s end it stays what it is, and what OPA answers then', async () => {
  const seen = { tight: 0, ends: 0, endless: 0 };
  const programs = fc.sample(timedProgram, { numRuns: 24, seed: 20_260_301 });
  for (const [index, rego] of programs.entries()) {
    const questions = fc.sample(timedQuestion, { numRuns: 9, seed: index });
    await expect(checkEnds(bench, rego, questions, seen), rego).resolves.toBeUndefined();
  }
  expect(programs.filter((rego) => rego.includes('decode_verify')).length).toBeGreaterThan(5);
  // Both happen, so the property says something.
  expect(seen.tight).toBeGreaterThan(20);
  expect(seen.ends).toBeGreaterThan(seen.tight);
  expect(seen.endless).toBeGreaterThan(3);
}, 300_000);

const made = [
  ['time.now_ns()', 'x'],
  ['now + 7', 'x'],
  ['input.a - now', 'input.b - x'],
  ['now - x', 'input.b - input.a'],
  ['x - now - 7', '0.5'],
  ['now / 1e9', 'x / 1000000000'],
  ['floor(now / 1000000000)', 'x / 1e9'],
  ['floor(now / 1000000000) * -2', 'x / -500000000'],
  ['0.25 - now_s', '0.25 - (x / 1000000000)'],
] as const;

test.each(made)(
  'of many comparisons of %s with %s the answer ends with the first that changes',
  async (left, right) => {
    const ops = ['<', '<=', '>', '>=', '!='];
    const conditions = ops.flatMap((op) => [`${left} ${op} ${right}`, `${right} ${op} ${left}`]);
    const rego = [
      'now := time.now_ns()',
      'now_s := now / 1000000000',
      ...conditions.map(
        (condition, n) => `r[x] contains ${n} if { input.which[${n}]; some x in input.l; ${condition} }`,
      ),
    ];
    const policy = await timed(rego.join('\n'));
    const near = fc.oneof(
      fc.bigInt({ min: -3n, max: 3n }),
      fc.bigInt({ min: -9n, max: 9n }).map((seconds) => seconds * second),
      fc.bigInt({ min: -hour, max: hour }),
    );
    const asked = fc.record({
      now: fc.bigInt({ min: 1_700_000_000n * second, max: 1_900_000_000n * second }),
      l: fc.array(near, { minLength: 1, maxLength: 8 }),
      which: fc.array(fc.boolean(), { minLength: conditions.length, maxLength: conditions.length }),
      b: near,
    });
    for (const { now, l, which, b } of fc.sample(asked, { numRuns: 40, seed: 5 })) {
      const input = (offs: readonly bigint[], chosen: readonly boolean[]): string =>
        `{"l":[${offs.map((off) => now + off)}],"which":${JSON.stringify(chosen)},"a":${now + 5n},"b":${now + 5n + b}}`;
      const all = await policy.at(now, input(l, which));
      const ends: bigint[] = [];
      for (const [n, chosen] of which.entries()) {
        for (const off of chosen ? l : []) {
          const one = await policy.at(
            now,
            input(
              [off],
              which.map((_, at) => at === n),
            ),
          );
          if (one.basis.boundaryNs !== undefined) ends.push(one.basis.boundaryNs);
        }
      }
      const first = ends.reduce(
        (least: bigint | undefined, end) => (least !== undefined && least < end ? least : end),
        undefined,
      );
      expect(all.basis, input(l, which)).toMatchObject({ volatile: false });
      expect(all.basis.boundaryNs, input(l, which)).toBe(first);
    }
  },
);

test('what rests on tokens and windows ends with the first of them, as OPA with its clock there', async () => {
  const rego = [
    'now := time.now_ns()',
    `valid if [true, _, _] = io.jwt.decode_verify(input.token, ${constraints})`,
    'open if { input.from <= now; [h, _, _] := time.clock([now, input.zone]); h < 18 }',
    'r contains "valid" if valid',
    'r contains "open" if open',
  ].join('\n');
  const policy = await timed(rego);
  const sources: RegoSources = { modules: [{ path: 'p.rego', text: `package p\n\n${rego}\n` }] };
  const opas = async (nowNs: bigint, input: object): Promise<string> => {
    const context = { nowNs, seed: new Uint8Array(32) };
    const options = { context, input: regoFromJson(JSON.stringify(input)) };
    const { bindings } = await bench.toolchain.evaluate(sources, 'result := json.marshal(data.p.r)', options);
    return bindings[0]!.result as string;
  };
  // An hour and a half before 18 o'clock in Berlin.
  const start = 1_772_641_800;
  const now = BigInt(start) * second;
  const ends = [
    [{ exp: start + 60 }, 0, 60n],
    [{ exp: start + 9_000 }, 0, 1_800n],
    [{ nbf: start + 30, exp: start + 60 }, 0, 30n],
    [{ exp: start - 1 }, 45, 45n],
    [{}, -1, 1_800n],
  ] as const;
  for (const [claims, from, wanted] of ends) {
    const input = { token: tokenOf(claims, secret), zone: 'Europe/Berlin', from: Number(now + BigInt(from) * second) };
    const inputText = JSON.stringify(input);
    const first = await policy.at(now, inputText);
    const end = first.basis.boundaryNs!;
    // A token's seconds are compared as doubles, which the clock's nanoseconds are not.
    expect(Number(end - now - wanted * second), inputText).toBeCloseTo(0, -4);
    for (const ns of [now, end - 1n]) {
      expect(jsonOf(await policy.at(ns, inputText))).toBe(jsonOf(first));
      expect(await opas(ns, input)).toBe(jsonOf(first));
    }
    const after = now + wanted * second;
    expect(await opas(after, input)).toBe(jsonOf(await policy.at(after, inputText)));
  }
});

test('a clock that the policy replaces is answered by what replaces it, and not remembered', async () => {
  const policy = await timed(
    [
      'open if { time.now_ns() < input.until; [h, _, _] := time.clock(time.now_ns()); h < 12 }',
      'later if open with time.now_ns as input.later',
      'r := [o, l] if { o := [1 | open]; l := [1 | later] }',
    ].join('\n'),
  );
  const ask = (later: bigint): Promise<Evaluation> => policy.at(hour, `{"until":${5n * hour},"later":${later}}`);
  expect(await ask(4n * hour)).toMatchObject({ json: '[[1],[1]]', basis: { volatile: true } });
  expect(await ask(5n * hour)).toMatchObject({ json: '[[1],[]]' });
});

test('records have the clock by its own name, once', async () => {
  const policy = await timed('r if { time.now_ns() < input.until; time.now_ns() != 5 }');
  const { basis } = await policy.at(77n, '{"until":100}');
  expect(basis).toMatchObject({ volatile: false, boundaryNs: 100n });
  expect(basis.nonDeterministic).toEqual([{ builtin: 'time.now_ns', operands: '[]', result: '77' }]);
});

test('where a rule stops before a window, the window does not end its answer', async () => {
  const policy = await timed('r if { input.open; time.now_ns() < input.until }');
  const closed = await policy.at(77n, '{"open":false,"until":100}');
  expect(closed.basis.boundaryNs).toBeUndefined();
  expect((await policy.at(77n, '{"open":true,"until":100}')).basis.boundaryNs).toBe(100n);
  expect((await policy.at(100n, '{"open":true,"until":100}')).basis.boundaryNs).toBeUndefined();
});

test('a comparison of so large numbers that floats round them is not remembered', async () => {
  const policy = await timed('r if time.now_ns() * 1000000 / 7 < input.until');
  expect((await policy.at(1_700_000_000n * second, '{"until":100}')).basis.volatile).toBe(true);
});
