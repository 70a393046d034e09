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

/** The same without the file that Node's errors name: for who must not learn where things lie on this machine. */
export const messageWithoutPath = (thrown: unknown): string => {
  const message = messageOf(thrown);
  const { path } = thrown instanceof Error ? (thrown as NodeJS.ErrnoException) : {};
  const at = typeof path === 'string' ? message.indexOf(` '${path}'`) : -1;
  return at < 0 ? message : message.slice(0, at);
};
