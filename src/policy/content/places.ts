import { isMap, isPair, isScalar, isSeq, parseDocument } from 'yaml';
import type { RegoProblem } from '../../rego/index.ts';
import { isYaml } from '../archive/names.ts';
import { offsetOf } from './json-text.ts';

/** Lines and columns (in characters) count from 1. */
export interface Place {
  readonly row: number;
  readonly col: number;
}

const START: Place = { row: 1, col: 1 };
const LONGEST_EXCERPT = 1000;

/** The place of a character. */
export const placeAt = (text: string, offset: number): Place => {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  return { row: text.slice(0, start).split('\n').length, col: [...text.slice(start, offset)].length + 1 };
};

/** A line as it stands, cut where it is very long. */
const lineOf = (text: string, row: number): string => {
  let start = 0;
  for (let at = 1; at < row; at++) {
    const end = text.indexOf('\n', start);
    if (end === -1) return '';
    start = end + 1;
  }
  return text.slice(start, start + LONGEST_EXCERPT).split(/\r?\n/, 1)[0] ?? '';
};

/** A problem with the line that it stands in; without a place it is about the file as a whole. */
export const problemIn = (
  { file, text }: { readonly file: string; readonly text: string },
  { code, message, place = START }: { readonly code: string; readonly message: string; readonly place?: Place },
): RegoProblem => {
  const excerpt = lineOf(text, place.row);
  // Nothing can be pointed at in a line that is cut before the column.
  return { code, message, file, ...place, ...(place.col > excerpt.length + 1 ? {} : { excerpt }) };
};

/** A pair of a mapping, or an item of a sequence. */
const yamlStep = (node: unknown, segment: string): unknown => {
  if (isMap(node)) return node.items.find(({ key }) => isScalar(key) && String(key.value) === segment);
  return isSeq(node) ? node.items[Number(segment)] : undefined;
};

const behind = (step: unknown): unknown => (isPair(step) ? step.value : step);

/** What stands at a path below a node of YAML. */
export const yamlNode = (root: unknown, path: readonly string[]): unknown =>
  path.reduce((node, segment) => behind(yamlStep(node, segment)), root);

/** Where the value at a path below a node of YAML stands: its key, or the item. Of the last step that there is. */
export const yamlOffset = (root: unknown, path: readonly string[]): number | undefined => {
  let offset: number | undefined;
  let node = root;
  for (const segment of path) {
    const step = yamlStep(node, segment);
    const named = isPair(step) ? step.key : step;
    const range = (named as { readonly range?: readonly number[] | null } | null | undefined)?.range;
    if (range === undefined || range === null) break;
    offset = range[0];
    node = behind(step);
  }
  return offset;
};

/**
 * Where the value at a path stands in a JSON or YAML text that was parsed before: its key, or the item of an array. Of
 * a path that leads nowhere, the last step that there is.
 */
export const placeIn = (file: string, text: string, path: readonly string[]): Place => {
  const offset = isYaml(file)
    ? yamlOffset(parseDocument(text, { schema: 'failsafe', uniqueKeys: false }).contents, path)
    : offsetOf(text, path);
  return offset === undefined ? START : placeAt(text, offset);
};
