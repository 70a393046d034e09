// Random policies whose answers rest on now: comparisons, clocks, dates and tokens. Each answer says until when it holds;
// OPA's interpreter, with its clock at the same instants, judges both.
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import type { Evaluation } from '../../src/engine/index.ts';
import type { RegoSources } from '../../src/rego/index.ts';
import type { Policy, Workbench } from './workbench.ts';
import { stillClock } from './workbench.ts';

export const second = 1_000_000_000n;
export const hour = 3_600n * second;
const day = 86_400n * second;

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

export const secret = 'secret';

/** A signed token; `seal` is what it is signed with. */
export const tokenOf = (claims: object, seal: string): string => {
  const data = [{ alg: 'HS256' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${data}.${createHmac('sha256', seal).update(data).digest('base64url')}`;
};

export const constraints = `{"secret": "${secret}"}`;
const verified = fc.nat(2).map((at) => `io.jwt.decode_verify(input.k[${at}], ${constraints})`);

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
  () => verified.map((call) => `${call}[0]`),
  () => verified.map((call) => `not ${call}[0]`),
  (n) => verified.map((call) => `[true, _, p${n}] = ${call}; p${n}.exp > now_s + 20`),
  (n) =>
    fc
      .nat(2)
      .map(
        (most) => `count([x${n} | some x${n} in input.k; io.jwt.decode_verify(x${n}, ${constraints})[0]]) > ${most}`,
      ),
  (n) =>
    fc
      .tuple(comparing, fc.nat(2))
      .map(([op, at]) => `[_, p${n}, _] := io.jwt.decode(input.k[${at}]); p${n}.exp ${op} now_s`),
];

const bodies = fc
  .array(fc.nat(conditions.length - 1), { minLength: 1, maxLength: 3 })
  .chain((chosen) =>
    fc.tuple(...chosen.map((which, n) => (conditions[which] as (n: number) => fc.Arbitrary<string>)(n))),
  );

export const timedProgram: fc.Arbitrary<string> = fc
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

export interface TimedQuestion {
  readonly now: bigint;
  /** Where between now and the end of the answer it is asked again, in millionths. */
  readonly part: bigint;
  /** JSON. */
  readonly input: string;
}

/** Seconds of a claim, some with a fraction. */
const seconds = (now: bigint): fc.Arbitrary<number> =>
  fc.tuple(away, fc.constantFrom(0, 0, 0.5, 0.123)).map(([off, part]) => Number((now + off) / second) + part);

const token = (now: bigint): fc.Arbitrary<string> =>
  fc
    .record({ exp: seconds(now), nbf: seconds(now) }, { requiredKeys: [] })
    .chain((claims) => fc.constantFrom(secret, secret, secret, 'other').map((seal) => tokenOf(claims, seal)));

export const timedQuestion: fc.Arbitrary<TimedQuestion> = moment.chain((now) =>
  fc
    .record({
      k: fc.tuple(token(now), token(now), token(now)),
      t: fc.tuple(away, away, away, away),
      s: fc.tuple(away, away, away, away),
      l: fc.array(away, { minLength: 8, maxLength: 12 }),
      zone: fc.constantFrom(...zones),
      until: fc.constantFrom('08:30', '17:00', '24:00'),
      flag: fc.boolean(),
      part: fc.bigInt({ min: 0n, max: 999_999n }),
      past: fc.nat(5),
    })
    .map(({ k, zone, until, flag, part, past, ...lists }) => {
      const sunk = (off: bigint): bigint => (past === 0 && off >= 0n ? -off - 1n : off);
      const [t, s, l] = [lists.t.map(sunk), lists.s.map(sunk), lists.l.map(sunk)];
      const input =
        `{"t":[${t.map((off) => now + off).join(',')}],` +
        `"s":[${s.map((off, at) => `${(now + off) / second}${at % 2 === 0 ? '' : '.25'}`).join(',')}],` +
        `"l":[${l.map((off) => now + off).join(',')}],` +
        `"k":${JSON.stringify(k)},` +
        `"zone":"${zone}","until":"${until}","flag":${flag}}`;
      return { now, part, input };
    }),
);

export interface Timed extends Policy {
  /** What it answers at a moment. */
  at(nowNs: bigint, inputText: string): Promise<Evaluation>;
}

export const timed = async (bench: Workbench, rego: string): Promise<Timed> => {
  let nowNs = 0n;
  const clock = { ...stillClock, nowNs: () => nowNs };
  const policy = await bench.policy(rego, { engine: { clock }, entrypoints: ['p/r'] });
  const at = (ns: bigint, inputText: string): Promise<Evaluation> => {
    nowNs = ns;
    return policy.ask('p/r', { inputText });
  };
  return { ...policy, at };
};

export const jsonOf = (evaluation: Evaluation): string =>
  evaluation.kind === 'defined' ? evaluation.json : evaluation.kind;

interface Instant {
  readonly now: bigint;
  readonly input: string;
  readonly answer: string;
}

/** What the interpreter answers at each instant, as JSON. */
const judged = async (
  { toolchain }: Workbench,
  rego: string,
  instants: readonly Instant[],
): Promise<readonly string[]> => {
  const cases = instants.map(({ now, input }) => `{"now":${now},"input":${input}}`);
  // A clock that `with` replaces is none of a token's, unless it is given to it.
  const clocked = rego.replaceAll(constraints, `{"secret": "${secret}", "time": time.now_ns()}`);
  const sources: RegoSources = {
    modules: [{ path: 'p.rego', text: `package p\n\n${clocked}\n` }],
    data: Buffer.from(`{"cases":[${cases.join(',')}]}`),
  };
  const asked = 'a := [json.marshal(v) | v := data.p.r with input as i with time.now_ns as n]';
  const each = `some c in data.cases; i := c.input; n := c.now; ${asked}`;
  const { bindings } = await toolchain.evaluate(sources, `result := [a | ${each}]`);
  return (bindings[0]!.result as string[][]).map(([answer]) => answer ?? 'undefined');
};

const endOfTime = 4_000_000_000n * second;

/** How often answers ended, did so because they change there, and did not end. */
export interface Ends {
  tight: number;
  ends: number;
  endless: number;
}

/**
 * Asks a policy at moments, right before each answer's end, between, and at the end. Throws where an answer did not
 * last, or is not OPA's.
 */
export const checkEnds = async (
  bench: Workbench,
  rego: string,
  questions: readonly TimedQuestion[],
  seen: Ends,
): Promise<void> => {
  const policy = await timed(bench, rego);
  try {
    const instants: Instant[] = [];
    for (const { now, input, part } of questions) {
      const first = await policy.at(now, input);
      const answer = jsonOf(first);
      const { boundaryNs, volatile } = first.basis;
      const end = boundaryNs ?? endOfTime;
      if (volatile || end <= now) throw new Error(`not remembered at ${now}: ${input}`);
      for (const ns of [end - 1n, now + ((end - 1n - now) * part) / 1_000_000n]) {
        const later = jsonOf(await policy.at(ns, input));
        if (later !== answer) throw new Error(`${answer} at ${now} and ${later} at ${ns}, before ${end}: ${input}`);
        instants.push({ now: ns, input, answer });
      }
      instants.push({ now, input, answer });
      if (boundaryNs === undefined) seen.endless++;
      else {
        seen.ends++;
        const changed = jsonOf(await policy.at(end, input));
        if (changed !== answer) seen.tight++;
        instants.push({ now: end, input, answer: changed });
      }
    }
    const wanted = await judged(bench, rego, instants);
    for (const [at, { now, input, answer }] of instants.entries()) {
      if (answer !== wanted[at]) throw new Error(`${answer} at ${now}, and ${wanted[at]} of OPA: ${input}`);
    }
  } finally {
    await policy.module.close();
  }
};
