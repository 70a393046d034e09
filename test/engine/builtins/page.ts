import { typescriptBuiltins } from '../../../src/engine/builtins/index.ts';
import type { BuiltinEntry } from '../../../src/engine/builtins/model.ts';
import { carrying } from '../../../src/engine/builtins/model.ts';
import { publicName, twinName } from '../../../src/engine/builtins/natives/index.ts';
import { windowTwins } from '../../../src/engine/builtins/time/index.ts';
import { goCostOf, isVolatileInGo } from '../../../src/engine/workers/go-builtins.ts';
import { goBuiltins, opaVersion } from '../../../src/rego/index.ts';
import { compileTime, deprecated } from './calls.ts';

interface Freshness {
  /** What it does itself, whatever its twin does. */
  readonly kind: 'volatile' | 'boundary' | 'nothing';
  readonly text: string;
}

const always: Freshness = { kind: 'volatile', text: 'volatile' };
const compared: Freshness = { kind: 'volatile', text: 'volatile, but where it is only compared and read by clocks' };
const byClock: Freshness = {
  kind: 'nothing',
  text: 'of now: the end of the hour, minute or second, whichever is the finest used',
};
const byDay: Freshness = { kind: 'nothing', text: 'of now: the end of the day' };
const byWindow: Freshness = { kind: 'boundary', text: 'the moment at which it changes' };
const unlessNone: Freshness = { kind: 'volatile', text: 'volatile, but for a bound of 0' };
const byChance: Freshness = { kind: 'volatile', text: 'volatile with PS and ES: chance is in such signatures' };
const byClaims: Freshness = { kind: 'boundary', text: "the token's `nbf` and `exp`" };

const tokenReaders = [...typescriptBuiltins.keys()].filter((name) => /^io\.jwt\.(decode|verify)/.test(name));

/** What bounds how long an answer may be remembered, where a builtin in TypeScript does. */
export const freshness: ReadonlyMap<string, Freshness> = new Map([
  ['time.now_ns', compared],
  ['time.clock', byClock],
  ['time.date', byDay],
  ['time.weekday', byDay],
  ...windowTwins.slice(1).map(([name]) => [twinName(name), byWindow] as const),
  ['uuid.rfc4122', always],
  ['rand.intn', unlessNone],
  ['io.jwt.encode_sign', byChance],
  ['io.jwt.encode_sign_raw', byChance],
  ...tokenReaders.map((name) => [name, byClaims] as const),
]);

const INTRODUCTION = `# Builtins

This page is written from what the engine has; a test compiles a call of every builtin of OPA ${opaVersion} to learn where it runs.

- **In Wasm**: part of the compiled policy. Its instructions are counted as the policy's own.
- **In TypeScript**: on the thread that decides; a test compares each with OPA's own on generated operands. Among them are those
  that OPA's C code for Wasm answers otherwise; their calls stay in Wasm where the operands show that both agree
  (\`substring(s, 0, 3)\`), and in bundles that an older toolchain built. Short numbers do not leave the module: \`+ - * / %\`, \`sum\` and the like take no
  points of a call then.
- **In Go**: OPA's own code, on evaluation workers. An entrypoint that can reach one of them is evaluated there, within
  \`engine.deadlineMs\` too; the others are not. [Sizing](../guides/sizing.md) says what a worker takes.

**Points** are those of \`engine.instructions\` (1e8 of them take about 0.1 s): for the call, for each byte of its operands' and
result's text, and for what a few bytes can ask for beyond that, which is asked for before it is done. An evaluation that
uses up its points is \`failed\` with \`budget_exceeded\`.

An operand of the wrong type, or any other error, makes the expression undefined; with \`strict-builtin-errors\` it fails the
question.

**Fresh until**: an answer is remembered until the earliest moment at which a builtin that it rests on could answer otherwise.
One that rests on a volatile result is not remembered, unless the entrypoint's METADATA says for how long
([policies](policies.md)). All others depend on their operands alone, and bound nothing. Comparisons of \`time.now_ns\`
(\`<\`, \`<=\`, \`>\`, \`>=\`, \`!=\`) take some hundred points in the module; of those of the same value the two that can change first are
asked of the host in the end, at 3,000 points, 10 a byte and some 200 for each step of the search for the moment at which they
change; that moment is when the answer ends.

Marked *v0* are those that policies of Rego v1 may not call.
`;

const named = (name: string): string => `\`${name}\`${deprecated.has(name) ? ' *v0*' : ''}`;
const list = (names: readonly string[]): string => names.map(named).join(' · ');
const count = (value: number): string => value.toLocaleString('en');

const hostRow = (name: string, { cost = carrying }: BuiltinEntry): string =>
  `| ${named(name)} | ${count(cost.call)} | ${count(cost.byte)} | ${cost.more ?? ''} | ${freshness.get(name)?.text ?? ''} |`;

export interface Found {
  /** What the module of every call imports. */
  readonly imported: ReadonlySet<string>;
  /** What the engine refuses to load. */
  readonly refused: readonly string[];
}

/** The text of docs/reference/builtins.md. */
export const builtinsPage = ({ imported, refused }: Found): string => {
  const names = [...goBuiltins].sort();
  // A twin of a builtin in TypeScript has the same row.
  const here = new Map([...typescriptBuiltins].reverse().map(([name, entry]) => [publicName(name), entry]));
  const native = names.filter((name) => !imported.has(name) && !compileTime.has(name));
  const far = names.filter((name) => imported.has(name) && !here.has(name) && !refused.includes(name));
  const near = [...here].filter(([name]) => imported.has(name));
  near.sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    INTRODUCTION,
    `## In TypeScript (${near.length})\n`,
    '| builtin | points a call | a byte | more for | fresh until |\n|---|---|---|---|---|',
    ...near.map(([name, entry]) => hostRow(name, entry)),
    `\n## In Go (${far.length})\n`,
    '| builtin | points a call | a byte | fresh until |\n|---|---|---|---|',
    ...far.map((name) => {
      const { call, byte } = goCostOf(name);
      return `| ${named(name)} | ${count(call)} | ${count(byte)} | ${isVolatileInGo(name) ? 'volatile' : ''} |`;
    }),
    `\n## In Wasm (${native.length})\n`,
    list(native),
    `\n## Answered, or left out, by the compiler (${compileTime.size})\n`,
    list([...compileTime].sort()),
    `\n## By the network thread (${refused.length})\n`,
    'A version that calls one of them is loaded where `engine.network.hosts` names the hosts that policies may ask.\n',
    list(refused),
    '',
  ].join('\n');
};
