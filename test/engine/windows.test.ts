import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Evaluation } from '../../src/engine/index.ts';
import type { RegoSources } from '../../src/rego/index.ts';
import { regoFromJson } from '../../src/rego/index.ts';
import type { Policy, Workbench } from './workbench.ts';
import { openWorkbench, stillClock } from './workbench.ts';

// Answers that rest on now say until when they hold. OPA's interpreter judges them, with its clock at the same instants.
let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench();
});
afterAll(() => bench.close());

const second = 1_000_000_000n;
const hour = 3_600n * second;
const day = 86_400n * second;

interface Timed extends Policy {
  /** What it answers at a moment. */
  at(nowNs: bigint, inputText: string): Promise<Evaluation>;
}

const timed = async (rego: string): Promise<Timed> => {
  let nowNs = 0n;
  const clock = { ...stillClock, nowNs: () => nowNs };
  const policy = await bench.policy(rego, { engine: { clock }, entrypoints: ['p/r'] });
  const at = (ns: bigint, inputText: string): Promise<Evaluation> => {
    nowNs = ns;
    return policy.ask('p/r', { inputText });
  };
  return { ...policy, at };
};

const jsonOf = (evaluation: Evaluation): string => (evaluation.kind === 'defined' ? evaluation.json : evaluation.kind);

// ---- random policies ----------------------------------------------------------------------------------------------

const comparing = fc.constantFrom('<', '<=', '>', '>=', '!=');
const member = fc.nat(3).map((at) => `input.t[${at}]`);
const ordering = fc.constantFrom('<', '<=', '>', '>=', '==', '!=');
const when = fc.constantFrom('time.now_ns()', '[time.now_ns(), input.zone]', '[now, "America/New_York"]');

/** How many of a list compare so with something made of now, from either side. */
const counted = (n: number, list: string, made: string, other: string): fc.Arbitrary<string> =>
  fc.tuple(comparing, fc.nat(11), fc.boolean()).map(([op, most, left]) => {
    const compared = left ? `${made} ${op} ${other}` : `${other} ${op} ${made}`;
    return `count([x${n} | some x${n} in ${list}; ${compared}]) > ${most}`;
  });

/** Conditions of a rule's body; variables of one are its own by their number. */
const conditions: readonly ((n: number) => fc.Arbitrary<string>)[] = [
  () => fc.tuple(comparing, member).map(([op, t]) => `time.now_ns() ${op} ${t}`),
  () => fc.tuple(comparing, member).map(([op, t]) => `${t} ${op} now`),
  () => fc.tuple(comparing, fc.nat(3)).map(([op, at]) => `not now_s ${op} input.s[${at}]`),
  () => fc.tuple(comparing, fc.nat(3)).map(([op, at]) => `floor(time.now_ns() / 1e9) ${op} input.s[${at}]`),
  () => fc.tuple(comparing, member).map(([op, t]) => `now - ${t} ${op} 90 * 1000000000`),
  () => fc.tuple(comparing, member).map(([op, t]) => `(${t} - time.now_ns()) / 1000000 ${op} 3600000.5`),
  (n) => comparing.map((op) => `every x${n} in input.t { x${n} ${op} now }`),
  (n) => comparing.map((op) => `count([x${n} | some x${n} in input.t; x${n} ${op} time.now_ns()]) > 2`),
  (n) => counted(n, 'input.l', `now`, `x${n}`),
  (n) => counted(n, 'input.l', `time.now_ns() + input.t[3] - input.t[2]`, `x${n}`),
  (n) => counted(n, 'input.l', `input.t[0] - now`, `input.t[1] - x${n}`),
  (n) => counted(n, 'input.l', `now - x${n}`, `-0.5`),
  (n) => counted(n, 'input.l', `x${n} - now - 7`, `input.t[2] - input.t[0]`),
  (n) => counted(n, 'input.l', `now / 1e9`, `x${n} / 1000000000`),
  (n) => counted(n, 'input.l', `floor(now / 1000000000) - 2`, `round(x${n} / 1e9)`),
  (n) => counted(n, 'input.l', `now * -2 / 7`, `x${n} * -2 / 7`),
  (n) => counted(n, 'input.l', `60 - now_s`, `60 - floor(x${n} / 1000000000)`),
  (n) => counted(n, 'array.concat(input.l, [null, "a", false, [], {}, set(), input.zone])', `now`, `x${n}`),
  (n) => member.map((t) => `n${n} := time.now_ns() + 5; ${t} >= n${n}; n${n} * 2 > input.t[0]`),
  (n) =>
    fc.tuple(when, ordering, fc.nat(23)).map(([w, op, h]) => `[h${n}, _, _] := time.clock(${w}); h${n} ${op} ${h}`),
  (n) => fc.tuple(when, ordering, fc.nat(59)).map(([w, op, m]) => `c${n} := time.clock(${w}); c${n}[1] ${op} ${m}`),
  (n) => when.map((w) => `[h${n}, m${n}, _] := time.clock(${w}); sprintf("%02d:%02d", [h${n}, m${n}]) < input.until`),
  (n) => fc.tuple(when, fc.nat(59)).map(([w, s]) => `[_, _, s${n}] := time.clock(${w}); s${n} != ${s}`),
  () => when.map((w) => `time.weekday(${w}) in {"Saturday", "Sunday", "Monday"}`),
  (n) =>
    fc
      .tuple(when, fc.integer({ min: 1, max: 31 }))
      .map(([w, d]) => `[_, m${n}, d${n}] := time.date(${w}); d${n} + m${n} < ${d}`),
  () => fc.constant('input.flag'),
];

