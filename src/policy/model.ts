import { VerdictError } from '../canonical/index.ts';
import type { PolicySource } from '../decision/model.ts';
import type { RegoAnnotation, RegoProblem, RegoVersion } from '../rego/index.ts';
import { problemsSentence } from '../rego/index.ts';

/** A bundle's files after the archive was checked: names normalised (no leading `/` or `./`), none twice. */
export interface BundleFiles {
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Names of members that a bundle is not made of (the first twenty): they were left out. */
  readonly ignored?: readonly string[];
}

/** OPA's `.manifest`, checked. */
export interface Manifest {
  readonly revision: string;
  /** Slash paths without leading or trailing slash; `['']` owns everything. */
  readonly roots: readonly string[];
  readonly regoVersion: RegoVersion;
  readonly fileRegoVersions: { readonly [glob: string]: RegoVersion };
  readonly wasm: readonly { readonly entrypoint: string; readonly module: string }[];
  /** Entrypoints that the author named (`metadata.verdict.entrypoints`, or `wasm` of a foreign build). */
  readonly entrypoints?: readonly string[];
  readonly metadata: { readonly [key: string]: unknown };
}

/** One immutable upload. */
export interface VersionInfo {
  readonly name: string;
  readonly version: number;
  /** SHA-256 over the normalised files (names, lengths, bytes, in order of name): 64 hexadecimal digits. */
  readonly digest: string;
  readonly revision: string;
  readonly roots: readonly string[];
  readonly entrypoints: readonly string[];
  readonly state: 'pushed' | 'active' | 'retired';
  readonly opaque: boolean;
  /** Builtins that the module calls on the host. */
  readonly builtins: readonly string[];
  readonly tests: { readonly passed: number };
  readonly pushedBy: string;
  readonly pushedAt: string;
  readonly activatedBy?: string;
  readonly activatedAt?: string;
  /** What its author should know: narrowed roots, opaque, strict-mode findings. */
  readonly notes: readonly string[];
}

export interface BundleInfo {
  readonly name: string;
  readonly active?: VersionInfo;
  readonly latest: VersionInfo;
  readonly versions: number;
}

export interface PushOptions {
  readonly by: string;
  readonly activate: boolean;
}

export interface PushResult {
  readonly version: VersionInfo;
  /** False when the same digest was there already. */
  readonly created: boolean;
  readonly epoch: number;
  /** Roots that the bundle's active version had before, and that this one gives up, as a sentence. */
  readonly warnings: readonly string[];
}

/** A version made active. */
export interface ActivationResult {
  readonly version: VersionInfo;
  readonly epoch: number;
  /** As a push has them. */
  readonly warnings: readonly string[];
}

/** What `verdict build` writes and what a push of plain Rego is turned into. */
export interface BuiltBundle {
  /** The `.tar.gz`; the same sources give the same bytes. */
  readonly archive: Uint8Array;
  readonly entrypoints: readonly string[];
  readonly builtins: readonly string[];
  readonly annotations: readonly RegoAnnotation[];
  readonly warnings: readonly RegoProblem[];
}

/** Versions on disk, the active set, and every change of it. Changes run one at a time, in order. */
export interface PolicyStore extends PolicySource {
  bundles(): readonly BundleInfo[];
  /** Newest first; throws BUNDLE_UNKNOWN. */
  versions(name: string): readonly VersionInfo[];
  version(name: string, version: number): VersionInfo;
  /** The archive as stored (built here, or as pushed when opaque). */
  archive(name: string, version: number): Promise<Uint8Array>;
  push(name: string, archive: Uint8Array, options: PushOptions): Promise<PushResult>;
  activate(name: string, version: number, by: string): Promise<ActivationResult>;
  /** What a rollback would make active; undefined when there is nothing to go back to. Throws BUNDLE_UNKNOWN. */
  rollbackTarget(name: string): number | undefined;
  /** Activates the version that was active before the present one. */
  rollback(name: string, by: string): Promise<ActivationResult>;
  close(): Promise<void>;
}

export type PolicyErrorCode =
  /** Not a gzip tar, hostile names or types, over a limit: message says which member. */
  | 'ARCHIVE_INVALID'
  /** Over a size limit. */
  | 'ARCHIVE_TOO_LARGE'
  | 'BUNDLE_NAME_INVALID'
  | 'BUNDLE_UNKNOWN'
  | 'VERSION_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'DATA_INVALID'
  /** Overlaps the roots of another active bundle, or a file lies outside the bundle's own roots. */
  | 'ROOTS_CONFLICT'
  /** Rego that does not compile: `problems` names every place. */
  | 'REGO_INVALID'
  /** A JSON Schema that does not compile, or METADATA that names one that is not there: `problems` names every place. */
  | 'SCHEMA_INVALID'
  /** A rule refers to data that only bundles which configuration names may have to do with. */
  | 'REFERENCE_OUTSIDE_ROOTS'
  /** A rule refers to what no active bundle provides. */
  | 'REFERENCE_UNPROVIDED'
  | 'BUILTIN_UNKNOWN'
  | 'MODULE_INVALID'
  /** The version's own tests fail: `problems` names them. */
  | 'TESTS_FAILED'
  | 'OPAQUE_REFUSED'
  | 'NOTHING_TO_ROLL_BACK'
  /** The toolchain crashed, ran out of memory or missed its deadline on these sources. */
  | 'TOOLCHAIN_FAILED'
  /** The catalog or a stored bundle cannot be read or written. */
  | 'STORAGE_FAILED'
  /** There is no rule, or none in the sources, whose evaluation could be followed. */
  | 'EXPLAIN_IMPOSSIBLE'
  /** More explanations wait than the toolchain takes. */
  | 'EXPLAIN_BUSY'
  /** What was to be explained is an evaluation that fails, since one document has several values: `problems` has them. */
  | 'EVALUATION_CONFLICT'
  /** What was to be explained is an evaluation that fails otherwise, as with a builtin's error that counts. */
  | 'EVALUATION_FAILED';

export class PolicyError extends VerdictError<PolicyErrorCode> {
  readonly problems: readonly RegoProblem[];

  constructor(
    code: PolicyErrorCode,
    message: string,
    options?: { readonly cause?: unknown; readonly problems?: readonly RegoProblem[] },
  ) {
    super(code, message, options);
    this.problems = options?.problems ?? [];
  }
}

/** Refuses when there are problems: the message is the first one's, with its place. */
export const refuseProblems = (
  code: PolicyErrorCode,
  problems: readonly RegoProblem[],
  options?: { readonly cause?: unknown },
): void => {
  if (problems.length > 0) throw new PolicyError(code, problemsSentence(problems), { ...options, problems });
};
