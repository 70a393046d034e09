import type { CallScope } from '../model.ts';

/** What re2js' engines put between two characters: line and text borders, word borders. */
const borders = { beginLine: 1, endLine: 2, beginText: 4, endText: 8, word: 16, noWord: 32 } as const;

const newline = 10;
const outside = -8;

const isWord = (unit: number): boolean =>
  (unit >= 0x30 && unit <= 0x39) || (unit >= 0x41 && unit <= 0x5a) || (unit >= 0x61 && unit <= 0x7a) || unit === 0x5f;

interface Prefixed {
  readonly prefix: string;
}

interface Filter {
  readonly str: string;
  automaton16(): { searchUTF16(text: string, start: number, end: number): boolean };
}

/** How many steps are taken before the budget is asked for them. */
const stride = 256;

/**
 * A text as re2js' engines read it, which takes points of the budget for every step: whatever pattern and text are,
 * the work that is done is the work that is paid for.
 */
export class Subject {
  readonly text: string;
  private readonly scope: CallScope;
  private readonly pointsPerStep: number;
  private steps = 0;

  constructor(text: string, scope: CallScope, pointsPerStep: number) {
    this.text = text;
    this.scope = scope;
    this.pointsPerStep = pointsPerStep;
  }

  /** The character here and the units it takes: code << 3 | width. */
  step(at: number): number {
    if (++this.steps === stride) this.settle();
    const { text } = this;
    if (at >= text.length) return outside;
    const code = text.codePointAt(at) as number;
    return (code << 3) | (code > 0xffff ? 2 : 1);
  }

  /** Takes the points for the steps since the last time. */
  settle(): void {
    this.scope.spend(this.steps * this.pointsPerStep);
    this.steps = 0;
  }

  context(at: number): number {
    const { text } = this;
    const before = at > 0 ? text.charCodeAt(at - 1) : -1;
    const after = at < text.length ? text.charCodeAt(at) : -1;
    let found = isWord(before) === isWord(after) ? borders.noWord : borders.word;
    if (before === -1) found |= borders.beginText | borders.beginLine;
    if (before === newline) found |= borders.beginLine;
    if (after === -1) found |= borders.endText | borders.endLine;
    if (after === newline) found |= borders.endLine;
    return found;
  }

  /** How far from here the text that every match begins with is; -1 where there is none. */
  index({ prefix }: Prefixed, at: number): number {
    const found = this.text.indexOf(prefix, at);
    return found < 0 ? -1 : found - at;
  }

  hasString({ str }: Filter, at: number): boolean {
    return this.text.includes(str, at);
  }

  hasAnyString(filter: Filter, at: number): boolean {
    return filter.automaton16().searchUTF16(this.text, at, this.text.length);
  }

  canCheckPrefix(): boolean {
    return true;
  }

  prefixLength({ prefix }: Prefixed): number {
    return prefix.length;
  }

  endPos(): number {
    return this.text.length;
  }
}
