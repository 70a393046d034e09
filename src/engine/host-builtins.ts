import type { RegoValue } from '../rego/index.ts';
import { RegoBytes, RegoNumber } from '../rego/index.ts';
import type { CallCost } from './builtins/model.ts';
import { BuiltinError } from './builtins/model.ts';
import { EvaluationFailure } from './failure.ts';
import type { Budget } from './model.ts';
import { readingPoints, readPriced } from './priced.ts';
import type { EvaluationScope } from './scope.ts';
import { resultJson } from './values/result-json.ts';
import { dumpValue } from './values/value-text.ts';
import { writeByteString } from './wasm/bytes-in-memory.ts';
import type { RawInstance } from './wasm/raw-instance.ts';
import { readScalar, writeScalar } from './wasm/scalars-in-memory.ts';

/** A builtin as an instance calls it, wherever it runs. Throws BuiltinError where OPA's builtin answers an error. */
export interface HostBuiltin {
  readonly name: string;
  readonly run: (scope: EvaluationScope, operands: readonly RegoValue[]) => RegoValue | undefined;
  /** The call goes into the record's nd_builtin_cache. */
  readonly nonDeterministic: boolean;
  readonly cost: CallCost;
}

/** What the calls of one evaluation share. */
export interface CallContext {
  readonly scope: EvaluationScope;
  readonly strictErrors: boolean;
  readonly budget: Budget;
  /** Puts Go's text in the place of a number's that the module computed. */
  readonly numberText: (text: string) => string;
  /** Told every result and its text: numbers in it are as Go wrote them. */
  readonly answered: (result: RegoValue, text: string) => void;
}

const readOperands = (
  raw: RawInstance,
  builtin: HostBuiltin,
  addresses: readonly number[],
  context: CallContext,
): RegoValue[] => {
  let room = context.budget.argumentBytes;
  // What the host does for a policy counts as the policy's own instructions do.
  context.scope.spend(builtin.cost.call);
  const take = (length: number): void => {
    room -= length;
    context.scope.spend(builtin.cost.byte * length);
    if (room < 0) {
      throw new EvaluationFailure(
        'too_large',
        `arguments of a builtin take more than ${context.budget.argumentBytes} bytes`,
      );
    }
  };
  return addresses.map((address) => {
    const scalar = readScalar(raw, address);
    if (scalar !== undefined) {
      const text = typeof scalar === 'string' ? scalar : scalar.text;
      take(text.length);
      context.scope.spend(readingPoints(text.length));
      return typeof scalar === 'string' ? scalar : new RegoNumber(context.numberText(scalar.text));
    }
    const dumped = raw.exports.opa_value_dump(address);
    const text = raw.text(dumped);
    take(text.length);
    const value = readPriced(raw, text, context.numberText);
    raw.exports.opa_free(dumped);
    return value;
  });
};

const writeResult = (raw: RawInstance, builtin: HostBuiltin, result: RegoValue, context: CallContext): number => {
  const text = dumpValue(result);
  const bytes = Buffer.from(text);
  if (bytes.length > context.budget.resultBytes) {
    throw new EvaluationFailure('too_large', `a builtin's result takes more than ${context.budget.resultBytes} bytes`);
  }
  context.scope.spend(builtin.cost.byte * bytes.length);
  if (result instanceof RegoBytes) {
    const value = writeByteString(raw, result.bytes);
    if (value !== undefined) return value;
  }
  const scalar = writeScalar(raw, result);
  if (scalar !== undefined) return scalar;
  context.answered(result, text);
  const address = raw.put(bytes);
  const value = raw.exports.opa_value_parse(address, bytes.length);
  if (value === 0) throw new EvaluationFailure('engine_error', 'the module does not read a builtin’s result');
  raw.exports.opa_free(address);
  return value;
};

/** Calls a builtin with operands at addresses; the address of its result, 0 for undefined. */
export const callBuiltin = (
  raw: RawInstance,
  builtin: HostBuiltin,
  addresses: readonly number[],
  context: CallContext,
): number => {
  const operands = readOperands(raw, builtin, addresses, context);
  let result: RegoValue | undefined;
  try {
    result = builtin.run(context.scope, operands);
  } catch (thrown) {
    if (!(thrown instanceof BuiltinError)) throw thrown;
    if (context.strictErrors) throw new EvaluationFailure('builtin_error', `${builtin.name}: ${thrown.message}`);
    return 0;
  }
  if (result === undefined) return 0;
  if (builtin.nonDeterministic) {
    const call = { builtin: builtin.name, operands: resultJson(operands), result: resultJson(result) };
    // An answer whose grounds its record cannot hold could not be explained.
    if (context.scope.addCall(call) > context.budget.resultBytes) {
      const what = 'what the record keeps of builtins’ answers';
      throw new EvaluationFailure('too_large', `${what} takes more than ${context.budget.resultBytes} bytes`);
    }
  }
  return writeResult(raw, builtin, result, context);
};
