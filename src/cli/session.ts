import path from 'node:path';
import type { Progress, Toolchain } from '../rego/index.ts';
import { type CliConfig, type CliHost, type ConfigSource, type ExitCode } from './model.ts';
import { openScreen, type Screen } from './screen/screen.ts';

/** The options that every command has. */
export interface GlobalOptions {
  readonly output: 'text' | 'json';
  readonly config?: string;
  readonly set?: readonly string[];
  readonly server?: string;
  readonly tokenFile?: string;
}

/** One run of one command: its options, its screen, and what it opens on the way, which is closed at the end. */
export interface Session {
  readonly host: CliHost;
  readonly globals: GlobalOptions;
  readonly screen: Screen;
  readonly configSource: ConfigSource;
  /** A path on the command line, absolute. */
  resolve(file: string): string;
  /** Read on first use. */
  config(): Promise<CliConfig>;
  /** Loaded and opened on first use. */
  toolchain(): Promise<Toolchain>;
  /** Shows how far long work of the toolchain is. */
  readonly onProgress: (progress: Progress) => void;
  close(): Promise<void>;
}

/** A command ends and gives all of it back, so that it may take more than a server by default: 20,000 rules. */
const COMPILE_BYTES = 2 ** 30;

const progressText = ({ stage, done, total }: Progress): string =>
  total > 1 ? `${stage} ${done}/${total} ...` : `${stage} ...`;

export const openSession = (host: CliHost, globals: GlobalOptions): Session => {
  const screen = openScreen(host, globals.output);
  const resolve = (file: string): string => path.resolve(host.cwd, file);
  const configSource: ConfigSource = {
    ...(globals.config === undefined ? {} : { file: resolve(globals.config) }),
    sets: globals.set ?? [],
    env: host.env,
  };
  let config: Promise<CliConfig> | undefined;
  let toolchain: Promise<Toolchain> | undefined;
  return {
    host,
    globals,
    screen,
    configSource,
    resolve,
    config: () => {
      config ??= host.loadConfig(configSource);
      return config;
    },
    toolchain: () => {
      toolchain ??= import('../rego/index.ts').then(({ openToolchain }) =>
        openToolchain({ memoryBytes: COMPILE_BYTES }),
      );
      return toolchain;
    },
    onProgress: (progress) => screen.progress(progressText(progress)),
    close: async () => {
      screen.progress('');
      await (await toolchain)?.close();
    },
  };
};

/** What a command does; its arguments are what commander read: positional arguments, then the command's options. */
export type Run<Arguments extends unknown[]> = (session: Session, ...args: Arguments) => Promise<ExitCode>;

/**
 * Turns a `Run` into what commander calls. When the process is asked to end, the command is given up, unless it says
 * that it ends by itself.
 */
export type Start = <Arguments extends unknown[]>(
  run: Run<Arguments>,
  options?: { readonly endsItself: boolean },
) => (...args: unknown[]) => Promise<void>;
