import { expect, test } from 'vitest';
import { typescriptBuiltins } from '../../../src/engine/builtins/index.ts';
import { type RegoValue, regoInteger, regoObject, regoSet } from '../../../src/rego/index.ts';
import { callScope } from './scope.ts';

// Work that the bytes of the operands do not bound takes points before it is done, and ends when they are used up.
const run = (name: string, ...operands: readonly RegoValue[]): { readonly ended: boolean; readonly points: number } => {
  const { scope, reported } = callScope();
  try {
    typescriptBuiltins.get(name)!.run(scope, ...operands);
    return { ended: false, points: reported.points };
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: 'budget_exceeded' });
    return { ended: true, points: reported.points };
  }
};

/** Layers of two nodes, each with an edge to both of the next layer: 2^layers paths. */
const layered = (layers: number): RegoValue =>
  regoObject(
    Array.from({ length: layers }, (_, layer) => [`a${layer}`, `b${layer}`])
      .flat()
      .map((node) => {
        const next = Number(node.slice(1)) + 1;
        return [node, next === layers ? [] : [`a${next}`, `b${next}`]];
      }),
  );

const operation = (members: { readonly [name: string]: RegoValue }): RegoValue => regoObject(Object.entries(members));

test('a range of more numbers than the budget allows is refused before its first number', () => {
  expect(run('numbers.range_step', regoInteger(0), regoInteger(10n ** 30n), regoInteger(1)).ended).toBe(true);
  expect(run('numbers.range_step', regoInteger(0), regoInteger(10n ** 30n), regoInteger(10n ** 29n)).ended).toBe(false);
});

test('a small graph of very many paths ends with the budget', () => {
  expect(run('graph.reachable_paths', layered(8), ['a0']).ended).toBe(false);
  expect(run('graph.reachable_paths', layered(60), ['a0']).ended).toBe(true);
});

test('a path may have as many nodes as the graph', () => {
  const chain = Array.from({ length: 20_000 }, (_, at) => [`n${at}`, [`n${at + 1}`]] as const);
  expect(run('graph.reachable_paths', regoObject(chain), ['n0']).ended).toBe(false);
});

test('copies of copies end with the budget, not with the memory', () => {
  const copies = (times: number) =>
    Array.from({ length: times }, () => operation({ op: 'copy', path: '/-', from: '' }));
  expect(run('json.patch', [], copies(5)).ended).toBe(false);
  expect(run('json.patch', [], copies(60)).ended).toBe(true);
});

test('patching a large document many times takes points in proportion to both', () => {
  const items = (count: number) => Array.from({ length: count }, (_, at) => regoInteger(at));
  const inserts = (count: number) => items(count).map((value) => operation({ op: 'add', path: '/0', value }));
  const small = run('json.patch', items(1_000), inserts(10)).points;
  expect(run('json.patch', items(10_000), inserts(10)).points).toBeGreaterThan(5 * small);
  expect(run('json.patch', items(1_000), inserts(100)).points).toBeGreaterThan(3 * small);
});

test('looking for one array in another takes no square of their lengths', () => {
  const ones = (count: number) => Array.from({ length: count }, () => regoInteger(1));
  const { points } = run('object.subset', ones(20_000), [...ones(10_000), regoInteger(2)]);
  expect(points).toBeLessThan(100_000_000);
});

test('each part of a text that is cut takes points', () => {
  const text = 'a,'.repeat(1_000);
  expect(run('strings.split_n', text, ',', regoInteger(2_000)).points).toBeGreaterThan(100_000);
  expect(run('strings.split_n', text, ';', regoInteger(2_000)).points).toBe(0);
});

test('an item of a set is edited inside, and the set stays one', () => {
  const set = regoSet([regoObject([['a', '1']]), regoObject([['a', '2']])]);
  const at = [regoObject([['a', '1']]), 'a'];
  const patched = typescriptBuiltins
    .get('json.patch')!
    .run(callScope().scope, set, [operation({ op: 'add', path: at, value: '2' })]);
  expect(patched).toEqual(regoSet([regoObject([['a', '2']])]));
});

test('a network of more addresses than the budget allows is refused before its first address', () => {
  expect(run('net.cidr_expand', '10.0.0.0/24').ended).toBe(false);
  expect(run('net.cidr_expand', '10.0.0.0/8').ended).toBe(true);
  expect(run('net.cidr_expand', '0.0.0.0/0').ended).toBe(true);
  expect(run('net.cidr_expand', '::/0').ended).toBe(true);
});

test('every pair of networks that is compared takes points', () => {
  const networks = (count: number) => Array.from({ length: count }, (_, at) => `10.${at % 256}.0.0/16`);
  expect(run('net.cidr_contains_matches', networks(100), networks(100)).points).toBeGreaterThan(1_000_000);
  expect(run('net.cidr_contains_matches', networks(1_000), networks(1_000)).ended).toBe(true);
});

test('merging networks takes points for each of them', () => {
  const networks = Array.from({ length: 1_000 }, (_, at) => `10.${at >> 8}.${at % 256}.0/25`);
  expect(run('net.cidr_merge', networks).points).toBeGreaterThan(5_000_000);
});
