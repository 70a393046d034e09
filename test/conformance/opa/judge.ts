// Judges an answer as the tests of OPA's own Wasm host judge it (internal/wasm/sdk/test/e2e of the Go module).
import type { Evaluation } from '../../../src/engine/index.ts';
import { parseValue } from '../../../src/engine/values/value-text.ts';
import {
  compareValues,
  equalValues,
  RegoObject,
  type RegoValue,
  regoObject,
  regoSet,
} from '../../../src/rego/index.ts';
import type { Want } from './cases.ts';

/** What an evaluation came to; `solutions` are the binding objects, with sets as arrays. */
export type Answer =
  | { readonly kind: 'solutions'; readonly solutions: readonly RegoValue[] }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

const shown = (value: unknown): string =>
  JSON.stringify(value, (_key, item) => (typeof item === 'bigint' ? String(item) : item)).slice(0, 300);

const sortedBindings = (solution: RegoValue): RegoValue => {
  if (!(solution instanceof RegoObject)) return solution;
  return regoObject(
    solution.entries.map(([name, value]) => [
      name,
      Array.isArray(value) ? [...(value as readonly RegoValue[])].sort(compareValues) : value,
    ]),
  );
};

const judgeResult = (want: Extract<Want, { kind: 'result' }>, solutions: readonly RegoValue[]): string | undefined => {
  const found = regoSet(want.sorted ? solutions.map(sortedBindings) : solutions);
  const wanted = regoSet(want.solutions);
  return equalValues(found, wanted) ? undefined : `wanted ${shown(wanted.items)}, found ${shown(found.items)}`;
};

/** Undefined when the answer is the one wanted, and otherwise what is wrong with it. */
export const judge = (want: Want, answer: Answer): string | undefined => {
  if (want.kind === 'error' && !want.strict) {
    if (answer.kind !== 'failed') return `wanted ${want.code}, found ${shown(answer.solutions)}`;
    const isWanted = want.code === 'eval_conflict_error' && answer.code === 'conflict';
    return isWanted ? undefined : `wanted ${want.code}, found ${answer.code}: ${answer.message}`;
  }
  if (answer.kind === 'failed') return `failed with ${answer.code}: ${answer.message}`;
  if (want.kind === 'result') return judgeResult(want, answer.solutions);
  const isDefined = answer.solutions.length > 0;
  const isWanted = want.kind === 'defined' && want.value;
  return isDefined === isWanted
    ? undefined
    : `wanted ${isWanted ? 'a' : 'no'} result, found ${shown(answer.solutions)}`;
};

/** An evaluation of a whole query as an answer. */
export const answerOf = (evaluation: Evaluation): Answer => {
  if (evaluation.kind === 'failed') return { kind: 'failed', code: evaluation.code, message: evaluation.message };
  if (evaluation.kind === 'undefined') return { kind: 'solutions', solutions: [] };
  const value = parseValue(Buffer.from(evaluation.json));
  if (!Array.isArray(value)) return { kind: 'failed', code: 'harness', message: `no set of bindings: ${shown(value)}` };
  return { kind: 'solutions', solutions: value as readonly RegoValue[] };
};