const bodies = fc
  .array(fc.nat(conditions.length - 1), { minLength: 1, maxLength: 3 })
  .chain((chosen) =>
    fc.tuple(...chosen.map((which, n) => (conditions[which] as (n: number) => fc.Arbitrary<string>)(n))),
  );

const program = fc
  .array(fc.tuple(bodies, bodies), { minLength: 1, maxLength: 4 })
  .map((rules) =>
    [
      'now := time.now_ns()',
      'now_s := now / 1000000000',
      ...rules.map(
        ([one, other], n) => `a${n} := "one" if { ${one.join('; ')} } else := "other" if { ${other.join('; ')} }`,
      ),
      `r contains [${rules.map((_rule, n) => `${n}`).join(', ')}] if true`,
      ...rules.map((_rule, n) => `r contains {"${n}": a${n}}`),
      ...rules.map((_rule, n) => `r contains "not ${n}" if not a${n}`),
    ].join('\n'),
  );

// ---- random moments and inputs ------------------------------------------------------------------------------------

const zones = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Asia/Kolkata',
  'No/Zone',
];

/** Moments at which clocks were put forward or back: Berlin, New York, Lord Howe, Apia's lost day. */
const changes = [
  1_711_846_800n,
  1_729_990_800n,
  1_710_054_000n,
  1_730_613_600n,
  1_712_415_600n,
  1_728_142_200n,
  1_325_239_200n,
];

const moment = fc
  .tuple(
    fc.oneof(fc.constantFrom(...changes), fc.bigInt({ min: 1_000_000_000n, max: 2_500_000_000n })),
    fc.oneof(fc.bigInt({ min: -90_000n, max: 90_000n }), fc.bigInt({ min: -5n, max: 5n })),
    fc.bigInt({ min: 0n, max: 999_999_999n }),
  )
  .map(([at, off, ns]) => (at + off) * second + ns);

const away = fc.oneof(
  fc.bigInt({ min: -2n, max: 2n }),
  fc.bigInt({ min: -100n * second, max: 100n * second }),
  fc.bigInt({ min: -3n * day, max: 3n * day }),
);

