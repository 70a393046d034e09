/**
 * The base of every error that Verdict raises on purpose: a code out of a closed set (one union per part) and a
 * message that says what was wanted and what came. Untrusted text belongs in `cause`; tokens and inputs in neither.
 */
export abstract class VerdictError<Code extends string = string> extends Error {
  readonly code: Code;

  constructor(code: Code, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The message of anything thrown, for a log line or as part of another message. */
export const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));
