import type { CallScope } from './builtins/model.ts';
import type { Basis, NonDeterministicCall, SeenToken } from './model.ts';

const none: readonly never[] = [];

/** Collects what one evaluation rests on, from its builtin calls. */
export class EvaluationScope implements CallScope {
  readonly nowNs: bigint;
  private volatile = false;
  private boundaryNs: bigint | undefined;
  private tokens: Map<string, SeenToken> | undefined;
  private calls: Map<string, NonDeterministicCall> | undefined;

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
    // A token that is decoded and then verified is seen twice, and is one.
    this.tokens ??= new Map();
    this.tokens.set(token.claimsDigest, token);
  }

  addCall(call: NonDeterministicCall): void {
    // OPA keeps one result for one builtin and its operands.
    this.calls ??= new Map();
    const key = `${call.builtin} ${call.operands}`;
    if (!this.calls.has(key)) this.calls.set(key, call);
  }

  basis(instructions: number): Basis {
    return {
      nowNs: this.nowNs,
      volatile: this.volatile,
      ...(this.boundaryNs === undefined ? {} : { boundaryNs: this.boundaryNs }),
      tokens: this.tokens === undefined ? none : [...this.tokens.values()],
      nonDeterministic: this.calls === undefined ? none : [...this.calls.values()],
      instructions,
    };
  }
}
