import { messageOf } from '../canonical/index.ts';
import { ToolchainError } from '../rego/index.ts';
import type { EvaluationErrorCode } from './model.ts';
import { ValueTextError } from './values/value-text.ts';

/** Ends an evaluation with a code of its own. Thrown through the module: its instance is dead afterwards. */
export class EvaluationFailure extends Error {
  readonly code: EvaluationErrorCode;

  constructor(code: EvaluationErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The module called `opa_abort` with this text. */
export class PolicyAbort extends Error {}

const outOfMemory = 'opa_malloc: failed';

/** What modules say of a conflict, after its place, and OPA's words for it. They do not know the values. */
const conflicts = [
  ['var assignment conflict', 'a rule or function produced conflicting values'],
  ['object insert conflict', 'object keys must be unique'],
] as const;

const conflictOf = (text: string): string | undefined => {
  const found = conflicts.find(([said]) => text.endsWith(said));
  return found === undefined ? undefined : text.slice(0, -found[0].length) + found[1];
};

const aborted = (text: string): EvaluationFailure => {
  if (text.includes(outOfMemory)) return new EvaluationFailure('memory_exceeded', 'the memory maximum was reached');
  const conflict = conflictOf(text);
  return conflict === undefined
    ? new EvaluationFailure('engine_error', text)
    : new EvaluationFailure('conflict', conflict);
};

/** The code and sentence for anything that an evaluation threw. */
export const failureOf = (thrown: unknown): EvaluationFailure => {
  if (thrown instanceof EvaluationFailure) return thrown;
  if (thrown instanceof PolicyAbort) return aborted(thrown.message);
  if (thrown instanceof ValueTextError && thrown.tooDeep) return new EvaluationFailure('too_large', thrown.message);
  if (thrown instanceof RangeError) return new EvaluationFailure('too_large', 'the evaluation is nested too deep');
  if (thrown instanceof ToolchainError && thrown.code === 'TOOLCHAIN_MEMORY') {
    return new EvaluationFailure('memory_exceeded', 'a builtin reached the memory maximum of its module');
  }
  if (thrown instanceof WebAssembly.RuntimeError) {
    return new EvaluationFailure('engine_error', `the module trapped: ${thrown.message}`);
  }
  return new EvaluationFailure('engine_error', messageOf(thrown));
};
