import type { Clock } from '../canonical/index.ts';
import type { Basis } from '../engine/index.ts';

/**
 * For how long an answer stays true. The monotonic clock judges; the wall clock ends an answer too whose time it has
 * left, so a step of it never stretches one: `[wallFromMs, wallUntilMs)` is where the policies' clock may stand.
 */
export interface Hold {
  readonly untilMs: number;
  readonly wallFromMs: number;
  readonly wallUntilMs: number;
}

/** Both clocks, read before the evaluation. */
export interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

export const momentOf = (clock: Clock): Moment => ({ monotonicMs: clock.monotonicMs(), wallMs: clock.nowMs() });

const stepsOf = (pointer: string): readonly string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));

const valueAt = (value: unknown, steps: readonly string[]): unknown => {
  let here = value;
  for (const step of steps) {
    if (here === null || typeof here !== 'object' || !Object.hasOwn(here, step)) return undefined;
    here = (here as { readonly [key: string]: unknown })[step];
  }
  return here;
};

/** Reads the moments (milliseconds since 1970) that an input, as its canonical text, names at the configured pointers. */
export type ExpiryReader = (canonical: string) => readonly number[];

const none: readonly number[] = [];

export const expiryReader = (pointers: readonly string[]): ExpiryReader => {
  const paths = pointers.map(stepsOf);
  // As keys stand in canonical text, which has one spelling for each.
  const names = [...new Set(paths.map((steps) => `${JSON.stringify(steps.at(-1))}:`))];
  return (canonical) => {
    // Most inputs name no moment: without one of the names none is parsed.
    if (!names.some((name) => canonical.includes(name))) return none;
    const value: unknown = JSON.parse(canonical);
    return paths
      .map((steps) => valueAt(value, steps))
      .filter((found): found is number => typeof found === 'number' && Number.isFinite(found))
      .map((seconds) => seconds * 1000);
  };
};

export interface HoldFacts {
  readonly start: Moment;
  readonly bases: readonly Basis[];
  readonly maxAgeMs: number;
  /** METADATA `custom.cache.ttl`: makes volatile answers cacheable, and shortens the others. */
  readonly ruleTtlMs: number | undefined;
  /** The `ttl` of a result: shortens, never extends. */
  readonly resultTtlMs: number | undefined;
  /** Moments that the input named. */
  readonly expiriesMs: readonly number[];
}

/** Undefined: the answer must not be used again. */
export const holdOf = (facts: HoldFacts): Hold | undefined => {
  const { start, bases, ruleTtlMs } = facts;
  if (ruleTtlMs === undefined && bases.some((basis) => basis.volatile)) return undefined;
  const limitMs = Math.min(facts.maxAgeMs, ruleTtlMs ?? Infinity, facts.resultTtlMs ?? Infinity);
  let wallUntilMs = Infinity;
  let wallFromMs = -Infinity;
  for (const { boundaryNs, nowNs } of bases) {
    if (boundaryNs === undefined) continue;
    wallUntilMs = Math.min(wallUntilMs, Number(boundaryNs / 1_000_000n));
    wallFromMs = Math.max(wallFromMs, Number(nowNs / 1_000_000n));
  }
  for (const expiryMs of facts.expiriesMs) {
    if (expiryMs <= start.wallMs) continue;
    wallUntilMs = Math.min(wallUntilMs, Math.floor(expiryMs));
    wallFromMs = Math.max(wallFromMs, start.wallMs);
  }
  const untilMs = start.monotonicMs + Math.min(limitMs, wallUntilMs - start.wallMs);
  // Written so that NaN, too, means no.
  return untilMs > start.monotonicMs ? { untilMs, wallFromMs, wallUntilMs } : undefined;
};

/** Milliseconds, whole, for which the answer stays true from now on; 0 when it no longer holds. */
export const remainingMs = (hold: Hold, clock: Clock): number => {
  const left = hold.untilMs - clock.monotonicMs();
  if (left <= 0) return 0;
  if (hold.wallUntilMs === Infinity) return left;
  const wallMs = clock.nowMs();
  return wallMs < hold.wallFromMs ? 0 : Math.max(0, Math.min(left, hold.wallUntilMs - wallMs));
};
