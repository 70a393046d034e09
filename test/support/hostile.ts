// Policies that take all they can get. Each is pushed as anybody may push one; what it may become is a failed answer.
import type { EvaluationErrorCode } from '../../src/engine/index.ts';
import { constant, handMade, places } from '../engine/hand-made-module.ts';
import type { Contents } from '../policy/archives.ts';

/** The bundle, and package, that each of them is a version of: so that a default decision, too, can ask every one. */
export const hostileBundle = 'hostile';

export interface HostilePolicy {
  /** What is asked is its rule `allow`. */
  readonly name: string;
  readonly about: string;
  readonly files: Contents;
  /** Which of them depends on what is used up first. */
  readonly codes: readonly EvaluationErrorCode[];
}

const used: readonly EvaluationErrorCode[] = ['budget_exceeded', 'memory_exceeded'];

const rego = (name: string, about: string, text: string, codes = used): HostilePolicy => ({
  name,
  about,
  files: { 'policy.rego': `package ${hostileBundle}\n\n# ${name}: ${about}.\n${text}\n` },
  codes,
});

const numbered = (count: number, line: (at: number) => string): string =>
  Array.from({ length: count }, (_, at) => line(at)).join('\n');

/** `loop br 0 end`, and what a compiler of OPA's never writes besides. */
const handMadePolicy: HostilePolicy = {
  name: 'handmade',
  about: 'a module written by hand that loops for ever',
  files: {
    '.manifest': JSON.stringify({
      roots: [hostileBundle],
      wasm: [{ entrypoint: `${hostileBundle}/allow`, module: '/policy.wasm' }],
    }),
    'policy.wasm': handMade({
      entrypoint: `${hostileBundle}/allow`,
      evaluate: [0x03, 0x40, 0x0c, 0, 0x0b, ...constant(places.answer)],
    }),
  },
  codes: ['budget_exceeded'],
};

export const hostilePolicies: readonly HostilePolicy[] = [
  rego(
    'recursion',
    'each rule asks the next one twice, with another input: 2^40 evaluations',
    `allow if a0\n${numbered(40, (at) => `a${at} if {\n\ta${at + 1} with input as [1, ${at}]\n\ta${at + 1} with input as [2, ${at}]\n}`)}\na40 if count(input) == 2`,
  ),
  rego(
    'quadratic',
    'strings of every length up to 100,000',
    'allow if count([s | some n in numbers.range(1, 100000); s := concat("", ["x" | some _ in numbers.range(1, n)])]) > 0',
  ),
  rego(
    'replaces',
    '`replace` with nothing to look for, of texts that grow',
    'allow if {\n\ta := "0123456789"\n\tb := replace(a, "", a)\n\tc := replace(b, "", b)\n\treplace(c, "", c) == a\n}',
  ),
  rego('range', 'a range of 10^9 numbers', 'allow if count(numbers.range(1, 1000000000)) == 1'),
  rego(
    'doubling',
    'a string of 200 MB, made by doubling one',
    `allow if count(s0) > 0\n${numbered(25, (at) => `s${at} := concat("", [s${at + 1}, s${at + 1}])`)}\ns25 := "123456"`,
  ),
  rego(
    'nesting',
    'a value of 500,000 arrays in one another, as text',
    'allow if json.unmarshal(concat("", array.concat(["[" | some _ in numbers.range(1, 500000)], ["]" | some _ in numbers.range(1, 500000)]))) == []',
  ),
  rego(
    'patterns',
    'pattern after pattern that a backtracking engine would never finish',
    'long := concat("", ["a" | some _ in numbers.range(1, 5000)])\nallow if count([1 | some n in numbers.range(1, 100000); regex.match(sprintf("^(a?){%d}(a+)+$", [n % 900]), concat("", [long, "!"]))]) > 0',
  ),
  rego('expand', 'the 16 million addresses of a /8 network', 'allow if count(net.cidr_expand("10.0.0.0/8")) == 1', [
    'too_large',
    'budget_exceeded',
    'memory_exceeded',
    'deadline_exceeded',
  ]),
  rego(
    'product',
    'a comprehension over 10^9 combinations',
    'n := numbers.range(1, 1000)\nallow if count([1 | some a in n; some b in n; some c in n; a + b + c == 0]) > 0',
  ),
  handMadePolicy,
];
