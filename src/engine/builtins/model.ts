import type { RegoValue } from '../../rego/index.ts';
import type { SeenToken } from '../model.ts';

/** What one evaluation shares among its builtin calls, and where they report what the answer rests on. */
export interface CallScope {
  /** The evaluation's clock, nanoseconds since 1970: the same for every call. */
  readonly nowNs: bigint;
  /** The answer has no known end: clock, randomness or the network was read. */
  markVolatile(): void;
  /** The earliest moment so far at which the answer may change. */
  readonly boundaryNs: bigint | undefined;
  /** The answer may change at this moment (nanoseconds); moments not after `nowNs` are ignored. */
  addBoundary(ns: bigint): void;
  addToken(token: SeenToken): void;
  /**
   * Takes points of the instruction budget for work that the bytes of the operands do not bound, before the work is
   * done. Ends the evaluation when too few are left.
   */
  spend(points: number): void;
  /** What the first call with this key made: the same for every later one of the evaluation. */
  once<T>(key: string, make: () => T): T;
}

/** A wrong operand or a failure: undefined for the policy, or the end of the evaluation under strict errors. */
export class BuiltinError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    // Policies fail on purpose, and writing down the stack would take ten times as long as the call.
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(message, options);
    Error.stackTraceLimit = limit;
  }
}

/**
 * A builtin in TypeScript. Operands and result are Rego values; `undefined` is Rego's undefined without an error.
 * Throws BuiltinError where OPA's builtin answers an error.
 */
export type Builtin = (scope: CallScope, ...operands: readonly RegoValue[]) => RegoValue | undefined;

/** Points of the instruction budget that a call takes, by itself and for each byte of its operands' and result's text. */
export interface CallCost {
  readonly call: number;
  readonly byte: number;
  /** What `spend` is asked for beyond that, in words for docs/reference/builtins.md. */
  readonly more?: string;
}

/** What carrying operands to the host and a result back takes. */
export const carrying: CallCost = { call: 3_000, byte: 10 };

export interface BuiltinEntry {
  readonly run: Builtin;
  /** Default: `carrying`. */
  readonly cost?: CallCost;
  /** Flagged non-deterministic in OPA's capabilities: the call goes into the record's nd_builtin_cache. */
  readonly nonDeterministic?: boolean;
}

export type BuiltinTable = ReadonlyMap<string, BuiltinEntry>;
