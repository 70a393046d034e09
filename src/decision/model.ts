// The types in which decision, policy, identity and audit meet. Nothing here runs, but the error classes.
import type { TraceContext } from '../canonical/index.ts';
import type { CheckedJson, Evaluation, LoadedModule } from '../engine/index.ts';
import type { InputRead } from '../rego/index.ts';
import type { RecordFacts } from './record.ts';

export type * from './record.ts';
export { AuditError } from './record.ts';

// ---- who asks ---------------------------------------------------------------------------------------------------

export type Role = 'ask' | 'author' | 'approver' | 'auditor' | 'operator' | 'edge';

/** Who sent a request, as far as Verdict verified it. `anonymous` exists on loopback and Unix sockets only. */
export interface Caller {
  readonly kind: 'anonymous' | 'token';
  /** The API token's name; `anonymous` otherwise. */
  readonly name: string;
  readonly roles: readonly Role[];
  /** Bundles that the roles hold for; absent means all. */
  readonly bundles?: readonly string[];
}

// ---- what is asked ----------------------------------------------------------------------------------------------

export const WIRES = [
  'opa.v1',
  'opa.v0',
  'opa.default',
  'opa.batch',
  'authzen.evaluation',
  'authzen.evaluations',
  'verdict.decide',
  'verdict.batch',
] as const;
export type Wire = (typeof WIRES)[number];

/** What a wire knows of a request without reading its body. */
export interface RequestFacts {
  readonly wire: Wire;
  readonly caller: Caller;
  /** The client's address, as OPA's decision log has it: `127.0.0.1:51422`. */
  readonly requestedBy: string;
  /** What the decisions of one batch have in common; absent for a question that came alone. */
  readonly batchId?: string | undefined;
  /** W3C trace context: what the request came with, or the span that this server made for it. */
  readonly trace?: TraceContext | undefined;
}

/** Points that the evaluations of one batch may use together. An evaluation begins while some are left. */
export interface Allowance {
  readonly most: number;
  /** Counted down as evaluations end; what the last one uses beyond it is its own budget's to bound. */
  left: number;
}

export interface Query extends RequestFacts {
  /** Decoded path segments below `data`. */
  readonly path: readonly string[];
  /** Absent: `input` is undefined. */
  readonly input?: CheckedJson;
  readonly strictErrors: boolean;
  /** Neither read from the cache nor stored in it (`Cache-Control: no-cache`). */
  readonly bypassCache: boolean;
  /** Under this key the same request is answered again by `repeat`; absent: never. See `rawKey`, `cameBefore`. */
  readonly rawKey?: string;
  /** What was active when the request was read, for one that asks several questions; absent: what is active now. */
  readonly active?: ActivePolicy;
  /** Shared by the questions of one batch; absent: each evaluation has its own budget alone. */
  readonly allowance?: Allowance;
}

// ---- the answer -------------------------------------------------------------------------------------------------

/** Every failed verdict has one of these codes; docs/reference/errors.md says what each wire makes of them. */
export type DecisionErrorCode =
  | Extract<Evaluation, { kind: 'failed' }>['code']
  /** The input is not what the schemas of the entrypoint take: the message names the places, never a value. */
  | 'input_invalid'
  /** The decision could not be recorded, and `audit.onFailure` is `refuse`. */
  | 'audit_failed'
  /** No version is active. */
  | 'not_ready'
  /** The caller may not ask this. */
  | 'forbidden';

export interface DecisionError {
  readonly code: DecisionErrorCode;
  readonly message: string;
}

/** A policy's answer. `result` is the JSON text of any value, falsy ones too; `undefined` is not deny. */
export type Verdict =
  | { readonly kind: 'decided'; readonly result: string }
  | { readonly kind: 'undefined' }
  | { readonly kind: 'failed'; readonly error: DecisionError };

/**
 * What a verdict means to who enforces it: anything but an explicit permit is a refusal. `data`: no rule was asked for a yes
 * or a no, and a document was handed out.
 */
export const OUTCOMES = ['permit', 'refuse', 'data', 'undefined', 'failed'] as const;
export type Outcome = (typeof OUTCOMES)[number];

export const CACHE_STATES = ['hit', 'miss', 'bypass', 'uncacheable'] as const;
export type CacheState = (typeof CACHE_STATES)[number];

/** A version as answers and records name it. */
export interface PolicyRef {
  readonly name: string;
  readonly version: number;
  /** SHA-256 over the version's files, hexadecimal. */
  readonly digest: string;
  /** The manifest's revision, as its author wrote it. */
  readonly revision: string;
  /** SHA-256 of the version's data document, hexadecimal. */
  readonly dataRevision: string;
  /** True for a version that nobody asked about: one that answered is compiled with its rules, or reads its data. */
  readonly linked?: true;
}

