import { VerdictError } from '../canonical/index.ts';

/** One thing that is wrong with the configuration. */
export interface ConfigProblem {
  /** Dotted name of the key: `cache.maxBytes`; empty for the file as a whole. */
  readonly key: string;
  /** What was wanted and what came, and where it came from: `(verdict.yaml:3:5)`, `(--set)`, `(VERDICT_CACHE__MAX_BYTES)`. */
  readonly message: string;
}

export type ConfigErrorCode =
  /** The file that was named is missing or cannot be read. */
  | 'CONFIG_UNREADABLE'
  /** Not YAML, a key twice, or a `--set` without a value. */
  | 'CONFIG_SYNTAX'
  /** Unknown keys, wrong types, values out of range. */
  | 'CONFIG_INVALID';

/** A configuration that was not accepted: every problem at once. */
export class ConfigError extends VerdictError<ConfigErrorCode> {
  readonly problems: readonly ConfigProblem[];

  constructor(code: ConfigErrorCode, message: string, problems: readonly ConfigProblem[], cause?: unknown) {
    super(code, message, { cause });
    this.problems = problems;
  }
}

/** Where configuration comes from, weakest first: the file, the environment, `sets`. */
export interface ConfigSource {
  /** Absent: `verdict.yaml` in the working directory when there is one. */
  readonly file?: string;
  /** `server.http.port=0`; the value is read as YAML. */
  readonly sets: readonly string[];
  readonly env: { readonly [name: string]: string | undefined };
}

/** The parts of JSON Schema that sections of the configuration are written in. */
export interface SettingSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly pattern?: string;
  /** Values that say what is wanted better than the pattern does. */
  readonly examples?: readonly unknown[];
  readonly items?: SettingSchema;
  readonly properties?: { readonly [name: string]: SettingSchema };
  /** A secret: shown as `***`, and never part of a message. */
  readonly writeOnly?: boolean;
}
