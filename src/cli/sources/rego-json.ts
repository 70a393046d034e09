import { RegoBytes, RegoNumber, RegoObject, RegoSet, type RegoValue, regoObject } from '../../rego/index.ts';
import { exactJson, exactNumber, isExactObject, numberText } from './exact-json.ts';

const fromExact = (value: unknown): RegoValue => {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(fromExact);
  if (isExactObject(value)) return regoObject(Object.entries(value).map(([key, item]) => [key, fromExact(item)]));
  return new RegoNumber(numberText(value));
};

/** A JSON text as a Rego value, numbers as they are written. Throws SyntaxError. */
export const regoFromJson = (text: string): RegoValue => fromExact(exactJson(text));

const keyText = (key: RegoValue): string => (typeof key === 'string' ? key : JSON.stringify(regoToExact(key)));

/** A Rego value as JSON has it, for JSON.stringify: sets are arrays, keys that are no strings become their JSON text. */
export const regoToExact = (value: RegoValue): unknown => {
  if (value instanceof RegoNumber) return exactNumber(value.text);
  if (value instanceof RegoBytes) return Buffer.from(value.bytes).toString('utf8');
  if (value instanceof RegoSet) return value.items.map(regoToExact);
  if (value instanceof RegoObject) {
    return Object.fromEntries(value.entries.map(([key, item]) => [keyText(key), regoToExact(item)]));
  }
  return Array.isArray(value) ? value.map(regoToExact) : value;
};
