import type { CallScope } from './builtins/model.ts';
import type { Basis, NonDeterministicCall, SeenToken } from './model.ts';

const none: readonly never[] = [];

/** Collects what one evaluation rests on, from its builtin calls. */
export class EvaluationScope implements CallScope {
  readonly nowNs: bigint;
  private volatile = false;
  private boundaryNs: bigint | undefined;
  private tokens: SeenToken[] | undefined;
  private calls: NonDeterministicCall[] | undefined;

  constructor(nowNs: bigint) {
    this.nowNs = nowNs;
  }

  markVolatile(): void {
    this.volatile = true;
  }

  addBoundary(ns: bigint): void {
    if (ns <= this.nowNs) return;
    if (this.boundaryNs === undefined || ns < this.boundaryNs) this.boundaryNs = ns;
  }

  addToken(token: SeenToken): void {
    this.tokens ??= [];
    this.tokens.push(token);
  }

  addCall(call: NonDeterministicCall): void {
    this.calls ??= [];
    // OPA keeps one result for one builtin and its operands.
    if (!this.calls.some((known) => known.builtin === call.builtin && known.operands === call.operands)) {
      this.calls.push(call);
    }
  }

  basis(instructions: number): Basis {
    return {
      nowNs: this.nowNs,
      volatile: this.volatile,
      ...(this.boundaryNs === undefined ? {} : { boundaryNs: this.boundaryNs }),
      tokens: this.tokens ?? none,
      nonDeterministic: this.calls ?? none,
      instructions,
    };
  }
}
