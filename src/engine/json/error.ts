import { pointerStep, VerdictError } from '../../canonical/index.ts';

export type JsonErrorCode =
  | 'JSON_SYNTAX'
  | 'JSON_DUPLICATE_KEY'
  | 'JSON_TOO_DEEP'
  | 'JSON_TOO_MANY_KEYS'
  | 'JSON_TOO_LARGE'
  | 'JSON_NOT_UTF8'
  | 'JSON_LONE_SURROGATE';

/** Where a JSON text is refused. Lines and columns (in characters) count from 1; the pointer is RFC 6901's. */
export interface JsonPlace {
  readonly offset: number;
  readonly line: number;
  readonly column: number;
  readonly pointer: string;
}

/** A JSON text that is not taken. The message names the place and what was wanted, never what stands there. */
export class JsonError extends VerdictError<JsonErrorCode> {
  /** The message without its place. */
  readonly wanted: string;
  readonly place: JsonPlace;

  constructor(code: JsonErrorCode, wanted: string, place: JsonPlace) {
    super(code, `line ${place.line}, column ${place.column}: ${wanted}`);
    this.wanted = wanted;
    this.place = place;
  }
}

/** The place of a byte, given the keys and indexes that lead to it. */
export const placeOf = (bytes: Buffer, offset: number, steps: readonly string[]): JsonPlace => {
  const before = bytes.toString('utf8', 0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return {
    offset,
    line: before.split('\n').length,
    column: [...before.slice(lineStart)].length + 1,
    pointer: steps.map(pointerStep).join(''),
  };
};
