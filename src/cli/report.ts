import { messageOf, VerdictError } from '../canonical/index.ts';
import type { IdentityErrorCode } from '../identity/model.ts';
import type { PolicyErrorCode } from '../policy/model.ts';
import type { RegoProblem, ToolchainErrorCode } from '../rego/model.ts';
import { problemsSentence } from '../rego/problems.ts';
import { EXIT, type ExitCode } from './model.ts';
import { configProblemsOf, problemsText, regoProblemsOf } from './screen/problem.ts';
import { plain, type Screen } from './screen/screen.ts';

export type CliErrorCode =
  /** The command line asks for something that there is not. */
  | 'USAGE'
  /** A file that the command line names cannot be read or written. */
  | 'FILE_UNUSABLE'
  /** A server would not start with this configuration here: a folder or a bundle is not as it says. */
  | 'START_HINDERED'
  /** Nobody answers at the server's address. */
  | 'SERVER_UNREACHABLE'
  /** The server answered something that is no answer of Verdict's. */
  | 'SERVER_ANSWER'
  /** The server answers, and says that it is not live or not ready. */
  | 'SERVER_NOT_HEALTHY'
  /** The server needs a token and none was given or found. */
  | 'TOKEN_MISSING'
  /** The person, or the system, asked the process to end before the work was done. */
  | 'INTERRUPTED';

/** What the command itself finds wrong. What parts and the server find wrong keeps its own code. */
export class CliError extends VerdictError<CliErrorCode> {}

/** A refusal by the server: its problem document. */
export class ServerError extends VerdictError {
  readonly status: number;
  readonly problems: readonly unknown[];

  constructor(
    code: string,
    message: string,
    answer: { readonly status: number; readonly problems: readonly unknown[] },
  ) {
    super(code, message);
    this.status = answer.status;
    this.problems = answer.problems;
  }
}

type KnownCode = CliErrorCode | PolicyErrorCode | IdentityErrorCode | ToolchainErrorCode;

/** Which exit code each error earns; anything that is not here is 1. */
export const exitCodes: { readonly [code in KnownCode]: ExitCode } = {
  USAGE: EXIT.usage,
  FILE_UNUSABLE: EXIT.failed,
  START_HINDERED: EXIT.usage,
  SERVER_UNREACHABLE: EXIT.failed,
  SERVER_ANSWER: EXIT.failed,
  SERVER_NOT_HEALTHY: EXIT.failed,
  TOKEN_MISSING: EXIT.refused,
  INTERRUPTED: EXIT.failed,

  ARCHIVE_INVALID: EXIT.failed,
  ARCHIVE_TOO_LARGE: EXIT.failed,
  BUNDLE_NAME_INVALID: EXIT.usage,
  BUNDLE_UNKNOWN: EXIT.failed,
  VERSION_UNKNOWN: EXIT.failed,
  MANIFEST_INVALID: EXIT.doesNotCompile,
  DATA_INVALID: EXIT.doesNotCompile,
  ROOTS_CONFLICT: EXIT.refused,
  REGO_INVALID: EXIT.doesNotCompile,
  SCHEMA_INVALID: EXIT.doesNotCompile,
  REFERENCE_OUTSIDE_ROOTS: EXIT.refused,
  REFERENCE_UNPROVIDED: EXIT.refused,
  BUILTIN_UNKNOWN: EXIT.doesNotCompile,
  MODULE_INVALID: EXIT.failed,
  TESTS_FAILED: EXIT.testsFailed,
  OPAQUE_REFUSED: EXIT.refused,
  NOTHING_TO_ROLL_BACK: EXIT.failed,
  TOOLCHAIN_FAILED: EXIT.failed,
  STORAGE_FAILED: EXIT.failed,
  EXPLAIN_IMPOSSIBLE: EXIT.failed,
  EXPLAIN_BUSY: EXIT.failed,
  EVALUATION_CONFLICT: EXIT.failed,
  EVALUATION_FAILED: EXIT.failed,

  TOKEN_NAME_INVALID: EXIT.usage,
  TOKEN_EXISTS: EXIT.failed,
  TOKEN_UNKNOWN: EXIT.failed,
  TOKEN_ROLE_INVALID: EXIT.usage,
  TOKEN_BUNDLE_INVALID: EXIT.usage,
  TOKEN_EXPIRY_INVALID: EXIT.usage,
  TOKEN_STORAGE_FAILED: EXIT.failed,
  UNAUTHENTICATED: EXIT.refused,
  FORBIDDEN: EXIT.refused,

  TOOLCHAIN_UNAVAILABLE: EXIT.failed,
  TOOLCHAIN_CRASHED: EXIT.failed,
  TOOLCHAIN_DEADLINE: EXIT.failed,
  TOOLCHAIN_MEMORY: EXIT.failed,
  TOOLCHAIN_CLOSED: EXIT.failed,
};

const exitCodeOf = (code: string): ExitCode => {
  if (Object.hasOwn(exitCodes, code)) return exitCodes[code as KnownCode];
  // Every code of the configuration's: what was written there must be changed, as with the command line itself.
  return code.startsWith('CONFIG_') ? EXIT.usage : EXIT.failed;
};

/** What a message says before the sentence of its problems, which are listed below it. */
const stemOf = (message: string, problems: readonly RegoProblem[]): string => {
  const sentence = problemsSentence(problems);
  return message.endsWith(sentence) ? message.slice(0, message.length - sentence.length).replace(/:\s*$/, '') : message;
};

/** Tells what went wrong, all of it, and gives the exit code. */
export const report = (thrown: unknown, screen: Screen): ExitCode => {
  const code = thrown instanceof VerdictError ? thrown.code : 'INTERNAL';
  const rego = regoProblemsOf(thrown);
  const config = configProblemsOf(thrown);
  if (screen.json) {
    const problems = rego.length > 0 ? rego : config;
    screen.result(
      { error: { code, message: messageOf(thrown), ...(problems.length > 0 ? { problems } : {}) } },
      () => '',
    );
    return exitCodeOf(code);
  }
  const paint = screen.paintNote;
  if (rego.length > 0) {
    const stem = stemOf(messageOf(thrown), rego);
    const head = stem === '' ? [] : [`${paint('red', 'verdict:')} ${plain(stem)}`];
    screen.warn([...head, problemsText(rego, paint)].join('\n'));
  } else {
    const head = `${paint('red', 'verdict:')} ${plain(messageOf(thrown))}`;
    screen.warn(
      [head, ...config.map(({ key, message }) => `  ${key === '' ? '' : `${plain(key)}: `}${plain(message)}`)].join(
        '\n',
      ),
    );
  }
  if (code === 'INTERNAL' && thrown instanceof Error && thrown.stack !== undefined) screen.note(plain(thrown.stack));
  return exitCodeOf(code);
};
