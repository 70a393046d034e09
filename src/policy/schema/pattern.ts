/** Thrown for a pattern that cannot be matched in a bounded number of steps; the message says what stands in the way. */
export class PatternError extends Error {}

/** What one pattern may grow to once its repetitions are written out. */
const MOST_STATES = 2000;

type Holds = (text: string, at: number) => boolean;

/** A state of the automaton. `char` eats one code point, the others eat nothing. */
type State =
  | { readonly kind: 'char'; readonly takes: (character: string) => boolean; next: number }
  | { readonly kind: 'fork'; next: number; other: number }
  | { readonly kind: 'assert'; readonly holds: Holds; next: number }
  | { readonly kind: 'match' };

/** How a part of the pattern is put in front of a state; answers the state that it starts with. */
type Part = (states: State[], next: number) => number;

const isWord = (character: string | undefined): boolean => character !== undefined && /^\w$/.test(character);

const atBoundary: Holds = (text, at) => isWord(text[at - 1]) !== isWord(text[at]);

const assertions: { readonly [source: string]: Holds } = {
  '^': (_, at) => at === 0,
  $: (text, at) => at === text.length,
  '\\b': atBoundary,
  '\\B': (text, at) => !atBoundary(text, at),
};

const add = (states: State[], state: State): number => {
  if (states.length >= MOST_STATES)
    throw new PatternError(`the pattern repeats too much: ${MOST_STATES} states at most`);
  return states.push(state) - 1;
};

// One character against one atom: JavaScript's own engine says whether it fits, and has nothing to go back to.
const charPart = (source: string): Part => {
  const whole = new RegExp(`^(?:${source})$`, 'u');
  const ascii: (boolean | undefined)[] = [];
  const takes = (character: string): boolean => {
    const code = character.charCodeAt(0);
    if (code >= 128) return whole.test(character);
    const known = ascii[code] ?? whole.test(character);
    ascii[code] = known;
    return known;
  };
  return (states, next) => add(states, { kind: 'char', takes, next });
};

const sequence =
  (parts: readonly Part[]): Part =>
  (states, next) =>
    parts.reduceRight((after, part) => part(states, after), next);

const either =
  (parts: readonly Part[]): Part =>
  (states, next) =>
    parts
      .map((part) => part(states, next))
      .reduceRight((other, one) => add(states, { kind: 'fork', next: one, other }));

const loop =
  (part: Part): Part =>
  (states, next) => {
    const fork: State = { kind: 'fork', next, other: next };
    const at = add(states, fork);
    fork.next = part(states, at);
    return at;
  };

const optional =
  (part: Part): Part =>
  (states, next) =>
    add(states, { kind: 'fork', next: part(states, next), other: next });

const repeat =
  (part: Part, least: number, most: number): Part =>
  (states, next) => {
    if (Math.max(least, most === Infinity ? 0 : most) > MOST_STATES)
      throw new PatternError('the pattern repeats too much');
    let after = most === Infinity ? loop(part)(states, next) : next;
    // What may be left out nests: each further one is reached through the one before it.
    if (most !== Infinity) for (let count = least; count < most; count++) after = optional(part)(states, after);
    for (let count = 0; count < least; count++) {
      const before = states.length;
      after = part(states, after);
      // Nothing, many times over, is nothing.
      if (states.length === before) break;
    }
    return after;
  };

const ATOM =
  /\\(?:u\{[0-9a-fA-F]+\}|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|c[A-Za-z]|[pP]\{[^}]*\}|.)|\[(?:\\.|[^\]\\])*\]|[\s\S]/uy;
const QUANTIFIER = /(?:[*+?]|\{(\d+)(,(\d*))?\})\??/y;
const GROUP = /\((?:\?:|\?<(?![=!])[^>]*>)?/y;

/** Reads a pattern whose syntax JavaScript has accepted already. */
class Reader {
  private at = 0;
  private readonly source: string;

  constructor(source: string) {
    this.source = source;
  }

  alternatives(): Part {
    const parts = [this.terms()];
    while (this.source[this.at] === '|') {
      this.at++;
      parts.push(this.terms());
    }
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : either(parts);
  }

  private take(shape: RegExp): RegExpExecArray | null {
    shape.lastIndex = this.at;
    const found = shape.exec(this.source);
    if (found !== null) this.at = shape.lastIndex;
    return found;
  }

  private terms(): Part {
    const parts: Part[] = [];
    while (this.at < this.source.length && this.source[this.at] !== '|' && this.source[this.at] !== ')') {
      parts.push(this.quantified(this.term()));
    }
    return sequence(parts);
  }

  private term(): Part {
    if (this.source[this.at] === '(') {
      if (
        this.source.startsWith('(?', this.at) &&
        !/^\(\?(?::|<(?![=!]))/.test(this.source.slice(this.at, this.at + 4))
      )
        throw new PatternError('the pattern looks ahead or behind, or changes its flags');
      this.take(GROUP);
      const inner = this.alternatives();
      this.at++;
      return inner;
    }
    const [source = ''] = this.take(ATOM) ?? [];
    const holds = Object.hasOwn(assertions, source) ? assertions[source] : undefined;
    if (holds !== undefined) return (states, next) => add(states, { kind: 'assert', holds, next });
    if (/^\\[1-9k]/.test(source)) throw new PatternError('the pattern refers back to a group');
    return charPart(source);
  }

  private quantified(part: Part): Part {
    const found = this.take(QUANTIFIER);
    if (found === null) return part;
    const [text, least, range, most] = found;
    if (least !== undefined) {
      const from = Number(least);
      return repeat(part, from, range === undefined ? from : most === '' ? Infinity : Number(most));
    }
    if (text.startsWith('*')) return loop(part);
    return text.startsWith('+') ? repeat(part, 1, Infinity) : optional(part);
  }
}

/**
 * A JSON Schema pattern as JavaScript reads it with the flag `u`, matched anywhere in a text in steps that grow with
 * the text alone: all ways through the pattern are followed at once. Throws PatternError for look-around, references
 * back to a group, and repetitions that make it too large; SyntaxError for what is no pattern.
 *
 * @param spend is told of steps as they are taken, and may throw
 */
export const linearPattern = (source: string, spend: (steps: number) => void): ((text: string) => boolean) => {
  new RegExp(source, 'u');
  const states: State[] = [{ kind: 'match' }];
  const start = new Reader(source).alternatives()(states, 0);

  /** Adds a state and all that it leads to without eating; true when that is the end. */
  const enter = (from: number, seen: Uint32Array, mark: number, into: number[], text: string, at: number): boolean => {
    const pending = [from];
    for (let index = pending.pop(); index !== undefined; index = pending.pop()) {
      const state = states[index];
      if (state === undefined || seen[index] === mark) continue;
      seen[index] = mark;
      if (state.kind === 'match') return true;
      if (state.kind === 'char') into.push(index);
      else if (state.kind === 'fork') pending.push(state.other, state.next);
      else if (state.holds(text, at)) pending.push(state.next);
    }
    return false;
  };

  return (text) => {
    const seen = new Uint32Array(states.length);
    let current: number[] = [];
    let mark = 1;
    if (enter(start, seen, mark, current, text, 0)) return true;
    for (let at = 0; at < text.length; ) {
      const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
      at += character.length;
      mark++;
      const following: number[] = [];
      spend(1 + current.length);
      for (const index of current) {
        const state = states[index];
        if (state?.kind !== 'char' || !state.takes(character)) continue;
        if (enter(state.next, seen, mark, following, text, at)) return true;
      }
      if (enter(start, seen, mark, following, text, at)) return true;
      current = following;
    }
    return false;
  };
};
