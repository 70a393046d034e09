import type { RegoValue } from '../../../rego/index.ts';
import { RegoBytes, RegoNumber, RegoObject, RegoSet } from '../../../rego/index.ts';

const valuePoints = 100;
const bytePoints = 20;

const sum = (items: readonly RegoValue[]): number => items.reduce<number>((total, item) => total + weightOf(item), 0);

/** Points that writing, or sorting, a value takes: in proportion to its text. */
export const weightOf = (value: RegoValue): number => {
  if (typeof value === 'string') return valuePoints + bytePoints * value.length;
  if (value instanceof RegoBytes) return valuePoints + bytePoints * value.bytes.length;
  if (value instanceof RegoNumber) return valuePoints + bytePoints * value.text.length;
  if (value instanceof RegoSet) return valuePoints + sum(value.items);
  if (value instanceof RegoObject) return valuePoints + sum(value.entries.flat());
  return valuePoints + (Array.isArray(value) ? sum(value as readonly RegoValue[]) : 0);
};
