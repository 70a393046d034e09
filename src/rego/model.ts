import { VerdictError } from '../canonical/index.ts';
import type { Compiled, RegoInspection } from './findings.ts';
import { problemsSentence } from './problems.ts';
import type { TraceLevel } from './trace.ts';
import type { RegoValue } from './value.ts';

export type * from './findings.ts';

/** One file of a bundle, with its path inside the bundle: forward slashes, no leading slash. */
export interface RegoFile {
  readonly path: string;
  readonly text: string;
}

/** Where a problem stands. Rows and columns count from 1. `excerpt` is the source line, as it stands. */
export interface RegoProblem {
  /** OPA's code: rego_parse_error, rego_compile_error, rego_type_error, rego_unsafe_var_error, rego_recursion_error ... */
  readonly code: string;
  readonly message: string;
  readonly file?: string;
  readonly row?: number;
  readonly col?: number;
  readonly excerpt?: string;
}

/** What a METADATA block says of a rule, package or document (OPA's annotations as JSON). */
export interface RegoAnnotation {
  /** Slash-separated path of what it is attached to, without `data`: `todo/allow`. Tests are left out. */
  readonly path: string;
  readonly scope: 'rule' | 'document' | 'package' | 'subpackages';
  readonly file: string;
  readonly row: number;
  readonly annotations: { readonly [key: string]: unknown };
}

/** A reference to `data` in the sources, as far as it is constant: for checking roots. */
export interface RegoReference {
  readonly path: readonly string[];
  readonly file: string;
  readonly row: number;
  readonly col: number;
}

export type RegoVersion = 0 | 1;

/** What is checked, compiled or tested: sources and the data beside them. */
export interface RegoSources {
  readonly modules: readonly RegoFile[];
  /** JSON text of the data document; absent means `{}`. */
  readonly data?: Uint8Array;
  /** Default 1. `regoVersions` overrides it for single files. */
  readonly regoVersion?: RegoVersion;
  readonly regoVersions?: { readonly [path: string]: RegoVersion };
  /** JSON Schemas by name, `a/b` for `schema["a"]["b"]` of METADATA: a check holds references against them. */
  readonly schemas?: { readonly [name: string]: unknown };
}

/** A reference or variable, and what it stood for: Rego text, cut at 200 bytes; `undefined` where it had no value. */
export interface RegoNamedValue {
  readonly name: string;
  readonly value: string;
}

export interface TestResult {
  /** Slash-separated, without `data`. */
  readonly package: string;
  readonly name: string;
  readonly file: string;
  readonly row: number;
  readonly outcome: 'passed' | 'failed' | 'errored' | 'skipped';
  readonly message?: string;
  /** Of a failed test: what the references and variables of the expression that was not true stood for, as in RegoStep. */
  readonly values?: readonly RegoNamedValue[];
  readonly durationNs: number;
  /** Lines that the test printed. */
  readonly output?: string;
}

/** A call of http.send or net.lookup_ip_addr that an evaluation wants made. */
export interface NetworkCall {
  readonly builtin: string;
  /** JSON text. */
  readonly operand: string;
}

/** What came of it: a value as JSON text, or the builtin's error. */
export type NetworkAnswer = { readonly result: string } | { readonly error: string };

export interface NetworkOptions {
  /** Makes a call; each is made once, however often it is wanted, and a hundred at most. Absent: all fail. Never rejects. */
  readonly network?: (call: NetworkCall) => Promise<NetworkAnswer>;
}

export interface TestReport {
  readonly results: readonly TestResult[];
  /** Calls of the network that nobody made. */
  readonly refused?: readonly NetworkCall[];
  /** OPA's coverage document, when it was asked for: `{files: {path: {covered, not_covered, coverage}}, coverage}`. */
  readonly coverage?: unknown;
}

/** A rule that an evaluation tried, or an expression in it that did not hold. */
export interface RegoStep {
  /** Reference such as `data.todo.allow`; absent for an expression. */
  readonly rule?: string;
  /** The rule is a default. */
  readonly default?: boolean;
  /** An expression as it stands in the source, or what can be said of it: `input.user.id is undefined`. */
  readonly text?: string;
  readonly held: boolean;
  readonly file?: string;
  readonly row?: number;
  /** What an expression's references and variables stood for. */
  readonly values?: readonly RegoNamedValue[];
  /** What a builtin of the expression said of its operands, where that is why it has no value. */
  readonly error?: string;
  readonly steps?: readonly RegoStep[];
  /** So many more definitions of this rule did not hold either, and failed earlier. */
  readonly more?: number;
}

