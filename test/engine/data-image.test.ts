import { afterAll, beforeAll, expect, test } from 'vitest';
import { compilePolicy } from '../../src/engine/wasm/policy-module.ts';
import { RawInstance } from '../../src/engine/wasm/raw-instance.ts';
import type { Workbench } from './workbench.ts';
import { openWorkbench } from './workbench.ts';

let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench();
});
afterAll(() => bench.close());

const data = Buffer.from(JSON.stringify(Array.from({ length: 20_000 }, (_, at) => ({ [`user-${at}`]: ['a', 'b'] }))));

test('in memory that was reserved a module parses data without growing it; without, it grows by pages', async () => {
  const policy = await compilePolicy(await bench.compile('a := data.a'));
  const grown = (reserved: number): number => {
    const raw = new RawInstance(policy, 4_096, () => 0);
    raw.points = 1_000_000_000;
    raw.reserve(raw.base, reserved);
    const text = raw.put(data);
    const before = raw.memory.buffer.byteLength;
    expect(raw.exports.opa_json_parse(text, data.length)).not.toBe(0);
    return raw.memory.buffer.byteLength - before;
  };
  expect(grown(64 << 20)).toBe(0);
  expect(grown(1 << 20)).toBeGreaterThan(0);
});

test('no more is reserved than the memory may have', async () => {
  const policy = await compilePolicy(await bench.compile('a := data.a'));
  const raw = new RawInstance(policy, 64, () => 0);
  raw.reserve(raw.base, 1 << 30);
  expect(raw.memory.buffer.byteLength).toBeLessThanOrEqual(64 * 65_536);
  expect(raw.exports.opa_heap_ptr_get()).toBe(raw.base);
});
