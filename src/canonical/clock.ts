/** The only source of time in Verdict; tests put in one that they move themselves. */
export interface Clock {
  /** Wall clock, milliseconds since 1970 (UTC). */
  nowMs(): number;
  /** Wall clock, nanoseconds since 1970 (UTC): what policies see as `time.now_ns()`. */
  nowNs(): bigint;
  /** Milliseconds from an arbitrary start; never goes back. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  nowNs: () => BigInt(Date.now()) * 1_000_000n,
  monotonicMs: () => performance.now(),
};