export interface RegoEvaluation {
  /**
   * The bindings of every solution: `[{"x": 1}]`; a query of one expression (a path, a call) also binds its value to
   * `result`. Empty means undefined.
   */
  readonly bindings: readonly { readonly [name: string]: RegoValue }[];
  /** OPA's trace events, pretty-printed, when asked for. */
  readonly trace?: string;
  readonly printed?: string;
  /** The rules that were tried, outermost first, when asked for. */
  readonly steps?: readonly RegoStep[];
  /** There were more steps than are kept (20,000), or more of an explanation (4 MiB). */
  readonly cut?: boolean;
  /** `explanation` as OPA's Data API has it, when asked for. */
  readonly explanation?: readonly unknown[];
  /** Calls of the network that nobody made. */
  readonly refused?: readonly NetworkCall[];
}

export interface Progress {
  readonly stage: string;
  readonly done: number;
  readonly total: number;
}

export interface CallOptions {
  /**
   * Ends the call so many milliseconds after its turn came: the toolchain's worker is terminated and replaced, the
   * call rejects with TOOLCHAIN_DEADLINE.
   */
  readonly deadlineMs?: number;
  readonly onProgress?: (progress: Progress) => void;
}

/** What the module keeps for one evaluation: everything that OPA keeps the same within one. */
export interface EvaluationContext {
  /** Nanoseconds since 1970: what `time.now_ns` answers. */
  readonly nowNs: bigint;
  /** Seed of rand.intn and uuid.rfc4122 within this evaluation: 32 bytes. */
  readonly seed: Uint8Array;
}

/**
 * OPA's own toolchain in a worker thread. Every call may reject with a ToolchainError; after a crash, a deadline or
 * exhausted memory the worker is replaced, and later calls work. Calls run one at a time, in order.
 */
export interface Toolchain {
  /** OPA's version and the SHA-256 of the uncompressed module. */
  readonly version: { readonly opa: string; readonly digest: string };
  /** Strict check: rejects with RegoError naming every problem (also those that are warnings elsewhere in `strict`). */
  check(sources: RegoSources, options?: CallOptions & { readonly strict?: boolean }): Promise<RegoInspection>;
  /** Compiles to one Wasm module (ABI 1.3, no optimisation). Rejects with RegoError. */
  compile(
    sources: RegoSources,
    entrypoints: readonly string[],
    options?: CallOptions & {
      /** Asks for what answers rest on, and how rules are found. */
      readonly reasons?: boolean;
      /** How much of the rules is regrouped, for comparisons: all that can be, or none. Default: what pays. */
      readonly regrouping?: 'all' | 'none';
    },
  ): Promise<Compiled>;
  /** Compiles one whole query, as OPA's conformance cases want it: the module's only entrypoint is the query. */
  compileQuery(sources: RegoSources, query: string, options?: CallOptions): Promise<Compiled>;
  /** Runs the `test_` rules in OPA's interpreter. */
  test(
    sources: RegoSources,
    options?: CallOptions & NetworkOptions & { readonly coverage?: boolean; readonly run?: string },
  ): Promise<TestReport>;
  /** OPA's formatting of one file. */
  format(file: RegoFile, options?: CallOptions & { readonly regoVersion?: RegoVersion }): Promise<string>;
  /** Evaluates a query in OPA's interpreter. */
  evaluate(
    sources: RegoSources,
    query: string,
    options?: CallOptions &
      NetworkOptions & {
        readonly input?: RegoValue;
        readonly strictErrors?: boolean;
        readonly trace?: boolean;
        readonly context?: EvaluationContext;
        /** Every rule is tried for it: rules that an index leaves out are among the steps. */
        readonly steps?: boolean;
        /** Results of non-deterministic builtins that stand for calls, as `nd_builtin_cache` of a record has them. */
        readonly calls?: unknown;
        readonly explain?: { readonly level: TraceLevel; readonly pretty: boolean };
      },
  ): Promise<RegoEvaluation>;
  /** Workers that were replaced: after a crash, a missed deadline, or because one kept too much memory. */
  restarts(): number;
  /** Ends the worker. */
  close(): Promise<void>;
}

export type ToolchainErrorCode =
  | 'TOOLCHAIN_UNAVAILABLE'
  | 'TOOLCHAIN_CRASHED'
  | 'TOOLCHAIN_DEADLINE'
  | 'TOOLCHAIN_MEMORY'
  | 'TOOLCHAIN_CLOSED';

export class ToolchainError extends VerdictError<ToolchainErrorCode> {}

/** Sources that do not parse, check or compile: all problems, in order of file and row. */
export class RegoError extends VerdictError<'REGO_INVALID'> {
  readonly problems: readonly RegoProblem[];

  constructor(problems: readonly RegoProblem[]) {
    super('REGO_INVALID', problems.length === 0 ? 'the sources are not valid Rego' : problemsSentence(problems));
    this.problems = problems;
  }
}
