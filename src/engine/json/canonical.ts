import { isAscii } from 'node:buffer';
import type { CheckedJson } from '../model.ts';

/**
 * One text per value: members sorted by the UTF-8 bytes of their keys, no white space, one escape form. The text of
 * numbers stays: 1 and 1.0 are different texts, because policies can tell them apart. Two checked documents have the
 * same text exactly when they differ in the order of members, white space and escapes alone.
 */
export const canonicalText = (checked: CheckedJson): string => {
  const bytes = Buffer.from(checked.buffer, checked.byteOffset, checked.length);
  const ascii = isAscii(bytes);
  return new CanonicalReader(bytes.toString(ascii ? 'latin1' : 'utf8'), ascii).document();
};

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const CLOSE_BRACE = 0x7d;
const CLOSE_BRACKET = 0x5d;

/** What a value is written as when its text is canonical as it stands: most values are, and are never copied. */
const AS_IT_STANDS = '';

interface Member {
  /** The unescaped key. */
  readonly key: string;
  /** Where the member stands, and its canonical text unless that is it. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

const byUtf8 = (a: Member, b: Member): number => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key));
const byUnit = (a: Member, b: Member): number => (a.key < b.key ? -1 : 1);

/** Reads a text that is known to be JSON, so it checks nothing, and writes the canonical one. */
class CanonicalReader {
  private readonly text: string;
  private order: (a: Member, b: Member) => number;
  private at = 0;

  constructor(text: string, ascii: boolean) {
    this.text = text;
    // Code units order as bytes do, as long as all keys are ASCII.
    this.order = ascii ? byUnit : byUtf8;
  }

  document(): string {
    this.space();
    const start = this.at;
    return this.value() || this.text.slice(start, this.at);
  }

  /** True when it has escapes. */
  private skipString(): boolean {
    const { text } = this;
    let at = this.at + 1;
    let escaped = false;
    for (let unit = text.charCodeAt(at); unit !== QUOTE; unit = text.charCodeAt(at)) {
      if (unit === BACKSLASH) {
        escaped = true;
        at += 2;
      } else at++;
    }
    this.at = at + 1;
    return escaped;
  }

  /** The unescaped text of the key that began at `start` and was passed, `name` being its canonical text. */
  private keyFrom(start: number, name: string): string {
    return name === AS_IT_STANDS ? this.text.slice(start + 1, this.at - 1) : (JSON.parse(name) as string);
  }

  /** Passes what is left of a number or literal: they end at white space or punctuation. */
  private skipLiteral(): void {
    const { text } = this;
    for (let unit = text.charCodeAt(this.at); unit > 0x20 && unit !== COMMA; unit = text.charCodeAt(++this.at)) {
      if (unit === CLOSE_BRACKET || unit === CLOSE_BRACE) break;
    }
  }

  /** Passes the value at `at`; its canonical text, or AS_IT_STANDS. */
  private value(): string {
    const { text } = this;
    const first = text.charCodeAt(this.at);
    if (first === QUOTE) return this.string();
    if (first === 0x7b) return this.object();
    if (first === 0x5b) return this.array();
    this.at++;
    this.skipLiteral();
    return AS_IT_STANDS;
  }

  /** Passes white space; true when there was some. */
  private space(): boolean {
    const { text } = this;
    if (text.charCodeAt(this.at) > 0x20) return false;
    const start = this.at;
    while (text.charCodeAt(this.at) <= 0x20) this.at++;
    return this.at > start;
  }

  private string(): string {
    const start = this.at;
    return this.skipString() ? JSON.stringify(JSON.parse(this.text.slice(start, this.at))) : AS_IT_STANDS;
  }

  private array(): string {
    const { text } = this;
    this.at++;
    let changed = this.space();
    if (text.charCodeAt(this.at) === CLOSE_BRACKET) {
      this.at++;
      return changed ? '[]' : AS_IT_STANDS;
    }
    const open = this.at;
    let out = '';
    for (;;) {
      const start = this.at;
      const item = this.value();
      // From the first change on items are collected; what stands before it is canonical.
      if (!changed && item !== AS_IT_STANDS) {
        out = text.slice(open, start);
        changed = true;
        out += item;
      } else if (changed) out += item || text.slice(start, this.at);
      const end = this.at;
      if (this.space() && !changed) {
        out = text.slice(open, end);
        changed = true;
      }
      const last = text.charCodeAt(this.at++) === CLOSE_BRACKET;
      if (last) return changed ? `[${out}]` : AS_IT_STANDS;
      if (changed) out += ',';
      const comma = this.at;
      if (this.space() && !changed) {
        out = text.slice(open, comma);
        changed = true;
      }
    }
  }

  private object(): string {
    const { text } = this;
    this.at++;
    let changed = this.space();
    if (text.charCodeAt(this.at) === CLOSE_BRACE) {
      this.at++;
      return changed ? '{}' : AS_IT_STANDS;
    }
    const members: Member[] = [];
    for (;;) {
      const member = this.member();
      const before = members.at(-1);
      if (member.text !== AS_IT_STANDS || (before !== undefined && this.order(before, member) > 0)) changed = true;
      members.push(member);
      if (this.space()) changed = true;
      if (text.charCodeAt(this.at++) === CLOSE_BRACE) break;
      if (this.space()) changed = true;
    }
    if (!changed) return AS_IT_STANDS;
    if (members.length > 1) members.sort(this.order);
    let out = '{';
    for (const { start, end, text: own } of members) {
      if (out.length > 1) out += ',';
      out += own || text.slice(start, end);
    }
    return `${out}}`;
  }

  private member(): Member {
    const { text } = this;
    const start = this.at;
    const name = this.string();
    const key = this.keyFrom(start, name);
    // An escape can stand for any character.
    if (name !== AS_IT_STANDS) this.order = byUtf8;
    const nameEnd = this.at;
    let changed = this.space();
    this.at++;
    changed = this.space() || changed;
    const from = this.at;
    const value = this.value();
    const end = this.at;
    if (!changed && name === AS_IT_STANDS && value === AS_IT_STANDS) return { key, start, end, text: AS_IT_STANDS };
    const own = `${name || text.slice(start, nameEnd)}:${value || text.slice(from, end)}`;
    return { key, start, end, text: own };
  }
}
