import fc from 'fast-check';
import { dumpValue } from '../../src/engine/values/value-text.ts';
import { decodeTerms, encodeTerms, type RegoValue } from '../../src/rego/index.ts';
import { operandTable } from '../engine/builtins/operands/index.ts';
import { openTwins, type Twins } from '../engine/builtins/twin.ts';
import { targetOf } from './target.ts';

interface Call {
  readonly builtin: string;
  readonly operands: readonly RegoValue[];
}

interface CallFile {
  readonly builtin: string;
  /** For people: strings that are no UTF-8 are lost in it. */
  readonly operands: readonly string[];
  /** The operands in the toolchain's binary form, base64. */
  readonly terms: string;
}

const calls: fc.Arbitrary<Call> = fc.oneof(
  ...[...operandTable].map(([builtin, lists]) => lists.map((operands) => ({ builtin, operands }))),
);

let twins: Twins;

/** Calls of builtins in TypeScript, beside the same calls of OPA's own. */
export const builtinCalls = targetOf<Call>({
  name: 'builtin-calls',
  cases: calls,
  open: async () => {
    twins = await openTwins();
  },
  check: ({ builtin, operands }) => {
    const difference = twins.difference(builtin, operands);
    if (difference !== undefined) throw new Error(difference);
  },
  write: ({ builtin, operands }) => {
    const terms = Buffer.from(encodeTerms(operands)).toString('base64');
    return JSON.stringify({ builtin, operands: operands.map(dumpValue), terms } satisfies CallFile, undefined, 2);
  },
  read: (text) => {
    const { builtin, terms } = JSON.parse(text) as CallFile;
    return { builtin, operands: decodeTerms(Buffer.from(terms, 'base64')) };
  },
});
