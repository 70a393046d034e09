import { VerdictError } from '../canonical/index.ts';
import type { NetworkCounts } from './network/model.ts';

declare const checked: unique symbol;

/**
 * Bytes of one JSON text that `checkJson` accepted: UTF-8, one value, no duplicate keys, within the limits of depth
 * and keys. Only such bytes reach a policy.
 */
export type CheckedJson = Uint8Array & { readonly [checked]: true };

export type Budget = {
  /** Points of the counter that is put at function entries and loop heads, and of builtins' calls (1e8: some 0.1 s). */
  readonly instructions: number;
  /** Points that an evaluation gets on the deciding thread; one that needs more begins anew on a worker. */
  readonly decidingInstructions: number;
  /** The most that a request may name as its own number of points. */
  readonly mostInstructions: number;
  /** Bytes of Wasm memory beyond what the data takes. */
  readonly memoryBytes: number;
  /** Bytes of one result, of one builtin's arguments, and of one builtin's result. */
  readonly resultBytes: number;
  readonly argumentBytes: number;
  /** Wall time of an evaluation on a worker that runs OPA's Go builtins, milliseconds. */
  readonly deadlineMs: number;
};

export type EvaluationErrorCode =
  /** The instruction budget ran out. */
  | 'budget_exceeded'
  /** The memory maximum was reached. */
  | 'memory_exceeded'
  /** An evaluation on a worker missed its deadline. */
  | 'deadline_exceeded'
  /** Two rules gave different values for one document: OPA's eval_conflict_error. */
  | 'conflict'
  /** A builtin failed and strict errors were asked for, or it failed in a way that ends any evaluation. */
  | 'builtin_error'
  /** A result, an argument or a nesting is larger than the engine takes. */
  | 'too_large'
  /** The module or a worker failed in a way that has no name of its own: another abort, a trap, a full queue. */
  | 'engine_error';

/** A token that the evaluation decoded or verified: what a record and revocation need, never the token itself. */
export interface SeenToken {
  readonly issuer?: string;
  readonly subject?: string;
  readonly id?: string;
  /** SHA-256 of the claims part as it stood in the token, hexadecimal. */
  readonly claimsDigest: string;
  /** Seconds since 1970, as they stand in the token. */
  readonly expires?: number;
  readonly notBefore?: number;
}

/** One non-deterministic builtin's result, as OPA keeps it in nd_builtin_cache: operands and result as JSON text. */
export interface NonDeterministicCall {
  readonly builtin: string;
  readonly operands: string;
  readonly result: string;
}

/** What an evaluation rests on beside policy, data and input. */
export interface Basis {
  /** The clock of the evaluation, nanoseconds since 1970. */
  readonly nowNs: bigint;
  /** True when clock, randomness or the network was read in a way that gives the answer no known end. */
  readonly volatile: boolean;
  /** The earliest moment after `nowNs` at which a token seen changes from valid to not or back; nanoseconds. */
  readonly boundaryNs?: bigint;
  readonly tokens: readonly SeenToken[];
  readonly nonDeterministic: readonly NonDeterministicCall[];
  /** Points of the instruction budget that were used. */
  readonly instructions: number;
}

export type Evaluation =
  /** `json` is OPA's JSON of the value: sets as sorted arrays, object keys sorted, Go's number text. */
  | { readonly kind: 'defined'; readonly json: string; readonly basis: Basis }
  | { readonly kind: 'undefined'; readonly basis: Basis }
  | { readonly kind: 'failed'; readonly code: EvaluationErrorCode; readonly message: string; readonly basis: Basis };

export interface EvaluationRequest {
  readonly entrypoint: string;
  /** Segments below the entrypoint, which index into its value: object keys, array indexes, set members. */
  readonly below: readonly string[];
  /** Absent means that `input` is undefined, which is not the same as `null`. */
  readonly input?: CheckedJson;
  readonly strictErrors: boolean;
  /** Points for this evaluation; default the budget's, at most the budget's `mostInstructions`. */
  readonly instructions?: number;
}

/**
 * A version's module, ready to evaluate. Evaluations that need OPA's Go builtins, or more points than the deciding
 * thread gives, run on a worker and give a promise.
 */
export interface LoadedModule {
  readonly entrypoints: readonly string[];
  /** Host builtins that the module imports, by name. */
  readonly builtins: readonly string[];
  evaluate(request: EvaluationRequest): Evaluation | Promise<Evaluation>;
  /**
   * Runs entrypoints, so that the first query does not pay for V8's compilation. Other work goes on in between, and what
   * all of them may take together is bounded: not every entrypoint of a large or greedy module is run.
   */
  warm(): Promise<void>;
  /** Frees instances and workers; evaluations that run finish first. */
  close(): Promise<void>;
}

export interface ModuleSource {
  /** For messages and workers: `todo@3`. */
  readonly name: string;
  /** The module as it stands in the bundle; the instruction counter is put in here, when it is loaded. */
  readonly wasm: Uint8Array;
  /** JSON text of the data document, which is an object. */
  readonly data: CheckedJson;
  /** Builtins that each entrypoint can reach; where it is absent, every entrypoint counts as reaching all. */
  readonly reach?: ReadonlyMap<string, readonly string[]>;
  /**
   * What answers for the bundle now. What the two have in common is not made again: the compiled module, and where
   * little of large data differs its image, in which each instance then changes its part.
   */
  readonly replaces?: LoadedModule;
}

/** Evaluation workers: threads that there are, evaluations that wait for one, threads that were lost or ended. */
export interface WorkerStats {
  readonly threads: number;
  readonly waiting: number;
  readonly replaced: number;
}

/** Evaluations since the start, warming included, by where they ended, and how many were moved from one to the other. */
export interface EvaluationPlaces {
  readonly deciding: number;
  readonly worker: number;
  /** They used up what the deciding thread gives: begun there, and once more on a worker. */
  readonly moved: number;
}

export interface Engine {
  /** Whether policies may reach any host at all; modules that need one are refused otherwise. */
  readonly network: boolean;
  /** Requests of http.send since the start. */
  networkCounts(): NetworkCounts;
  /** Whether policies may ask this host, by name or address; what a name stands for is looked at when it is asked. */
  allowsHost(host: string): boolean;
  /** Rejects with ModuleError when the module cannot be run here: nothing of it stays. */
  load(source: ModuleSource): Promise<LoadedModule>;
  workers(): WorkerStats;
  places(): EvaluationPlaces;
  /** Points that evaluations used since the start, by bundle (what a source's name begins with, up to an `@`). */
  points(): ReadonlyMap<string, number>;
  close(): Promise<void>;
}

export type ModuleErrorCode =
  /** Not a Wasm module, or one that the instruction counter cannot be put into. */
  | 'MODULE_INVALID'
  /** An import, export, memory or ABI version that OPA's compiler does not make. */
  | 'MODULE_FOREIGN'
  /** A builtin that Verdict does not provide (the message names it). */
  | 'MODULE_BUILTIN_UNKNOWN'
  /** The data is not JSON, or does not fit into the memory maximum. */
  | 'MODULE_DATA_INVALID';

export class ModuleError extends VerdictError<ModuleErrorCode> {}
