import { afterAll, beforeAll, expect, test } from 'vitest';
import { regoInteger, regoObject } from '../../src/rego/index.ts';
import { problemsOf } from '../rego/sources.ts';
import type { Workbench } from './workbench.ts';
import { openWorkbench } from './workbench.ts';

let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench();
});
afterAll(() => bench.close());

const actions = ['view', 'edit', 'share', 'a/b', ''];
const kinds = ['doc', 'folder', 'éé'];

const numbered = (count: number, line: (n: number) => string): string =>
  Array.from({ length: count }, (_, n) => line(n)).join('\n');

/** Enough rules of one name that regrouping them pays. */
const policyText = `
default permit := "no"
permit := "yes" if input.admin
${numbered(45, (n) => {
  const action = JSON.stringify(actions[n % 5]);
  const kind = JSON.stringify(kinds[n % 3]);
  return `permit := "yes" if { input.action == ${action}; input.resource.kind == ${kind}; input.level > ${n} }`;
})}
${numbered(20, (n) => {
  const action = JSON.stringify(actions[n % 5]);
  return `deny contains sprintf("%v ${n}", [input.level]) if { a := input.action; a == ${action}; input.level < ${n} }`;
})}
deny contains "folder" if { input.resource.kind in {"folder", "doc"}; not input.admin }
level := input.level if input.action == "none"
${numbered(10, (n) => `level := ${n % 2} if { input.action == "a${n % 5}"; input.level >= ${n} }`)}
nested if count(deny) > 2 with input as input.inner
`;

/** Values in turn from a linear congruential generator: the same inputs in every run. */
const inputs = (count: number): unknown[] => {
  let state = 12_345;
  const next = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return (state >>> 12) % below;
  };
  const one = <T>(...from: T[]): T => from[next(from.length)] as T;
  const asked = (): { [name: string]: unknown } => {
    const input: { [name: string]: unknown } = {
      action: one<unknown>(...actions, ...actions, 'none', 'a1', 'toString', 1, null, ['view'], { view: 1 }, true),
      level: one<unknown>(0, 3, 12, 44, 60, '7'),
      resource: one<unknown>({ kind: one<unknown>(...kinds, ...kinds, 2, {}) }, { kind: 'doc' }, 'doc', [], null),
      admin: one<unknown>(true, false, false, false),
    };
    for (const name of ['action', 'resource', 'admin']) if (next(9) === 0) delete input[name];
    return input;
  };
  const odd = [1, 'view', null, [], {}, true];
  return Array.from({ length: count }, (_, at) => (at < odd.length ? odd[at] : { ...asked(), inner: asked() }));
};

const rules = ['permit', 'deny', 'nested'];

test('regrouped rules answer in Wasm what the interpreter answers for the rules as written', async () => {
  const wasm = await bench.compile(policyText);
  expect(Buffer.from(wasm).includes('"__vd"')).toBe(true);
  const policy = await bench.policy(policyText);
  const all = inputs(200);
  const sources = {
    modules: [{ path: 'p.rego', text: `package p\n\n${policyText}\n` }],
    data: Buffer.from(JSON.stringify({ inputs: all })),
  };
  for (const rule of rules) {
    const query = `result := [a | some x in data.inputs; a := [json.marshal(v) | v := data.p.${rule} with input as x]]`;
    const { bindings } = await bench.toolchain.evaluate(sources, query);
    const wanted = (bindings[0]!.result as string[][]).map(([answer]) => answer ?? 'undefined');
    const answers: string[] = [];
    for (const input of all) answers.push(await policy.answer(`p/${rule}`, { input }));
    expect(answers, rule).toEqual(wanted);
    expect(new Set(wanted).size, rule).toBeGreaterThan(1);
  }
});

test('rules of one group that contradict each other fail, and those that the input does not meet do not', async () => {
  const policy = await bench.policy(policyText);
  const sources = { modules: [{ path: 'p.rego', text: `package p\n\n${policyText}\n` }] };
  const contradicted = regoObject([
    ['action', 'a1'],
    ['level', regoInteger(6)],
  ]);
  const [problem] = await problemsOf(bench.toolchain.evaluate(sources, 'data.p.level', { input: contradicted }));
  expect(problem).toMatchObject({ code: 'eval_conflict_error' });
  expect((await policy.ask('p/level', { input: { action: 'a1', level: 6 } })).kind).toBe('failed');
  expect(await policy.answer('p/level', { input: { action: 'a1', level: 5 } })).toBe('1');
  expect(await policy.answer('p/level', { input: { action: 'none', level: 5 } })).toBe('5');
  expect(await policy.answer('p/permit')).toBe('"no"');
});

test('many rules take no more instructions than few', async () => {
  const rules = (count: number) =>
    numbered(count, (n) => `permit if { input.action == "a${n % 5}"; input.kind == "k${n}"; input.level > 1 }`);
  const input = { action: 'a3', kind: 'k8', level: 2 };
  const spent = async (count: number): Promise<number> => {
    const policy = await bench.policy(rules(count), { entrypoints: ['p/permit'] });
    const evaluation = await policy.ask('p/permit', { input });
    expect(evaluation).toMatchObject({ kind: 'defined', json: 'true' });
    return evaluation.basis.instructions;
  };
  expect(await spent(300)).toBeLessThan(2 * (await spent(20)));
});
