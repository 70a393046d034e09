// What a check and a compilation find out about sources: part of model.ts.
import type { RegoAnnotation, RegoProblem, RegoReference } from './model.ts';

/** What a check knows about sources that have no errors. */
export interface RegoInspection {
  /** Paths of the packages that have rules, tests left out, slash-separated: each can be an entrypoint. */
  readonly packages: readonly string[];
  /** Rule paths of the modules that are no tests (functions left out), slash-separated, sorted. */
  readonly rules: readonly string[];
  readonly annotations: readonly RegoAnnotation[];
  /**
   * References to `data` that the sources' own packages do not (wholly) define, tests left out: also those that end
   * above a package (`data[x]` has the path `[]`), and data below an own package that no rule defines.
   */
  readonly dataReferences: readonly RegoReference[];
  /** References of tests to `data` that meet no rule of the sources, and that no `with` of any test replaces. */
  readonly testReferences: readonly RegoReference[];
  /** Number of test rules. */
  readonly tests: number;
  readonly warnings: readonly RegoProblem[];
}

/** A place of the input that an evaluation can read: the value there, or (shape) only whether there is one, of which kind. */
export interface InputRead {
  /** Names from the input down; none is the input itself. */
  readonly path: readonly string[];
  /** Kinds are null, true, false, number, string, array and object. */
  readonly shape?: boolean;
}

export interface SourcePlace {
  readonly file: string;
  readonly row: number;
  readonly col: number;
}

/**
 * A read, and where in the sources it is first. `why` says what keeps it from being a smaller place: names that lead on
 * are known only when a question comes (dynamic), a part of the input is replaced by `with` (replaced), or a construct is not
 * looked into (unknown).
 */
export type PlacedRead = InputRead & SourcePlace & { readonly why?: 'dynamic' | 'replaced' | 'unknown' };

export interface PlacedCall extends SourcePlace {
  readonly builtin: string;
  /** A call of the clock of which all that is made tells until when it holds. */
  readonly window?: true;
}

/** What the answers of an entrypoint rest on, in order of path and place. */
export interface EntrypointCaching {
  readonly reads: readonly PlacedRead[];
  /** Places of data that no rule defines, each once. */
  readonly data: readonly RegoReference[];
  /** Calls of builtins whose answers depend on more than their operands, or that look into tokens. */
  readonly calls: readonly PlacedCall[];
}

/** Why definitions are tried one after the other. The first two keep all rules of the sources from being found otherwise. */
export type TriedReason =
  | 'all-data'
  | 'mock'
  | 'rego-v0'
  | 'metadata'
  | 'default'
  | 'else'
  | 'name'
  | 'object'
  | 'no-constant'
  | 'few'
  | 'no-gain';

/** How the definitions of one path, if it has several, are found. */
export interface IndexedRule extends SourcePlace {
  /** `data.todo.allow` */
  readonly path: string;
  readonly definitions: number;
  /**
   * Definitions that are found by what stands at these places, which they compare with constants: `input.a.b`,
   * `input.roles[_]` (one of its members), `argument 1` of a function.
   */
  readonly found: readonly (SourcePlace & { readonly by: readonly string[]; readonly definitions: number })[];
  readonly tried: readonly (SourcePlace & { readonly why: TriedReason; readonly definitions: number })[];
}

export interface RuleIndex {
  readonly hindrance?: SourcePlace & { readonly why: TriedReason };
  readonly rules: readonly IndexedRule[];
}

export interface CompiledEntrypoint {
  /** Slash-separated, without `data`. */
  readonly path: string;
  /** Names of all builtins that an evaluation from here can reach. */
  readonly builtins: readonly string[];
  /** All that an evaluation from here can read of the input: inputs that agree on it are answered alike. */
  readonly reads: readonly InputRead[];
  /** When reasons were asked for. */
  readonly caching?: EntrypointCaching;
}

export interface Compiled {
  readonly wasm: Uint8Array;
  readonly entrypoints: readonly CompiledEntrypoint[];
  /** When reasons were asked for. */
  readonly index?: RuleIndex;
}
