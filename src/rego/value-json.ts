import { valueFromJson } from '../canonical/index.ts';
import { RegoBytes, RegoNumber, RegoObject, RegoSet, type RegoValue, regoObject } from './value.ts';

const isBare = (value: unknown): value is { readonly [key: string]: RegoValue } =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof RegoNumber);

/** A JSON text as a Rego value, numbers as they are written. Throws SyntaxError. */
export const regoFromJson = (text: string): RegoValue =>
  valueFromJson(text, (value, source) => {
    if (typeof value === 'number') return new RegoNumber(source ?? String(value));
    // Inner values come first: an object that is a Rego value already is none of JSON's.
    return isBare(value) && !(value instanceof RegoObject) ? regoObject(Object.entries(value)) : value;
  }) as RegoValue;

const keyText = (key: RegoValue): string => JSON.stringify(typeof key === 'string' ? key : regoJson(key));

/** The JSON text of a Rego value: sets are arrays, keys that are no strings become their JSON text. */
export const regoJson = (value: RegoValue): string => {
  if (value instanceof RegoNumber) return value.text;
  if (value instanceof RegoBytes) return JSON.stringify(Buffer.from(value.bytes).toString('utf8'));
  if (value instanceof RegoSet) return `[${value.items.map(regoJson).join(',')}]`;
  if (value instanceof RegoObject)
    return `{${value.entries.map(([key, item]) => `${keyText(key)}:${regoJson(item)}`).join(',')}}`;
  return Array.isArray(value) ? `[${value.map(regoJson).join(',')}]` : JSON.stringify(value);
};
