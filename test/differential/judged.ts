import type { Case } from './case.ts';

/** An answer that is not the interpreter's, or not the module's. */
export interface Difference {
  /**
   * Whose: the module's, or the cache's; or those of two inputs that the footprint takes for one. Of the same rules as
   * they were written (`flat`), as production regroups them (`usual`), and in npm's host (`sdk`): not the module's.
   */
  readonly judge: 'module' | 'cache' | 'footprint' | 'flat' | 'usual' | 'sdk';
  readonly entrypoint: string;
  readonly input: string | null;
  /** For a footprint: the input that should have had the same answer. */
  readonly other?: string | null;
  readonly wanted: string;
  readonly found: string;
}

export interface Judged {
  readonly case: Case;
  /** Why the case does not compile. */
  readonly invalid?: string;
  readonly differences: readonly Difference[];
  /** The interpreter's answers, by entrypoint. */
  readonly answers: ReadonlyMap<string, readonly string[]>;
  /** Whether rules of the module that the case is part of were regrouped. */
  readonly isRegrouped: boolean;
  /** Whether production's way of compiling it regroups some, too. */
  readonly isUsual: boolean;
  /** Inputs that the cache answered without an evaluation. */
  readonly hits: number;
  /** Pairs of different inputs that look the same to a rule. */
  readonly pairs: number;
  /** Answers that npm's host was asked for, too. */
  readonly sdkAnswers: number;
}
