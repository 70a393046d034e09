/** A value inside objects in which two documents differ, with the JSON text that it has in the second. */
export interface Change {
  /** Names of members; never empty. */
  readonly path: readonly string[];
  readonly value: Uint8Array;
}

export interface ChangeLimits {
  readonly count: number;
  /** Bytes of all values together. */
  readonly bytes: number;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** Ends the comparison: the documents differ too much, or one of them has white space between its parts. */
class Incomparable extends Error {}

/** One of the two texts, and how far it was read. */
class Side {
  readonly bytes: Uint8Array;
  at = 0;
  /** Where the last key stands, with its quotes. */
  keyStart = 0;
  keyEnd = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get first(): number {
    return this.bytes[this.at] ?? 0;
  }

  step(byte: number): void {
    if (this.bytes[this.at++] !== byte) throw new Incomparable();
  }

  /** Steps over a key and its colon; over the end of the object instead, and false, where there is no more. */
  nextKey(isFirst: boolean): boolean {
    if (this.first === CLOSE) {
      this.at++;
      return false;
    }
    if (!isFirst) this.step(COMMA);
    if (this.first !== QUOTE) throw new Incomparable();
    this.keyStart = this.at;
    this.string();
    this.keyEnd = this.at;
    this.step(0x3a);
    return true;
  }

  key(): string {
    const { bytes, keyStart, keyEnd } = this;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + keyStart, keyEnd - keyStart).toString('utf8');
    return JSON.parse(text) as string;
  }

  /** Whether the last keys of both are written alike. By hand: keys are short, and there are many. */
  hasKeyOf({ bytes, keyStart, keyEnd }: Side): boolean {
    const shift = this.keyStart - keyStart;
    if (this.keyEnd - keyEnd !== shift) return false;
    for (let at = keyStart; at < keyEnd; at++) if (bytes[at] !== this.bytes[at + shift]) return false;
    return true;
  }

  /** Steps over the value that starts here; where it started. */
  value(): number {
    const { bytes, at: start } = this;
    let depth = 0;
    do {
      const byte = bytes[this.at];
      if (byte === undefined) throw new Incomparable();
      if (byte === QUOTE) {
        this.string();
        continue;
      }
      this.at++;
      if (byte === OPEN || byte === 0x5b) depth++;
      else if (byte === CLOSE || byte === 0x5d) depth--;
    } while (depth > 0 || !this.isAtEnd());
    return start;
  }

  /** Steps over the value that starts here, if it is the one that the other side has just stepped over. */
  isSameValue({ bytes, at: end }: Side, start: number): boolean {
    const before = this.at;
    const shift = before - start;
    for (let at = start; at < end; at++) if (bytes[at] !== this.bytes[at + shift]) return false;
    this.at = end + shift;
    if (this.isAtEnd()) return true;
    // A longer number.
    this.at = before;
    return false;
  }

  private isAtEnd(): boolean {
    const { first } = this;
    return first === COMMA || first === CLOSE || first === 0x5d || this.at >= this.bytes.length;
  }

  private string(): void {
    const { bytes } = this;
    let at = this.at + 1;
    for (let byte = bytes[at]; byte !== QUOTE; byte = bytes[at]) {
      if (byte === undefined) throw new Incomparable();
      at += byte === BACKSLASH ? 2 : 1;
    }
    this.at = at + 1;
  }
}

class Comparison {
  changes: Change[] = [];
  private readonly from: Side;
  private readonly to: Side;
  private readonly limits: ChangeLimits;
  private readonly path: string[] = [];

  constructor(from: Uint8Array, to: Uint8Array, limits: ChangeLimits) {
    this.from = new Side(from);
    this.to = new Side(to);
    this.limits = limits;
  }

  /** Compares the objects at which both sides stand, and steps over them. */
  objects(): void {
    const { from, to, changes } = this;
    const starts = [from.at, to.at] as const;
    const before = changes.length;
    if (this.haveSameMembers()) return;
    changes.length = before;
    [from.at, to.at] = starts;
    from.value();
    this.add(to.value());
  }

  /** Compares member by member, as long as both have the same members in the same order. */
  private haveSameMembers(): boolean {
    const { from, to } = this;
    from.step(OPEN);
    to.step(OPEN);
    for (let isFirst = true; ; isFirst = false) {
      const isIn = to.nextKey(isFirst);
      if (from.nextKey(isFirst) !== isIn) return false;
      if (!isIn) return true;
      if (!from.hasKeyOf(to)) return false;
      this.values();
    }
  }

  private values(): void {
    const { from, to } = this;
    const areObjects = from.first === OPEN && to.first === OPEN;
    const start = areObjects ? to.at : to.value();
    if (!areObjects && from.isSameValue(to, start)) return;
    this.path.push(to.key());
    if (areObjects) this.objects();
    else {
      from.value();
      this.add(start);
    }
    this.path.pop();
  }

  /** Notes the value that was just stepped over. */
  private add(start: number): void {
    const { bytes, at: end } = this.to;
    const { limits, changes, path } = this;
    const isWithin = end - start <= limits.bytes && changes.length < limits.count;
    if (path.length === 0 || !isWithin) throw new Incomparable();
    // A copy: the text that it comes from is not kept for it.
    changes.push({ path: [...path], value: Uint8Array.from(bytes.subarray(start, end)) });
  }
}

/**
 * What has to be put in the place of what to make the second document of the first, both objects: where an object has
 * other members than before, or has them in another order, the whole of it, since that decides in which order a policy
 * finds them. Undefined where more differs than the limits allow, where the members at the top are not the same, and
 * for texts with white space.
 */
export const changesBetween = (
  from: Uint8Array,
  to: Uint8Array,
  limits: ChangeLimits,
): readonly Change[] | undefined => {
  const comparison = new Comparison(from, to, limits);
  try {
    comparison.objects();
  } catch (thrown) {
    if (thrown instanceof Incomparable) return undefined;
    throw thrown;
  }
  const { changes } = comparison;
  return changes.reduce((sum, { value }) => sum + value.length, 0) <= limits.bytes ? changes : undefined;
};
