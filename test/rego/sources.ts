import type { RegoFile, RegoProblem, RegoSources } from '../../src/rego/index.ts';
import { RegoError } from '../../src/rego/index.ts';

export const file = (path: string, text: string): RegoFile => ({ path, text });

/** One module `policy.rego`, in package `policy` unless the text names another. */
export const policy = (text: string, more: Partial<RegoSources> = {}): RegoSources => ({
  modules: [file('policy.rego', text.startsWith('package') ? text : `package policy\n\n${text}`)],
  ...more,
});

export const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** The problems that a call is refused with; fails when it succeeds or fails otherwise. */
export const problemsOf = async (call: Promise<unknown>): Promise<readonly RegoProblem[]> => {
  const thrown = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof RegoError) return thrown.problems;
  throw new Error('a RegoError was expected', { cause: thrown });
};
