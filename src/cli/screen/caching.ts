import type { CheckedCall, CheckedEntrypoint } from '../../policy/index.ts';
import type { PlacedRead, RegoReference, SourcePlace } from '../../rego/index.ts';
import { count, type Paint, plain } from './screen.ts';

const MOST_PLACES = 4;
const MOST_ENTRYPOINTS = 12;

export const placeText = ({ file, row, col }: SourcePlace): string => `${plain(file)}:${row}:${col}`;

const isWord = (name: string): boolean => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name);

/** As Rego has it: `input.a["b c"]`. */
export const referenceText = (root: string, path: readonly string[]): string =>
  plain(root + path.map((name) => (isWord(name) ? `.${name}` : `[${JSON.stringify(name)}]`)).join(''));

const inputPath = ({ path }: { readonly path: readonly string[] }): string => referenceText('input', path);

const isBelow = (path: readonly string[], other: readonly string[]): boolean =>
  other.length > path.length && path.every((name, at) => other[at] === name);

/** Reads that tell something: of a place on the way to another one that only counts by its kind is no news. */
const telling = (reads: readonly PlacedRead[]): PlacedRead[] =>
  reads.filter((read) => read.shape !== true || !reads.some((other) => isBelow(read.path, other.path)));

/** What ends answers that are remembered. */
const ends: ReadonlyMap<CheckedCall['effect'], string> = new Map([
  ['token', "a token's nbf or exp"],
  ['window', 'the clock changes it'],
]);

const isLasting = ({ effect }: CheckedCall): boolean => ends.has(effect);

const untilText = (calls: readonly CheckedCall[]): string => {
  const found = [...ends].filter(([effect]) => calls.some((call) => call.effect === effect));
  return found.length === 0 ? '' : `, until ${found.map(([, end]) => end).join(' or ')}`;
};

const perWhat = (reads: readonly PlacedRead[]): string => {
  const whole = reads.find(({ path, shape }) => path.length === 0 && shape !== true);
  if (whole !== undefined) return `per input as a whole, which ${placeText(whole)} reads`;
  const places = telling(reads).map(inputPath);
  if (places.length === 0) return 'once for all inputs';
  const more = places.length > MOST_PLACES ? ` and ${count(places.length - MOST_PLACES, 'more place')}` : '';
  return `per ${places.slice(0, MOST_PLACES).join(', ')}${more}`;
};

const seconds = (ms: number): string => `${ms / 1000}s`;

const entrypointLine = ({ path, ttlMs, reads, calls }: CheckedEntrypoint, paint: Paint): string => {
  const name = `${paint('bold', plain(path))}: `;
  const ending = calls.find((call) => !isLasting(call));
  if (ttlMs !== undefined) return `${name}remembered for ${seconds(ttlMs)} ${perWhat(reads)}`;
  if (ending !== undefined) {
    return `${name}${paint('yellow', 'not remembered')} where ${ending.builtin} is called: ${placeText(ending)}`;
  }
  return `${name}remembered ${perWhat(reads)}${untilText(calls)}`;
};

/** A line an entrypoint. */
export const cachingLines = (entrypoints: readonly CheckedEntrypoint[], paint: Paint): string[] => {
  const shown = entrypoints.slice(0, MOST_ENTRYPOINTS).map((one) => entrypointLine(one, paint));
  const left = entrypoints.length - shown.length;
  return left === 0
    ? shown
    : [...shown, paint('dim', `and ${count(left, 'more entrypoint')}: --explain-cache shows all`)];
};

const whys = {
  dynamic: 'all below it: what follows is no constant name',
  replaced: 'all of it: `with` replaces a part of the input',
  unknown: 'all of it: what is done with it is not looked into',
} as const;

const readNote = (read: PlacedRead): string => {
  if (read.shape === true) return 'whether it is there, and of which kind';
  return read.why === undefined ? '' : whys[read.why];
};

const effectNotes = {
  time: 'time',
  randomness: 'randomness',
  network: 'network',
  token: "remembered until the token's nbf or exp",
  window: 'remembered until what is made of it changes',
} as const;

type Row = readonly [what: string, place: string, note: string];

const rows = (heading: string, list: readonly Row[], paint: Paint): string[] => {
  if (list.length === 0) return [];
  const widthOf = (column: 0 | 1): number => Math.max(...list.map((row) => row[column].length));
  const [first, second] = [widthOf(0), widthOf(1)];
  const lines = list.map(([what, place, note]) =>
    `    ${what.padEnd(first)}  ${paint('dim', place.padEnd(second))}  ${note}`.trimEnd(),
  );
  return [`  ${heading}`, ...lines];
};

const readRow = (read: PlacedRead): Row => [inputPath(read), placeText(read), readNote(read)];
const dataRow = (read: RegoReference): Row => [referenceText('data', read.path), placeText(read), ''];
const callRow = (call: CheckedCall): Row => [call.builtin, placeText(call), effectNotes[call.effect]];

const entrypointBlock = (one: CheckedEntrypoint, paint: Paint): string[] => [
  entrypointLine(one, paint),
  ...rows('reads of the input', one.reads.map(readRow), paint),
  ...rows('reads of the data', one.data.map(dataRow), paint),
  ...rows('calls', one.calls.map(callRow), paint),
];

/** Everything that is known of each entrypoint. */
export const cachingText = (entrypoints: readonly CheckedEntrypoint[], paint: Paint): string[] =>
  entrypoints.flatMap((one) => entrypointBlock(one, paint));
