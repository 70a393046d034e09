/** Choices from one seed: the same seed makes the same choices on every machine. */
export class Dice {
  private state: number;

  constructor(seed: number) {
    this.state = (Math.imul(seed, 0x9e37_79b1) ^ 0x5bd1_e995) >>> 0;
    for (let round = 0; round < 4; round++) this.next();
  }

  /** A whole number from 0 to one less than `bound`. */
  below(bound: number): number {
    return Math.floor((this.next() / 0x1_0000_0000) * bound);
  }

  chance(share: number): boolean {
    return this.next() / 0x1_0000_0000 < share;
  }

  one<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }

  /** One of several with a weight each. */
  weighted<T>(from: readonly (readonly [weight: number, item: T])[]): T {
    let left = this.below(from.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, item] of from) {
      left -= weight;
      if (left < 0) return item;
    }
    throw new Error('nothing to choose from');
  }

  times<T>(count: number, make: (at: number) => T): T[] {
    return Array.from({ length: count }, (_, at) => make(at));
  }

  // xorshift32: 32 bits of state are plenty for a program.
  private next(): number {
    let { state } = this;
    if (state === 0) state = 0x1234_5678;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.state = state >>> 0;
    return this.state;
  }
}
