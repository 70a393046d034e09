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
  return new Writer(bytes.toString(ascii ? 'latin1' : 'utf8'), ascii).value();
};

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const CLOSE_BRACE = 0x7d;
const CLOSE_BRACKET = 0x5d;

interface Member {
  /** The unescaped key. */
  readonly key: string;
  /** `"key":value` in canonical form. */
  readonly text: string;
}

const byUtf8 = (a: Member, b: Member): number => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key));
const byUnit = (a: Member, b: Member): number => (a.key < b.key ? -1 : 1);

/** Reads a text that is known to be JSON, so it checks nothing, and writes the canonical one. */
class Writer {
  private readonly text: string;
  /** Code units order as bytes do. */
  private readonly ascii: boolean;
  private at = 0;
  /** Whether the string read last had no escapes. */
  private plain = true;

  constructor(text: string, ascii: boolean) {
    this.text = text;
    this.ascii = ascii;
  }

  value(): string {
    const first = this.space();
    if (first === QUOTE) return this.string();
    if (first === 0x7b) return this.object();
    if (first === 0x5b) return this.array();
    const { text } = this;
    const start = this.at;
    let at = start + 1;
    // Numbers and literals end at white space or punctuation: `,` is 2c, `]` 5d, `}` 7d, and nothing below 21 counts.
    for (let unit = text.charCodeAt(at); unit > 0x20 && unit !== 0x2c; unit = text.charCodeAt(++at)) {
      if (unit === CLOSE_BRACKET || unit === CLOSE_BRACE) break;
    }
    this.at = at;
    return text.slice(start, at);
  }

  private space(): number {
    const { text } = this;
    let unit = text.charCodeAt(this.at);
    while (unit <= 0x20) unit = text.charCodeAt(++this.at);
    return unit;
  }

  private string(): string {
    const { text } = this;
    const start = this.at;
    let at = start + 1;
    this.plain = true;
    for (let unit = text.charCodeAt(at); unit !== QUOTE; unit = text.charCodeAt(at)) {
      if (unit === BACKSLASH) {
        this.plain = false;
        at += 2;
      } else at++;
    }
    this.at = at + 1;
    const raw = text.slice(start, at + 1);
    return this.plain ? raw : JSON.stringify(JSON.parse(raw));
  }

  private array(): string {
    this.at++;
    if (this.space() === CLOSE_BRACKET) {
      this.at++;
      return '[]';
    }
    let out = '[';
    for (;;) {
      out += this.value();
      const after = this.space();
      this.at++;
      if (after === CLOSE_BRACKET) return `${out}]`;
      out += ',';
    }
  }

  private object(): string {
    this.at++;
    if (this.space() === CLOSE_BRACE) {
      this.at++;
      return '{}';
    }
    const members: Member[] = [];
    let ascii = this.ascii;
    for (;;) {
      const name = this.string();
      const key = this.plain ? name.slice(1, -1) : (JSON.parse(name) as string);
      ascii &&= this.plain;
      this.space();
      this.at++;
      members.push({ key, text: `${name}:${this.value()}` });
      const after = this.space();
      this.at++;
      if (after === CLOSE_BRACE) break;
      this.space();
    }
    if (members.length > 1) members.sort(ascii ? byUnit : byUtf8);
    let out = '{';
    for (let index = 0; index < members.length; index++)
      out += (index === 0 ? '' : ',') + (members[index] as Member).text;
    return `${out}}`;
  }
}
