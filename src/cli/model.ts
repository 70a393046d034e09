import type { Json } from '../canonical/index.ts';

/** Where configuration comes from, weakest first: the file, then the environment (`VERDICT_A__B`), then `sets`. */
export interface ConfigSource {
  /** Absent: `verdict.yaml` in the working directory when there is one, else the defaults alone. */
  readonly file?: string;
  /** As given on the command line: `server.http.port=0`. The value is read as YAML. */
  readonly sets: readonly string[];
  /** Only names with a double underscore are configuration; VERDICT_SERVER and VERDICT_TOKEN belong to the command. */
  readonly env: { readonly [name: string]: string | undefined };
}

/** What the command reads of a configuration; the rest is between `loadConfig` and `startServer`. */
export interface CliConfig {
  readonly storage: { readonly dir: string };
  readonly server: {
    readonly admin: { readonly host: string; readonly port: number };
    /** An empty socket: none. */
    readonly http: { readonly host: string; readonly port: number; readonly socket: string };
    readonly grpc: { readonly enabled: boolean; readonly host: string; readonly port: number; readonly socket: string };
  };
  readonly engine: { readonly network: { readonly tlsFiles: readonly string[] } };
  readonly policy: { readonly bundles: readonly BundleArgument[] };
}

/** A bundle that `serve --bundle` names: pushed and activated when its digest is not the active one. */
export interface BundleArgument {
  readonly name: string;
  /** A directory of Rego and data, or a bundle file. */
  readonly path: string;
}

/** What became of a bundle that a running server was given. */
export interface AddedBundle {
  readonly name: string;
  /** The version that is active now. */
  readonly version: number;
  readonly testsPassed: number;
  /** False when it was the active one already. */
  readonly changed: boolean;
  /** What its author should know. */
  readonly notes: readonly string[];
}

export interface RunningServer {
  /**
   * Where it listens: base addresses without a slash at the end, `http://127.0.0.1:8181`, and what a gRPC client dials,
   * `127.0.0.1:9191`; absent when gRPC is off.
   */
  readonly urls: { readonly http: string; readonly grpc?: string; readonly admin: string };
  /** Pushes and activates bundles as a start does: all of them, or, when one is refused, none. */
  addBundles(bundles: readonly BundleArgument[]): Promise<readonly AddedBundle[]>;
  /** Begins to drain; may be called more than once. */
  stop(): void;
  /** Resolves when the last answer has left and the log is closed; rejects when the server ended by a failure. */
  readonly stopped: Promise<void>;
}

/** What a problem in the configuration looks like: loadConfig rejects with a VerdictError that has `problems` of these. */
export interface ConfigProblem {
  /** Dotted name of the key: `cache.maxBytes`; empty for the file as a whole. */
  readonly key: string;
  readonly message: string;
}

/** A stream as the command needs it: what process.stdout is. */
export interface Output {
  write(text: string | Uint8Array): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  /** Where a stream tells of a reader that went away. */
  on?(event: 'error', listener: (error: Error) => void): unknown;
}

/** What main.ts gives the command, and all that it knows of the process around it. */
export interface CliHost {
  /** Verdict's own version. */
  readonly version: string;
  readonly stdin: AsyncIterable<Uint8Array | string>;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: { readonly [name: string]: string | undefined };
  /** Against which paths on the command line are resolved. */
  readonly cwd: string;
  /** Aborted when the process is asked to end (SIGTERM, SIGINT). */
  readonly ending: AbortSignal;
  /** JSON Schema of the whole configuration. */
  readonly configSchema: Json;
  /** Rejects with a VerdictError (with `problems: ConfigProblem[]`) when a key or a value is not accepted. */
  loadConfig(source: ConfigSource): Promise<CliConfig>;
  /** What a configuration was read from: the path of its file, names of variables, `--set`. Empty: all is default. */
  configSources(config: CliConfig): readonly string[];
  /** A configuration as YAML, secrets masked. */
  renderConfig(config: CliConfig): string;
  /**
   * Starts a whole server on a configuration that `loadConfig` gave; resolves when every listener accepts requests. It
   * installs no signal handlers: the command calls `stop` when `ending` is aborted.
   */
  startServer(config: CliConfig, options: { readonly bundles: readonly BundleArgument[] }): Promise<RunningServer>;
}

/** What each exit code means; the same for every command. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  doesNotCompile: 3,
  testsFailed: 4,
  refused: 5,
  damaged: 6,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
