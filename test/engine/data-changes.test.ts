import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { changedDataImage, makeDataImage } from '../../src/engine/data-image.ts';
import { defaultEngineSettings, engineOptions } from '../../src/engine/index.ts';
import { PolicyInstance } from '../../src/engine/instance.ts';
import { compilePolicy } from '../../src/engine/wasm/policy-module.ts';
import { loadDataImage } from '../../src/engine/workers/image-thread.ts';
import { parseJson, writeJson } from '../../src/policy/content/json-text.ts';
import { documents } from './documents.ts';
import type { Workbench } from './workbench.ts';
import { dataOf, openWorkbench } from './workbench.ts';

let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench();
});
afterAll(() => bench.close());

const { budget } = engineOptions(defaultEngineSettings);
const written = (value: unknown) => dataOf(writeJson(parseJson(JSON.stringify(value))));

const policyOf = async (rego: string) => compilePolicy(await bench.compile(rego));

test('data that was changed in place answers as data that was loaded whole, evaluation after evaluation', async () => {
  const policy = await policyOf(
    'all := data.d\nkeys := {key | some key, _ in data.d}\ndeep := [[path, leaf] | walk(data.d, [path, leaf]); not is_object(leaf)]\nsum := 0.1 + data.n',
  );
  const answers = (image: ReturnType<typeof makeDataImage>): unknown => {
    const instance = PolicyInstance.of({ bundle: 'p', policy, budget, data: image }, () => undefined);
    return [...instance.entrypoints.values(), ...instance.entrypoints.values()].map((entrypoint) => {
      const { kind, ...rest } = instance.evaluate({
        ...{ entrypoint, below: [], strictErrors: false, nowNs: 0n, instructions: 1_000_000 },
      });
      return [kind, 'json' in rest ? rest.json : ''];
    });
  };
  fc.assert(
    fc.property(documents, ({ before, after }) => {
      const [from, to] = [written({ d: before, n: 0.5 }), written({ d: after, n: 1.25 })];
      const image = changedDataImage(makeDataImage(policy, from), from, to);
      expect(image?.changes).not.toEqual([]);
      if (image !== undefined) expect(answers(image)).toEqual(answers(makeDataImage(policy, to)));
    }),
    { numRuns: 100 },
  );
});

const names = Array.from({ length: 20_000 }, (_, at) => `name-${at}`);
const many = Object.fromEntries(names.map((name, at) => [name, [at, `${name}!`]]));

test('of large data that differs in little the image is shared, also by the version after the next', async () => {
  const policy = await policyOf('a := data.a');
  const first = await loadDataImage({ policy, data: written({ a: many }) });
  const next = await loadDataImage({ policy, data: written({ a: { ...many, 'name-7': 0.5 } }), original: first });
  const last = await loadDataImage({ policy, data: written({ a: { ...many, 'name-8': [1] } }), original: next });
  for (const { image, text } of [next, last]) {
    expect(image.bytes).toBe(first.image.bytes);
    expect(text).toBe(first.text);
  }
  expect([...next.image.numbers]).toEqual(['0.5']);
  expect(last.image.changes.map(({ path }) => path)).toEqual([['a', 'name-8']]);
  const whole = await loadDataImage({
    policy,
    data: written({ a: { ...many, b: 'x'.repeat(300_000) } }),
    original: last,
  });
  expect(whole.image.changes).toEqual([]);
  expect(whole.image.bytes).not.toBe(first.image.bytes);
});

const rego = `x := data.z[input.a]
slow if { some i in numbers.range(1, input.n); i < 0 }
n := count(data.z)`;

test('a version that replaces another answers from its own data, on every instance, and so does the other', async () => {
  const wasm = await bench.compile(rego);
  const engine = bench.engine({ budget: { instructions: 200_000, decidingInstructions: 200_000 } });
  const load = (z: object, replaces?: Awaited<ReturnType<typeof engine.load>>) =>
    engine.load({ name: 'p@1', wasm, data: written({ z }), ...(replaces === undefined ? {} : { replaces }) });
  const ask = async (module: Awaited<ReturnType<typeof load>>, entrypoint: string, input: object) => {
    const asked = { entrypoint, below: [], strictErrors: false, input: dataOf(JSON.stringify(input)) };
    const evaluation = await module.evaluate(asked);
    return 'json' in evaluation ? JSON.parse(evaluation.json) : evaluation.kind;
  };
  const first = await load(many);
  const second = await load({ ...many, 'name-5': 'new' }, first);
  await first.close();
  const third = await load({ ...many, 'name-5': 'newer', more: { a: 1 } }, second);
  for (let round = 0; round < 3; round++) {
    expect(await ask(second, 'p/x', { a: 'name-5' })).toBe('new');
    expect(await ask(second, 'p/x', { a: 'name-19999' })).toEqual([19_999, 'name-19999!']);
    expect(await ask(third, 'p/x', { a: 'more' })).toEqual({ a: 1 });
    expect(await ask(third, 'p/x', { a: 'name-5' })).toBe('newer');
    // Ends the instance: the next answer comes from another.
    expect(await ask(second, 'p/slow', { n: 1_000_000 })).toBe('failed');
    expect(await ask(third, 'p/slow', { n: 1_000_000 })).toBe('failed');
  }
});
