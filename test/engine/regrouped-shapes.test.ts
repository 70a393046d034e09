import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LoadedModule } from '../../src/engine/index.ts';
import { checkJson } from '../../src/engine/index.ts';
import type { Workbench } from './workbench.ts';
import { dataOf, openWorkbench } from './workbench.ts';

let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench();
});
afterAll(() => bench.close());

const many = (count: number, line: (n: number) => string): string =>
  Array.from({ length: count }, (_, n) => line(n)).join('\n');

/** Modules whose rule `permit` is regrouped in one way or another, for an input with `a`, `b`, `c` and `d`. */
const shapes: { readonly [name: string]: string } = {
  'functions by a constant': `permit := f(input.a, input.b)\n${many(30, (n) => `f("k${n}", v) := ${n % 2} if v > ${n}`)}`,
  'functions by what they compare': `permit := f(input.c, input.a)\ndefault f(_, _) := "none"\n${many(
    12,
    (n) => `f(s, k) := "x" if { s.role == "k${n}"; k != "k1" } else := "y" if { s.role == "k${n + 1}"; s.n > ${n} }`,
  )}\nf(s, _) := "x" if s.n == 3`,
  'numbers, and others': `${many(12, (n) => `permit := "n" if input.b == ${n - 2}\npermit := "n" if { input.b == "k${n}"; input.d }`)}`,
  'sets by numbers': many(12, (n) => `permit contains ${n} if { input.b in {${n}, ${n + 1}}; input.a != "k3" }`),
  members: `${many(12, (n) => `permit contains ${n} if { "k${n}" in input.d; input.b > 1 }`)}
permit contains r if { some r in input.d; r == "k1" }
permit contains [k] if { some k, r in input.d; r.role == "k2" }
permit contains "at" if input.d[0] == "k3"`,
  'members that contradict each other': many(6, (n) => `permit := ${n % 3} if { some r in input.d; r == "k${n}" }`),
  'beginnings of texts': `${many(12, (n) => `permit contains ${n} if startswith(input.a, "k${n}")`)}
permit contains "all" if startswith(input.a, "k")
permit contains "b" if { startswith(input.b, "k1"); input.c }
permit contains "it" if input.a == "k1x"`,
  'else chains': many(
    8,
    (n) =>
      `permit := "x" if { input.a == "k${n}"; input.b > ${n} } else := "x" if { input.a in {"k${n}", "k${n + 1}"}; input.c }`,
  ),
};

/** Values in turn from a linear congruential generator: the same inputs in every run. */
const inputs = (count: number): unknown[] => {
  let state = 4_711;
  const next = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return (state >>> 12) % below;
  };
  const one = <T>(...from: T[]): T => from[next(from.length)] as T;
  const text = (): string => `k${next(14)}${one('', '', '', 'x', 'é', '~')}`;
  const value = (): unknown =>
    one<unknown>(text(), text(), text(), next(14) - 2, next(14), 1.5, null, true, [text()], {});
  const member = (): unknown => one<unknown>(text(), text(), text(), { role: text() }, 3, null);
  return Array.from({ length: count }, () => {
    const input: { [name: string]: unknown } = {
      a: value(),
      b: one<unknown>(next(14) - 2, next(20), value()),
      c: one<unknown>({ role: text(), n: next(14) }, { role: text() }, value()),
      d: one<unknown>([member(), member()], [member(), text(), text()], { x: member(), y: text() }, value()),
    };
    for (const name of ['a', 'b', 'c', 'd']) if (next(12) === 0) delete input[name];
    return input;
  });
};

const answerOf = async (module: LoadedModule, input: unknown): Promise<string> => {
  const evaluation = await module.evaluate({
    entrypoint: 'p/permit',
    below: [],
    strictErrors: false,
    input: checkJson(Buffer.from(JSON.stringify(input))).json,
  });
  if (evaluation.kind === 'defined') return evaluation.json;
  return evaluation.kind === 'failed' ? `failed: ${evaluation.code}` : 'undefined';
};

test.each(Object.entries(shapes))(
  '%s are found in Wasm as they are tried, and as in the interpreter',
  async (_, text) => {
    const all = inputs(250);
    const sources = { modules: [{ path: 'p.rego', text: `package p\n\n${text}\n` }] };
    const answers: { [regrouping: string]: string[] } = {};
    for (const regrouping of ['none', 'all'] as const) {
      const { wasm } = await bench.toolchain.compile(sources, ['p/permit'], { regrouping });
      expect(Buffer.from(wasm).includes('__vd')).toBe(regrouping === 'all');
      const module = await bench.engine().load({ name: 'p@1', wasm, data: dataOf('{}') });
      answers[regrouping] = [];
      for (const input of all) answers[regrouping].push(await answerOf(module, input));
    }
    expect(answers.all).toEqual(answers.none);
    expect(new Set(answers.all).size).toBeGreaterThan(1);
    // One error ends a whole question of the interpreter.
    const asked = all.filter((_input, at) => answers.all?.[at]?.startsWith('failed') === false);
    const data = Buffer.from(JSON.stringify({ inputs: asked }));
    const query = 'result := [a | some x in data.inputs; a := [json.marshal(v) | v := data.p.permit with input as x]]';
    const { bindings } = await bench.toolchain.evaluate({ ...sources, data }, query);
    const wanted = (bindings[0]!.result as string[][]).map(([answer]) => answer ?? 'undefined');
    expect(answers.all?.filter((answer) => !answer.startsWith('failed'))).toEqual(wanted);
  },
);
