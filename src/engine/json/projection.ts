import type { CheckedJson } from '../model.ts';
import { canonicalText } from './canonical.ts';
import type { Footprint, Place } from './footprint.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const ZERO = 0x30;
const LESS = 0x3c;
const GREATER = 0x3e;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

const NOTHING = 0;

// Scratch of the one projection that runs: they are synchronous. By a place's number: what kind of value stands there
// (NOTHING for none) and where the text of one that counts whole begins and ends.
let kinds = new Uint8Array(64);
let starts = new Int32Array(64);
let ends = new Int32Array(64);
let out = Buffer.alloc(4_096);

/** Reads a text that is known to be JSON, byte by byte: this runs for every input that was not seen before. */
class Projector {
  private readonly bytes: Uint8Array;
  private at = 0;
  private written = 0;
  /** The canonical text of values that stand there in another form, by number of place. */
  private readonly rewritten: Buffer[] = [];

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  text({ root, places }: Footprint): string {
    if (kinds.length < places) {
      kinds = new Uint8Array(places);
      starts = new Int32Array(places);
      ends = new Int32Array(places);
    }
    kinds.fill(NOTHING, 0, places);
    this.space();
    this.read(root);
    // Values do not overlap, and of a place nothing is written besides but its kind, brackets and a comma.
    const most = this.rewritten.reduce((sum, { length }) => sum + length, this.bytes.length + 4 * places);
    if (out.length < most) out = Buffer.alloc(most);
    this.write(root);
    return out.toString('latin1', 0, this.written);
  }

  /** Passes the value here, and notes what of it counts. */
  private read(place: Place): void {
    const first = this.bytes[this.at] as number;
    kinds[place.id] = first === 0x2d || (first >= ZERO && first <= 0x39) ? ZERO : first;
    if (place.whole) this.readWhole(place.id);
    else if (place.members.length > 0 && first === OPEN_BRACE) this.readMembers(place.members);
    else this.value();
  }

  private readWhole(id: number): void {
    const start = this.at;
    const canonical = this.value();
    starts[id] = start;
    ends[id] = this.at;
    if (canonical) return;
    this.rewritten[id] = Buffer.from(canonicalText(this.bytes.subarray(start, this.at) as CheckedJson));
    ends[id] = -1;
  }

  private readMembers(members: Place['members']): void {
    const { bytes } = this;
    this.at++;
    this.space();
    let expected = 0;
    while (bytes[this.at] !== CLOSE_BRACE) {
      const start = this.at + 1;
      const plain = this.string();
      const found = plain
        ? this.named(members, expected, start, this.at - 1)
        : members.findIndex(({ key }) => key.equals(this.unescaped(start - 1)));
      this.space();
      this.at++;
      this.space();
      const member = members[found];
      if (member === undefined) this.value();
      else {
        this.read(member.place);
        expected = found + 1;
      }
      this.space();
      if (bytes[this.at] === COMMA) {
        this.at++;
        this.space();
      }
    }
    this.at++;
  }

  /** The index of the member of this name, or -1; the members of most inputs stand in one order. */
  private named(members: Place['members'], expected: number, start: number, end: number): number {
    const { length } = members;
    for (let tried = 0, index = expected; tried < length; tried++, index++) {
      if (index >= length) index = 0;
      const key = members[index]?.key as Buffer;
      if (key.length === end - start && this.isAt(key, start)) return index;
    }
    return -1;
  }

  private isAt(key: Buffer, start: number): boolean {
    const { bytes } = this;
    for (let at = 0; at < key.length; at++) if (key[at] !== bytes[start + at]) return false;
    return true;
  }

  /** The key that began at `start`, quotes included, and was passed. */
  private unescaped(start: number): Buffer {
    const { buffer, byteOffset } = this.bytes;
    return Buffer.from(JSON.parse(Buffer.from(buffer, byteOffset + start, this.at - start).toString()) as string);
  }

  private space(): void {
    const { bytes } = this;
    while ((bytes[this.at] as number) <= 0x20) this.at++;
  }