const question = moment.chain((now) =>
  fc
    .record({
      t: fc.tuple(away, away, away, away),
      s: fc.tuple(away, away, away, away),
      l: fc.array(away, { minLength: 8, maxLength: 12 }),
      zone: fc.constantFrom(...zones),
      until: fc.constantFrom('08:30', '17:00', '24:00'),
      flag: fc.boolean(),
      part: fc.bigInt({ min: 0n, max: 999_999n }),
      past: fc.nat(5),
    })
    .map(({ zone, until, flag, part, past, ...lists }) => {
      const sunk = (off: bigint): bigint => (past === 0 && off >= 0n ? -off - 1n : off);
      const [t, s, l] = [lists.t.map(sunk), lists.s.map(sunk), lists.l.map(sunk)];
      const input =
        `{"t":[${t.map((off) => now + off).join(',')}],` +
        `"s":[${s.map((off, at) => `${(now + off) / second}${at % 2 === 0 ? '' : '.25'}`).join(',')}],` +
        `"l":[${l.map((off) => now + off).join(',')}],` +
        `"zone":"${zone}","until":"${until}","flag":${flag}}`;
      return { now, part, input };
    }),
);

interface Instant {
  readonly now: bigint;
  readonly input: string;
  readonly answer: string;
}

/** What the interpreter answers at each instant, as JSON. */
const judged = async (rego: string, instants: readonly Instant[]): Promise<readonly string[]> => {
  const cases = instants.map(({ now, input }) => `{"now":${now},"input":${input}}`);
  const sources: RegoSources = {
    modules: [{ path: 'p.rego', text: `package p\n\n${rego}\n` }],
    data: Buffer.from(`{"cases":[${cases.join(',')}]}`),
  };
  const asked = 'a := [json.marshal(v) | v := data.p.r with input as i with time.now_ns as n]';
  const each = `some c in data.cases; i := c.input; n := c.now; ${asked}`;
  const { bindings } = await bench.toolchain.evaluate(sources, `result := [a | ${each}]`);
  return (bindings[0]!.result as string[][]).map(([answer]) => answer ?? 'undefined');
};

const endOfTime = 4_000_000_000n * second;

test('until an answer’s end it stays what it is, and what OPA answers then', async () => {
  const seen = { tight: 0, ends: 0, endless: 0 };
  const [...programs] = fc.sample(program, { numRuns: 18, seed: 20_260_301 });
  for (const [index, rego] of programs.entries()) {
    const policy = await timed(rego);
    const instants: Instant[] = [];
    for (const { now, input, part } of fc.sample(question, { numRuns: 9, seed: index })) {
      const first = await policy.at(now, input);
      expect(first.basis.volatile, rego).toBe(false);
      const answer = jsonOf(first);
      const end = first.basis.boundaryNs ?? endOfTime;
      expect(end > now).toBe(true);
      for (const ns of [end - 1n, now + ((end - 1n - now) * part) / 1_000_000n]) {
        expect(jsonOf(await policy.at(ns, input)), `${rego}\n${input} at ${now} and ${ns}`).toBe(answer);
        instants.push({ now: ns, input, answer });
      }
      instants.push({ now, input, answer });
      if (first.basis.boundaryNs === undefined) seen.endless++;
      else {
        seen.ends++;
        const changed = jsonOf(await policy.at(end, input));
        if (changed !== answer) seen.tight++;
        instants.push({ now: end, input, answer: changed });
      }
    }
    expect(
      instants.map(({ answer }) => answer),
      rego,
    ).toEqual(await judged(rego, instants));
    await policy.module.close();
  }
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
  const secret = 'secret';
  const token = (claims: object): string => {
    const data = [{ alg: 'HS256' }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    return `${data}.${createHmac('sha256', secret).update(data).digest('base64url')}`;
  };
  const rego = [
    'now := time.now_ns()',
    `valid if [true, _, _] = io.jwt.decode_verify(input.token, {"secret": "${secret}"})`,
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
    const input = { token: token(claims), zone: 'Europe/Berlin', from: Number(now + BigInt(from) * second) };
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
