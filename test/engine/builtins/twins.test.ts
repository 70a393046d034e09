import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { typescriptBuiltins } from '../../../src/engine/builtins/index.ts';
import { operandTable } from './operands/index.ts';
import { openTwins, type Twins } from './twin.ts';

// Every builtin here has its original in OPA's own code at hand: whatever both are given, they answer the same.
let twins: Twins;

beforeAll(async () => {
  twins = await openTwins();
});

test('operands are generated for every builtin in TypeScript, and for no other', () => {
  expect([...operandTable.keys()].sort()).toEqual([...typescriptBuiltins.keys()].sort());
});

describe('each builtin answers as its original does', () => {
  test.each([...operandTable])('%s', (name, operands) => {
    const property = fc.property(operands, (list) => {
      const difference = twins.difference(name, list);
      if (difference !== undefined) throw new Error(difference);
    });
    const run = fc.check(property, { numRuns: 1_000 });
    expect(run.failed ? `seed ${run.seed}: ${run.errorInstance}` : '').toBe('');
  });
});
