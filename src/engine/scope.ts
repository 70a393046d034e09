import type { CallScope } from './builtins/model.ts';
import { EvaluationFailure } from './failure.ts';
import type { Basis, NonDeterministicCall, SeenToken } from './model.ts';

const none: readonly never[] = [];

/** Collects what one evaluation rests on, from its builtin calls. */
export class EvaluationScope implements CallScope {
  readonly nowNs: bigint;
  boundaryNs: bigint | undefined;
  private readonly take: (points: number) => boolean;
  private volatile = false;
  private tokens: Map<string, SeenToken> | undefined;
  private calls: Map<string, NonDeterministicCall> | undefined;
  private callLength = 0;
  private made: Map<string, unknown> | undefined;

  /** `take` takes points of the budget, and is false once it ran out; without it there is no bound. */
  constructor(nowNs: bigint, take: (points: number) => boolean = () => true) {
    this.nowNs = nowNs;
    this.take = take;
  }

  spend(points: number): void {
    if (!this.take(points)) throw new EvaluationFailure('budget_exceeded', 'the calls of builtins used up the budget');
  }

  once<T>(key: string, make: () => T): T {
    this.made ??= new Map();
    if (!this.made.has(key)) this.made.set(key, make());
    return this.made.get(key) as T;
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

  /** Characters of all calls so far. */
  addCall(call: NonDeterministicCall): number {
    // OPA keeps one result for one builtin and its operands.
    this.calls ??= new Map();
    const key = `${call.builtin} ${call.operands}`;
    if (this.calls.has(key)) return this.callLength;
    this.calls.set(key, call);
    this.callLength += call.operands.length + call.result.length;
    return this.callLength;
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
