import fc from 'fast-check';

/** A case that a target's check refuses, as small as it could be made in the time. */
export interface Finding {
  /** What is wrong, in a sentence. */
  readonly problem: string;
  /** The case as a JSON text that `replay` reads: a file of the corpus. */
  readonly text: string;
  readonly seed: number;
}

/** One thing to fuzz. Cases that it once failed on lie in `corpus/<name>/`, and `npm test` replays them. */
export interface Target {
  readonly name: string;
  open(): Promise<void>;
  /** Generated cases, the same for a seed, until the time is over or one of them fails. */
  fuzz(options: { readonly seed: number; readonly milliseconds: number }): Promise<Finding | undefined>;
  /** Rejects where the case still fails. */
  replay(text: string): Promise<void>;
  close(): Promise<void>;
}

export interface TargetParts<Case> {
  readonly name: string;
  readonly cases: fc.Arbitrary<Case>;
  /** Throws, or rejects, where a case fails. */
  check(from: Case): void | Promise<void>;
  /** A case as JSON text, and back. */
  write(from: Case): string;
  read(text: string): Case;
  open?(): Promise<void>;
  close?(): Promise<void>;
}

const sentence = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

export const targetOf = <Case>(parts: TargetParts<Case>): Target => ({
  name: parts.name,
  open: async () => parts.open?.(),
  close: async () => parts.close?.(),
  replay: async (text) => parts.check(parts.read(text)),
  fuzz: async ({ seed, milliseconds }) => {
    const property = fc.asyncProperty(parts.cases, async (from) => parts.check(from));
    const run = await fc.check(property, {
      seed,
      numRuns: Number.MAX_SAFE_INTEGER,
      interruptAfterTimeLimit: milliseconds,
    });
    if (run.counterexample === null) return undefined;
    return { problem: sentence(run.errorInstance), text: parts.write(run.counterexample[0]), seed };
  },
});
