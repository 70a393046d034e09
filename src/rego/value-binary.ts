import { isUtf8 } from 'node:buffer';
import { ToolchainError } from './model.ts';
import { RegoBytes, type RegoEntry, RegoNumber, RegoObject, RegoSet, type RegoValue } from './value.ts';

// The binary form of Rego values that the toolchain module reads and writes: a tag, then for text a length and bytes,
// for collections a count and the items (key and value in turn for objects). Lengths and counts are unsigned varints.
const tag = { null: 0, false: 1, true: 2, number: 3, string: 4, array: 5, object: 6, set: 7 } as const;

/** Deeper values are refused on both sides, before the stack is in danger. */
const maxDepth = 2_000;

const refused = (what: string): ToolchainError => new ToolchainError('TOOLCHAIN_CRASHED', what);

/** Writes values and byte strings one after the other into one buffer, which grows and is used again. */
export class BinaryWriter {
  #buffer = Buffer.allocUnsafeSlow(4096);
  #length = 0;

  reset(): void {
    this.#length = 0;
    // One huge request must not keep its buffer for ever.
    if (this.#buffer.length > 1 << 20) this.#buffer = Buffer.allocUnsafeSlow(4096);
  }

  /** What was written: valid until the next write. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  #reserve(size: number): void {
    const wanted = this.#length + size;
    if (wanted <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(wanted, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }

  #byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  count(value: number): void {
    this.#reserve(6);
    let rest = value;
    while (rest > 0x7f) {
      this.#buffer[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#buffer[this.#length++] = rest;
  }

  blob(bytes: Uint8Array): void {
    this.count(bytes.length);
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  text(text: string): void {
    const size = Buffer.byteLength(text);
    this.count(size);
    this.#reserve(size);
    this.#length += this.#buffer.write(text, this.#length, 'utf8');
  }

  value(value: RegoValue, depth = 0): void {
    if (depth > maxDepth) throw refused(`a value is nested more than ${maxDepth} deep`);
    if (value === null) this.#byte(tag.null);
    else if (typeof value === 'boolean') this.#byte(value ? tag.true : tag.false);
    else if (typeof value === 'string') {
      this.#byte(tag.string);
      this.text(value);
    } else if (value instanceof RegoNumber) {
      this.#byte(tag.number);
      this.text(value.text);
    } else if (value instanceof RegoBytes) {
      this.#byte(tag.string);
      this.blob(value.bytes);
    } else if (value instanceof RegoObject) this.#object(value.entries, depth);
    else if (value instanceof RegoSet) this.#items(tag.set, value.items, depth);
    else this.#items(tag.array, value as readonly RegoValue[], depth);
  }

  #items(kind: number, items: readonly RegoValue[], depth: number): void {
    this.#byte(kind);
    this.count(items.length);
    for (const item of items) this.value(item, depth + 1);
  }

  #object(entries: readonly RegoEntry[], depth: number): void {
    this.#byte(tag.object);
    this.count(entries.length);
    for (const [key, value] of entries) {
      this.value(key, depth + 1);
      this.value(value, depth + 1);
    }
  }
}

/** Reads what a BinaryWriter, or the module, wrote. Everything that it answers is copied out of the bytes. */
export class BinaryReader {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get rest(): number {
    return this.#buffer.length - this.#at;
  }

  byte(): number {
    const value = this.#buffer[this.#at++];
    if (value === undefined) throw refused('values end too early');
    return value;
  }

  count(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const part = this.byte();
      value += (part & 0x7f) * scale;
      if (part < 0x80) break;
      scale *= 0x80;
    }
    // Every item, and every byte, takes a byte at least.
    if (value > this.rest) throw refused('values end too early');
    return value;
  }

  blob(): Uint8Array {
    const [from, to] = this.#span();
    return new Uint8Array(this.#buffer.subarray(from, to));
  }

  text(): string {
    const [from, to] = this.#span();
    return this.#buffer.toString('utf8', from, to);
  }

  #span(): readonly [from: number, to: number] {
    const size = this.count();
    const from = this.#at;
    this.#at += size;
    return [from, this.#at];
  }

  #string(): string | RegoBytes {
    const [from, to] = this.#span();
    const buffer = this.#buffer;
    for (let at = from; at < to; at++) {
      if ((buffer[at] as number) < 0x80) continue;
      const bytes = buffer.subarray(from, to);
      return isUtf8(bytes) ? buffer.toString('utf8', from, to) : new RegoBytes(new Uint8Array(bytes));
    }
    return buffer.toString('latin1', from, to);
  }

  value(depth = 0): RegoValue {
    if (depth > maxDepth) throw refused(`a value is nested more than ${maxDepth} deep`);
    const kind = this.byte();
    switch (kind) {
      case tag.null:
        return null;
      case tag.false:
      case tag.true:
        return kind === tag.true;
      case tag.number:
        return new RegoNumber(this.text());
      case tag.string:
        return this.#string();
      case tag.array:
        return this.#items(depth);
      case tag.set:
        return new RegoSet(this.#items(depth));
      case tag.object: {
        const entries: RegoEntry[] = new Array(this.count());
        for (let at = 0; at < entries.length; at++) entries[at] = [this.value(depth + 1), this.value(depth + 1)];
        return new RegoObject(entries);
      }
      default:
        throw refused(`a value has the unknown tag ${kind}`);
    }
  }

  #items(depth: number): RegoValue[] {
    const items: RegoValue[] = new Array(this.count());
    for (let at = 0; at < items.length; at++) items[at] = this.value(depth + 1);
    return items;
  }
}

/** A list of values: a count and the values. */
export const encodeTerms = (values: readonly RegoValue[]): Uint8Array => {
  const writer = new BinaryWriter();
  writer.count(values.length);
  for (const value of values) writer.value(value);
  return Uint8Array.from(writer.bytes);
};

/** The list that `encodeTerms` wrote; throws ToolchainError on anything else. */
export const decodeTerms = (bytes: Uint8Array): readonly RegoValue[] => {
  const reader = new BinaryReader(bytes);
  const values = Array.from({ length: reader.count() }, () => reader.value());
  if (reader.rest > 0) throw refused('bytes follow the last value');
  return values;
};
