import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { typescriptBuiltins } from '../../../src/engine/builtins/index.ts';
import { BuiltinError } from '../../../src/engine/builtins/model.ts';
import { compareValues, RegoNumber, type RegoValue, regoObject } from '../../../src/rego/index.ts';
import { callScope, jsonValue } from './scope.ts';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

interface Recorded {
  readonly opa: string;
  /** Strings that stand in several cases; an operand `#n` is the n-th. */
  readonly strings: readonly string[];
  readonly cases: readonly {
    readonly name: string;
    readonly builtin: string;
    readonly operands: readonly Json[];
    /** JSON text of OPA's answer; absent where it was undefined. */
    readonly answer?: string;
  }[];
}

const recorded = JSON.parse(readFileSync(new URL('./tokens.recorded.json', import.meta.url), 'utf8')) as Recorded;

const operandOf = (value: Json): RegoValue => {
  if (typeof value === 'string') {
    if (/^#\d+$/.test(value)) return recorded.strings[Number(value.slice(1))]!;
    return /^@\d+$/.test(value) ? new RegoNumber(value.slice(1)) : value;
  }
  if (typeof value === 'number') return new RegoNumber(String(value));
  if (value === null || typeof value === 'boolean') return value;
  if (Array.isArray(value)) return (value as readonly Json[]).map(operandOf);
  return regoObject(Object.entries(value).map(([key, item]) => [key, operandOf(item)] as const));
};

const answerOf = (builtin: string, operands: readonly Json[]): RegoValue | undefined => {
  try {
    return typescriptBuiltins.get(builtin)!.run(callScope().scope, ...operands.map(operandOf));
  } catch (error) {
    if (error instanceof BuiltinError) return undefined;
    throw error;
  }
};

const byBuiltin = Map.groupBy(recorded.cases, ({ builtin }) => builtin);

describe.each([...byBuiltin])('%s answers as OPA did', (_builtin, cases) => {
  test.each(cases)('$name', ({ builtin, operands, answer }) => {
    const found = answerOf(builtin, operands);
    if (answer === undefined || found === undefined) expect(found).toBe(answer);
    else expect(compareValues(found, jsonValue(answer)), JSON.stringify({ found, answer })).toBe(0);
  });
});
