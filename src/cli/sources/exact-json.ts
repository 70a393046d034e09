import { valueFromJson } from '../../canonical/index.ts';

/**
 * JSON in and out without a change in any number: 12345678901234567890 and 1.0 stay as they were written. A number is
 * an object that JSON.stringify writes as its source text; nobody computes with it.
 */
interface RawJson {
  rawJSON(text: string): unknown;
  isRawJSON(value: unknown): boolean;
}

// ECMAScript 2026; the compiler's library does not describe it yet.
const raw = JSON as unknown as RawJson;

export type ExactObject = { readonly [key: string]: unknown };

/** Throws SyntaxError as JSON.parse does. */
export const exactJson = (text: string): unknown =>
  valueFromJson(text, (value, source) =>
    typeof value === 'number' && source !== undefined ? raw.rawJSON(source) : value,
  );

export const exactNumber = (text: string): unknown => raw.rawJSON(text);

/** The source text of a number that `exactJson` read. */
export const numberText = (value: unknown): string => JSON.stringify(value);

export const isExactObject = (value: unknown): value is ExactObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !raw.isRawJSON(value);
