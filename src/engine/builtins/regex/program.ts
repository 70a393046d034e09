import { LRUCache } from 'lru-cache';
import { RE2JS, RE2JSSyntaxException } from 're2js';
import { EvaluationFailure } from '../../failure.ts';
import type { CallScope } from '../model.ts';
import { BuiltinError } from '../model.ts';
import { Subject } from './subject.ts';
import { classNamed, isUnsure } from './unicode.ts';

/** Ends of a match and of each of its groups: [start, end, start, end, ...], -1 where a group took no part. */
export type Match = readonly number[];

// Quoted text, a Unicode class, any other escape.
const escapes = /\\Q.*?(?:\\E|$)|\\([pP])(?:\{([^}]*)\}|(.))|\\./gsu;

/** The pattern with its Unicode classes by the names that re2js has for them. */
const withKnownClasses = (pattern: string): string =>
  pattern.replace(escapes, (found, sign?: string, name?: string, letter?: string) => {
    if (sign === undefined || letter === '{') return found;
    const known = classNamed(name ?? letter ?? '');
    if (known === undefined) throw new BuiltinError(`invalid character class range: ${found}`);
    return `\\${sign}{${known}}`;
  });

const element = /\\[pPx]\{[^}]*\}|\\.|\[\^?\]?(?:\[:\w*:\]|\\.|[^\]\\])*\]|\{(\d+)(?:,(\d*))?\}|./gsu;

/** How many instructions a pattern becomes, more or less: repeats are written out. */
export const estimatedSize = (pattern: string): number => {
  const open = [0];
  let last = 0;
  for (const [text, least, most] of pattern.matchAll(element)) {
    const top = open.length - 1;
    if (least !== undefined) {
      const extra = last * (Math.max(Number(least), Number(most ?? 0), 1) - 1);
      open[top] = (open[top] ?? 0) + extra;
      last += extra;
    } else if (text === '(') {
      open.push(2);
      last = 2;
    } else if (text === ')' && top > 0) {
      last = open.pop() ?? 0;
      open[top - 1] = (open[top - 1] ?? 0) + last;
    } else {
      open[top] = (open[top] ?? 0) + 1;
      last = 1;
    }
  }
  return open.reduce((sum, size) => sum + size, 0);
};

/** Points that compiling takes: it is not linear, for re2js looks at what an instruction can reach without a character. */
const compilePoints = (size: number): number => 30_000 + size * (2_000 + size / 2);

// Above these sizes re2js leaves its backtracking, which takes a step for each instruction that it tries at a place,
// for a simulation that takes a step for each character and all instructions at once.
const mostBacktracked = 500;
const mostVisits = 262_144;

const dependsOnTables = /\\[pP]|\(\?[A-Za-z-]*i/;

/** A compiled pattern. */
export class Program {
  readonly size: number;
  readonly groups: number;
  /** Numbers of the named groups. */
  readonly names: Readonly<Record<string, number>>;
  private readonly re2: ReturnType<RE2JS['re2']>;
  private readonly byTables: boolean;

  constructor(pattern: string) {
    this.re2 = RE2JS.compile(withKnownClasses(pattern)).re2();
    this.size = Number(this.re2.numberOfInstructions());
    this.groups = this.re2.numberOfCapturingGroups();
    this.names = this.re2.namedGroups;
    this.byTables = dependsOnTables.test(pattern);
  }

  /** The text made ready for searches, which take points of the scope's budget. */
  subject(text: string, scope: CallScope): Subject {
    if (this.byTables && /[^\x00-\x7f]/.test(text) && [...text].some(isUnsure)) {
      const why = 'a character of the text is newer than the tables of Unicode 15 that OPA has';
      throw new EvaluationFailure('builtin_error', `regular expression: ${why}`);
    }
    const backtracks = this.size <= mostBacktracked && text.length * this.size <= mostVisits;
    return new Subject(text, scope, backtracks || this.re2.onepass !== null ? 60 : 20 + 30 * this.size);
  }

  /** The leftmost match that begins at or behind a place. */
  search(subject: Subject, at: number): Match | undefined {
    const found = this.re2.executeEngine(subject, at, 0, 2 * (this.groups + 1)) as Match | null;
    subject.settle();
    return found ?? undefined;
  }

  /** Whether there is a match anywhere. */
  matches(text: string, scope: CallScope): boolean {
    const subject = this.subject(text, scope);
    const found = this.re2.executeEngine(subject, 0, 0, 2) as Match | null;
    subject.settle();
    return found !== null;
  }
}

type Compiled = Program | BuiltinError;

const cache = new LRUCache<string, Compiled>({
  max: 1_000,
  maxSize: 200_000,
  sizeCalculation: (compiled, pattern) => pattern.length + (compiled instanceof Program ? compiled.size : 0) + 1,
});

const compile = (pattern: string): Compiled => {
  try {
    return new Program(pattern);
  } catch (thrown) {
    if (thrown instanceof BuiltinError) return thrown;
    if (thrown instanceof RE2JSSyntaxException) return new BuiltinError(thrown.message);
    throw thrown;
  }
};

/**
 * The program of a pattern. An evaluation pays for the first use of each, whether or not it is in the cache: what it
 * may do must not depend on what others did before. Throws BuiltinError for what is no pattern.
 */
export const programOf = (pattern: string, scope: CallScope): Program => {
  const compiled = scope.once(`regex ${pattern}`, (): Compiled => {
    scope.spend(compilePoints(estimatedSize(pattern)));
    const known = cache.get(pattern);
    if (known !== undefined) return known;
    const made = compile(pattern);
    cache.set(pattern, made);
    return made;
  });
  if (compiled instanceof BuiltinError) throw compiled;
  return compiled;
};