  /** Passes the string here; false when it has escapes. */
  private string(): boolean {
    const { bytes } = this;
    let plain = true;
    let at = this.at + 1;
    for (let byte = bytes[at]; byte !== QUOTE; byte = bytes[++at]) {
      if (byte === BACKSLASH) {
        plain = false;
        at++;
      }
    }
    this.at = at + 1;
    return plain;
  }

  /** Passes the value here; true when its text is canonical as it stands. */
  private value(): boolean {
    const { bytes } = this;
    const first = bytes[this.at];
    if (first === QUOTE) return this.string();
    if (first === OPEN_BRACE) return this.object();
    if (first === OPEN_BRACKET) return this.array();
    let at = this.at;
    for (let byte = first as number; byte > 0x20 && byte !== COMMA; byte = bytes[++at] as number) {
      if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) break;
    }
    this.at = at;
    return true;
  }

  private isSpace(): boolean {
    const found = (this.bytes[this.at] as number) <= 0x20;
    if (found) this.space();
    return found;
  }

  private array(): boolean {
    const { bytes } = this;
    this.at++;
    let canonical = !this.isSpace();
    while (bytes[this.at] !== CLOSE_BRACKET) {
      if (!this.value()) canonical = false;
      if (this.isSpace()) canonical = false;
      if (bytes[this.at] === COMMA) {
        this.at++;
        if (this.isSpace()) canonical = false;
      }
    }
    this.at++;
    return canonical;
  }

  private object(): boolean {
    const { bytes } = this;
    this.at++;
    let canonical = !this.isSpace();
    let before = -1;
    while (bytes[this.at] !== CLOSE_BRACE) {
      const start = this.at;
      if (!this.string()) canonical = false;
      if (canonical && before >= 0 && this.isAfter(before, start)) canonical = false;
      before = start;
      if (this.isSpace()) canonical = false;
      this.at++;
      if (this.isSpace()) canonical = false;
      if (!this.value()) canonical = false;
      if (this.isSpace()) canonical = false;
      if (bytes[this.at] === COMMA) {
        this.at++;
        if (this.isSpace()) canonical = false;
      }
    }
    this.at++;
    return canonical;
  }

  /** Whether the key whose quote is at `one` comes after that at `other`, by UTF-8; none has escapes, none is there twice. */
  private isAfter(one: number, other: number): boolean {
    const { bytes } = this;
    let by = 1;
    while (bytes[one + by] === bytes[other + by]) by++;
    // The shorter of two comes first: it ends here.
    if (bytes[one + by] === QUOTE) return false;
    return bytes[other + by] === QUOTE || (bytes[one + by] as number) > (bytes[other + by] as number);
  }

  /** Writes what counts of a place: nothing when nothing does. */
  private write({ id, whole, shape, members }: Place): void {
    const kind = kinds[id] as number;
    if (kind === NOTHING) return;
    if (whole) {
      this.writeWhole(id);
      return;
    }
    if (shape) out[this.written++] = kind;
    if (members.length === 0 || kind !== OPEN_BRACE) return;
    const start = this.written;
    out[this.written++] = LESS;
    for (let index = 0; index < members.length; index++) {
      if (index > 0) out[this.written++] = COMMA;
      this.write(members[index]?.place as Place);
    }
    // Commas alone: an object that holds nothing that counts is like none.
    if (this.written - start === members.length) this.written = start;
    else out[this.written++] = GREATER;
  }

  private writeWhole(id: number): void {
    const rewritten = ends[id] === -1 ? this.rewritten[id] : undefined;
    const from = rewritten ?? this.bytes;
    const end = rewritten?.length ?? (ends[id] as number);
    for (let at = rewritten === undefined ? (starts[id] as number) : 0; at < end; at++)
      out[this.written++] = from[at] as number;
  }
}

/**
 * One text for all inputs that a policy cannot tell apart, its UTF-8 bytes as characters: what stands at the footprint's
 * places, canonical, and where nothing stands. Every part says where it ends: JSON values do, kinds are single
 * characters, and `<` begins no value.
 */
export const projectedText = (checked: CheckedJson, footprint: Footprint): string =>
  new Projector(checked).text(footprint);
