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

/** Where each step of a path leads in YAML: to the key of a mapping, or to an item. */
const yamlOffset = (text: string, path: readonly string[]): number | undefined => {
  let node: unknown = parseDocument(text, { schema: 'failsafe', uniqueKeys: false }).contents;
  let offset = 0;
  for (const segment of path) {
    const found: unknown = isMap(node)
      ? node.items.find(({ key }) => isScalar(key) && String(key.value) === segment)
      : isSeq(node)
        ? node.items[Number(segment)]
        : undefined;
    const named = isPair(found) ? found.key : found;
    const range = (named as { readonly range?: readonly number[] | null } | undefined)?.range;
    if (range === undefined || range === null) return undefined;
    offset = range[0] ?? 0;
    node = isPair(found) ? found.value : found;
  }
  return offset;
};

/**
 * Where the value at a path stands in a JSON or YAML text that was parsed before: its key, or the item of an array. Of
 * a path that leads nowhere, the last step that there is.
 */
export const placeIn = (file: string, text: string, path: readonly string[]): Place => {
  for (let length = path.length; length > 0; length--) {
    const inside = path.slice(0, length);
    const offset = isYaml(file) ? yamlOffset(text, inside) : offsetOf(text, inside);
    if (offset !== undefined) return placeAt(text, offset);
  }
  return START;
};
