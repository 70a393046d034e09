import type { Clock } from '../canonical/index.ts';
import { pointerSteps, valueFromJson } from '../canonical/index.ts';
import type { Basis, CheckedJson } from '../engine/index.ts';

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

/** Whether a step can be an index of an array. */
export const isIndex = (step: string): boolean => /^[0-9]+$/.test(step);

const valueAt = (value: unknown, steps: readonly string[]): unknown => {
  let here = value;
  for (const step of steps) {
    if (here === null || typeof here !== 'object' || !Object.hasOwn(here, step)) return undefined;
    here = (here as { readonly [key: string]: unknown })[step];
  }
  return here;
};

/** Reads the moments (milliseconds since 1970) that an input names at the configured pointers. */
export type ExpiryReader = (input: CheckedJson) => readonly number[];

const none: readonly number[] = [];

export const expiryReader = (pointers: readonly string[]): ExpiryReader => {
  const paths = pointers.map(pointerSteps);
  // A step of digits may be an index, which is written nowhere; of nothing but such steps, any input may have one.
  const written = paths.map((steps) => steps.findLast((step) => !isIndex(step)));
  const names = [...new Set(written)].map((name) => Buffer.from(name === undefined ? '' : JSON.stringify(name)));
  return (input) => {
    const bytes = Buffer.from(input.buffer, input.byteOffset, input.length);
    // Most inputs name no moment: without one of the names, and escapes that could spell one, none is parsed.
    if (names.every((name) => bytes.indexOf(name) < 0) && bytes.indexOf(0x5c) < 0) return none;
    const value = valueFromJson(bytes.toString('utf8'));
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
