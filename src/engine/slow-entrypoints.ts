import type { Clock } from '../canonical/index.ts';

const rememberedMs = 60_000;

/** Slow entrypoints of one version from which on all of it counts as slow. */
const mostSlow = 10;

/**
 * The entrypoints of one version that lately took more than the deciding thread gives, and so are not tried there. Each
 * is tried again after a minute: what made it slow may have been one input. What the tries of a version take together
 * is bounded, however many entrypoints it has.
 */
export class SlowEntrypoints {
  private readonly clock: Clock;
  private readonly until = new Map<string, number>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  has(entrypoint: string): boolean {
    if (this.until.size === 0) return false;
    this.forget();
    return this.until.size >= mostSlow || this.until.has(entrypoint);
  }

  add(entrypoint: string): void {
    this.until.delete(entrypoint);
    this.until.set(entrypoint, this.clock.monotonicMs() + rememberedMs);
  }

  /** The oldest stand first. */
  private forget(): void {
    const now = this.clock.monotonicMs();
    for (const [entrypoint, until] of this.until) {
      if (until > now) return;
      this.until.delete(entrypoint);
    }
  }
}