export interface Answer {
  readonly decisionId: string;
  readonly verdict: Verdict;
  readonly outcome: Outcome;
  /** JSON text of an object of the `reasons` and `obligations` of a rule marked `custom.verdict: result`; absent otherwise. */
  readonly context?: string | undefined;
  /**
   * The versions that the answer was made from, in order of name: those that own the path (one, or several for a path
   * above several bundles) and those that they are linked with; none for an unknown path.
   */
  readonly policies: readonly PolicyRef[];
  readonly cache: CacheState;
  /** Milliseconds since the answer was made. */
  readonly ageMs: number;
  /** Milliseconds for which an edge may keep the answer; 0 is `no-store`. */
  readonly freshMs: number;
  /** The same moment on the wall clock, milliseconds since 1970; absent when the answer may not be kept. */
  readonly freshUntilMs?: number | undefined;
  /** A path that nothing active provides: wires add their warning. */
  readonly unknownPath: boolean;
  /** True when some rule stands at the path, undefined or not: OPA v0 tells "missing" from "undefined" by it. */
  readonly ruleAtPath: boolean;
  /** Nanoseconds that the evaluation took; absent when it was taken from the cache. */
  readonly evaluationNs?: number | undefined;
}

/** Called exactly once, after the record is where `audit.durability` wants it. */
export type Reply = (answer: Answer) => void;

/**
 * Told of every answer when it is given out, after its record; `durationMs` since the question was taken. It runs on the
 * way of the answer: it must be quick and never throw.
 */
export type AnswerObserver = (answer: Answer, facts: RecordFacts, durationMs: number) => void;

/** Told what a listener does with requests: it must be quick and never throw. */
export interface RequestObserver {
  /** A request was answered with this HTTP status. */
  responded(status: number): void;
  /** A request was refused before anything was decided; `reason` is a code out of the listener's closed set. */
  refused(reason: string): void;
}

/** The span of one request. */
export interface RequestSpan {
  /** What the facts of the request's decisions carry, as this very object: the span is found by it. */
  readonly context: TraceContext;
  /** `status`: HTTP's number or gRPC's name; undefined when the client went away. */
  end(status: number | string | undefined): void;
}

/** Makes spans of requests. Undefined: this one is not recorded. */
export interface RequestTracer {
  start(request: {
    readonly protocol: 'http' | 'grpc';
    /** HTTP's method, or gRPC's full one: `verdict.v1.Decisions/Decide`. */
    readonly method: string;
    /** HTTP's path with placeholders: few, whatever is asked. */
    readonly route: string;
    readonly parent: TraceContext | undefined;
  }): RequestSpan | undefined;
}

export interface Decisions {
  /**
   * Whether these bytes (or, of a request without a body, its target) came before: only then a raw key is worth making.
   * Most bodies of a varied load come once.
   */
  cameBefore(sent: Uint8Array | string): boolean;
  /**
   * Answers a request whose raw key was given to `decide` before and whose answer still holds; false, and nothing
   * happened, otherwise. `active` as in `Query`.
   */
  repeat(rawKey: string, facts: RequestFacts, reply: Reply, active?: ActivePolicy): boolean;
  decide(query: Query, reply: Reply): void;
}

// ---- what is active ---------------------------------------------------------------------------------------------

export interface ActiveVersion extends PolicyRef {
  readonly module: LoadedModule;
  /** SHA-256 over the rules and the data of other versions that the module holds; empty when it holds none. */
  readonly linkedDigest: string;
  /** Those versions, in order of name. */
  readonly links: readonly PolicyRef[];
  /** True when sources are missing or cut: no tests, no explain. */
  readonly opaque: boolean;
}

/**
 * What the schemas of an entrypoint say to an input: undefined when they take it. Never throws.
 *
 * @param input the input as values of JavaScript, made when it is first asked for; undefined when there was none
 */
export type InputCheck = (input: () => unknown) => DecisionError | undefined;

export interface RuleTarget {
  readonly version: ActiveVersion;
  readonly entrypoint: string;
  readonly below: readonly string[];
  /** The entrypoint is a package: its answer is the object of its rules and data. */
  readonly isPackage?: true;
  /** METADATA `custom.verdict: result`: `allow`, `reasons`, `obligations` and `ttl` of the value mean what they say. */
  readonly isResult: boolean;
  /** METADATA `custom.cache.ttl`, milliseconds: caches volatile answers for so long, and others no longer. */
  readonly ttlMs?: number;
  /** METADATA `custom.engine.instructions`: points that an evaluation may use in place of `engine.instructions`. */
  readonly instructions?: number;
  /** Absent when the entrypoint has no schema for its input. */
  readonly inputCheck?: InputCheck;
  /** All that an evaluation can read of the input; absent: any part of it. */
  readonly reads?: readonly InputRead[];
}

export type Resolution =
  | { readonly kind: 'rule'; readonly target: RuleTarget }
  /** A path that data alone covers. */
  | { readonly kind: 'data'; readonly version: ActiveVersion; readonly json: string }
  /** A path above several documents: an object of the parts, each under its path below the one asked. */
  | {
      readonly kind: 'composite';
      readonly parts: readonly { readonly at: readonly string[]; readonly part: Resolution }[];
    }
  | { readonly kind: 'unknown' };

/** Everything that is live, frozen: a request reads it once and uses it to its end. */
export interface ActivePolicy {
  /** +1 at every change of policy or data. Orders events; no cache key. */
  readonly epoch: number;
  readonly versions: ReadonlyMap<string, ActiveVersion>;
  resolve(path: readonly string[]): Resolution;
  /** The path that answers AuthZEN for a bundle (absent: the one config names), or undefined when there is none. */
  authzenPath(bundle?: string): readonly string[] | undefined;
}

/** Where the decision path reads what is active. `current` changes whole, never in part. */
export interface PolicySource {
  readonly current: ActivePolicy;
  /** Called after every change, with what is active from then on. */
  onChange(listener: (active: ActivePolicy) => void): void;
}
