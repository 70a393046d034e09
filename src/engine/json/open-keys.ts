import { KeyTable } from './key-table.ts';

/** Nesting that a scan goes along with, whatever the configured depth is: it recurses. */
export const deepest = 512;

/** Keys of one object up to this number are compared one by one; more go into a table. */
const FEW_KEYS = 12;

// Scratch of the one scan that runs (scans are synchronous): start and end of each key of the objects that are open.
const offsets = new Int32Array(2 * FEW_KEYS * (deepest + 1));

/** One object that is open. */
export interface KeyFrame {
  readonly base: number;
  /** Texts, unescaped, where there are escapes among them or keys that a table cannot tell apart in time. */
  many: KeyTable | Set<string> | undefined;
}

/** The unescaped text of the key between two offsets, quotes included; a negative end says that it has escapes. */
export const keyText = (bytes: Buffer, start: number, end: number): string =>
  end < 0 ? (JSON.parse(bytes.toString('utf8', start, -end)) as string) : bytes.toString('utf8', start + 1, end - 1);

/** The keys of the objects that a scan is in, to find one that comes twice. Keys are offsets as in `keyText`. */
export class OpenKeys {
  private used = 0;
  private readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  enter(): KeyFrame {
    return { base: this.used, many: undefined };
  }

  leave(frame: KeyFrame): void {
    this.used = frame.base;
  }

  /** False when the object has this key already. */
  add(frame: KeyFrame, start: number, end: number): boolean {
    const { many } = frame;
    if (many !== undefined) return this.addToMany(frame, many, start, end);
    const top = this.used;
    for (let at = frame.base; at < top; at += 2) {
      if (this.isSame(offsets[at] as number, offsets[at + 1] as number, start, end)) return false;
    }
    offsets[top] = start;
    offsets[top + 1] = end;
    this.used = top + 2;
    if (this.used - frame.base === 2 * FEW_KEYS) this.gather(frame);
    return true;
  }

  private addToMany(frame: KeyFrame, many: KeyTable | Set<string>, start: number, end: number): boolean {
    if (many instanceof KeyTable) {
      const isNew = end < 0 ? undefined : many.add(start + 1, end - 1);
      if (isNew !== undefined) return isNew;
    }
    const texts = many instanceof KeyTable ? this.textsOf(many) : many;
    frame.many = texts;
    const before = texts.size;
    return texts.add(keyText(this.bytes, start, end)).size > before;
  }

  private textsOf(table: KeyTable): Set<string> {
    const texts = new Set<string>();
    for (const [start, end] of table.keys()) texts.add(this.bytes.toString('utf8', start, end));
    return texts;
  }

  private gather(frame: KeyFrame): void {
    const { used } = this;
    this.used = frame.base;
    frame.many = new KeyTable(this.bytes);
    for (let at = frame.base; at < used; at += 2) {
      this.addToMany(frame, frame.many, offsets[at] as number, offsets[at + 1] as number);
    }
  }

  private isSame(start: number, end: number, otherStart: number, otherEnd: number): boolean {
    const { bytes } = this;
    if (end < 0 || otherEnd < 0) return keyText(bytes, start, end) === keyText(bytes, otherStart, otherEnd);
    const length = end - start;
    if (length !== otherEnd - otherStart) return false;
    for (let at = length - 2; at > 0; at--) if (bytes[start + at] !== bytes[otherStart + at]) return false;
    return true;
  }
}
