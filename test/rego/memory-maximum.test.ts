import { expect, test } from 'vitest';
import { withMemoryMaximum } from '../../src/rego/memory-maximum.ts';

/** A module of a type section and one memory of two pages, exported as `m`. */
const module = Uint8Array.of(
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...[1, 4, 1, 0x60, 0, 0],
  ...[5, 3, 1, 0, 2],
  ...[7, 5, 1, 1, 0x6d, 2, 0],
);

const memoryOf = (bytes: Uint8Array): WebAssembly.Memory =>
  new WebAssembly.Instance(new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>)).exports.m as WebAssembly.Memory;

test('the memory grows to its maximum and no further', () => {
  const memory = memoryOf(withMemoryMaximum(module, 200 * 65_536));
  expect(memory.buffer.byteLength).toBe(2 * 65_536);
  memory.grow(198);
  expect(() => memory.grow(1)).toThrow();
});

test('a maximum that is there already is replaced', () => {
  const memory = memoryOf(withMemoryMaximum(withMemoryMaximum(module, 300 * 65_536), 3 * 65_536));
  expect(() => memory.grow(2)).toThrow();
});

test('a maximum below the minimum, and bytes without a memory, are refused', () => {
  expect(() => withMemoryMaximum(module, 65_536)).toThrow('needs 2 pages');
  expect(() => withMemoryMaximum(module.subarray(0, 14), 65_536)).toThrow('no memory section');
  expect(() => withMemoryMaximum(module.subarray(0, 15), 65_536)).toThrow('inside a number');
});
