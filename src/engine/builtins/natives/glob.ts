import type { RegoValue } from '../../../rego/index.ts';
import { byteOf, textOperand } from '../format/byte-text.ts';
import type { Builtin, CallScope } from '../model.ts';
import { BuiltinError } from '../model.ts';
import { typeName, wrongType } from '../operands.ts';
import { remembered } from '../remembered.ts';

/** A place of a pattern that takes one character and goes on. */
interface Taker {
  readonly takes: (character: string) => boolean;
  readonly next: number;
}

/** A place that leads on to others without one. */
interface Fork {
  readonly to: readonly number[];
}

type Place = Taker | Fork;

interface Group {
  /** Where its alternatives begin. */
  readonly begins: number[];
  /** Where those before the last one end: they lead behind the group. */
  readonly ends: number[][];
}

/** A byte of no character is U+FFFD to classes and wildcards, and to no text. */
const rune = (character: string): string => (byteOf(character) === undefined ? character : '\ufffd');

const pointOf = (character: string): number => character.codePointAt(0) ?? 0;

/** Reads patterns as OPA's Go code does: github.com/gobwas/glob. */
class Reader {
  private readonly characters: readonly string[];
  private readonly separators: ReadonlySet<string>;
  private readonly places: Place[] = [];
  private readonly groups: Group[] = [];
  private at = 0;

  constructor(pattern: string, separators: readonly string[]) {
    this.characters = [...pattern];
    this.separators = new Set(separators);
  }

  /** The places of the pattern; a text matches that leads from the first to behind the last. */
  read(): readonly Place[] {
    for (let next = this.take(); next !== undefined; next = this.take()) this.readFrom(next);
    if (this.groups.length > 0) throw new BuiltinError('unclosed `{`');
    return this.places;
  }

  private readFrom(first: string): void {
    const group = this.groups.at(-1);
    if (first === '*') this.star();
    else if (first === '?') this.one((character) => !this.separators.has(rune(character)));
    else if (first === '[') this.one(this.characterClass());
    else if (first === '{') this.groups.push({ begins: this.fork(), ends: [] });
    else if (first === ',' && group !== undefined) {
      group.ends.push(this.fork([]));
      group.begins.push(this.places.length);
    } else if (first === '}' && group !== undefined) {
      for (const end of group.ends) end.push(this.places.length);
      this.groups.pop();
    } else {
      const text = first === '\\' ? this.wanted() : first;
      this.one((character) => character === text);
    }
  }

  private take(): string | undefined {
    return this.characters[this.at++];
  }

  private wanted(): string {
    const next = this.take();
    if (next === undefined) throw new BuiltinError('unexpected end of the pattern');
    return next;
  }

  private one(takes: (character: string) => boolean): void {
    this.places.push({ takes, next: this.places.length + 1 });
  }

  private fork(to: number[] = [this.places.length + 1]): number[] {
    this.places.push({ to });
    return to;
  }

  private star(): void {
    const isSuper = this.characters[this.at] === '*';
    if (isSuper) this.at++;
    const start = this.places.length;
    this.fork([start + 1, start + 2]);
    const takes = (character: string): boolean => isSuper || !this.separators.has(rune(character));
    this.places.push({ takes, next: start });
  }

  /** Behind `[`: a range, or characters of which a backslash takes the next one as it is. */
  private characterClass(): (character: string) => boolean {
    let first = this.wanted();
    const isNegated = first === '!';
    if (isNegated) first = this.wanted();
    const has = this.characters[this.at] === '-' ? this.range(first) : this.listed(first);
    return (character) => has(rune(character)) !== isNegated;
  }

  private range(from: string): (character: string) => boolean {
    this.at++;
    const [low, high] = [pointOf(from), pointOf(this.wanted())];
    if (this.wanted() !== ']' || high < low) throw new BuiltinError('a range is two characters in order');
    return (character) => low <= pointOf(character) && pointOf(character) <= high;
  }

  private listed(first: string): (character: string) => boolean {
    const list = new Set<string>();
    for (let next = first; next !== ']'; next = this.wanted()) list.add(next === '\\' ? this.wanted() : next);
    if (list.size === 0) throw new BuiltinError('an empty class of characters');
    return (character) => list.has(character);
  }
}

/** What places lead to without a character. */
interface Reach {
  readonly takers: readonly Taker[];
  readonly isEnd: boolean;
}

/** A pattern that was read: as many places as it has, and what each of them leads to. */
interface Pattern {
  readonly size: number;
  from(places: readonly number[]): Reach;
}

const patternOf = (places: readonly Place[]): Pattern => {
  const known: (Reach | undefined)[] = [];
  const reached = (from: Iterable<number>): Reach => {
    const seen = new Set(from);
    const takers: Taker[] = [];
    // What is added is visited, too.
    for (const at of seen) {
      const place = places[at];
      if (place === undefined) continue;
      if ('to' in place) for (const next of place.to) seen.add(next);
      else takers.push(place);
    }
    return { takers, isEnd: seen.has(places.length) };
  };
  return {
    size: places.length,
    from: (some) => {
      const [only] = some;
      if (only === undefined || some.length > 1) return reached(some);
      known[only] ??= reached(some);
      return known[only];
    },
  };
};

const pointsPerPlace = 100;

/** All ways through the pattern at once: a character takes steps for as many places as the pattern has. */
const matches = (scope: CallScope, pattern: Pattern, text: string): boolean => {
  let now = pattern.from([0]);
  for (const character of text) {
    if (now.takers.length === 0) return false;
    scope.spend(pointsPerPlace * pattern.size);
    const next: number[] = [];
    for (const place of now.takers) if (place.takes(character)) next.push(place.next);
    now = pattern.from(next);
  }
  return now.isEnd;
};

const separatorsOf = (value: RegoValue | undefined): string[] => {
  if (value === null) return [];
  if (!Array.isArray(value)) throw wrongType(value, 2, 'array', 'null');
  if (value.length === 0) return ['.'];
  return (value as readonly RegoValue[]).map((item) => {
    const characters = typeName(item) === 'string' ? [...textOperand(item, 2)] : [];
    const [first] = characters;
    if (first === undefined || characters.length > 1) throw new BuiltinError('operand 2 must be array of runes');
    return rune(first);
  });
};

const read = (source: string, separators: readonly string[]): Pattern => {
  if ([...source].some((character) => byteOf(character) !== undefined)) throw new BuiltinError('invalid UTF-8');
  return patternOf(new Reader(source, separators).read());
};

// What a place leads to is kept with the pattern, and can be all of it: the square of its length.
const bounds = { most: 128, longest: 128 };

/** Patterns by how many separators they have, these, and their text. */
const known = remembered((key) => {
  const [count = ''] = /^\d+/.exec(key) ?? [];
  const rest = key.slice(count.length + 1);
  const separators = [...rest].slice(0, Number(count));
  return read(rest.slice(separators.join('').length), separators);
}, bounds);

/** `glob.match`: no separators are the dot, null is none at all. */
export const globMatch: Builtin = (scope, pattern, delimiters, text) => {
  const source = textOperand(pattern, 1);
  const separators = separatorsOf(delimiters);
  const subject = textOperand(text, 3);
  scope.spend(pointsPerPlace * source.length);
  return matches(scope, known(`${separators.length}:${separators.join('')}${source}`), subject);
};
