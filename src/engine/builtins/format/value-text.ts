import type { RegoValue } from '../../../rego/index.ts';
import { RegoBytes, RegoNumber, RegoObject, RegoSet } from '../../../rego/index.ts';
import { textOf } from './byte-text.ts';
import { goQuote } from './go-quote.ts';

/** A value as OPA prints it: `{"a": [1, true]}`, `{1, 2}`, `set()`. */
export const valueText = (value: RegoValue): string => {
  if (value === null) return 'null';
  if (typeof value === 'boolean') return String(value);
  if (value instanceof RegoNumber) return value.text;
  if (typeof value === 'string' || value instanceof RegoBytes) return goQuote(textOf(value));
  if (value instanceof RegoObject) {
    return `{${value.entries.map(([key, item]) => `${valueText(key)}: ${valueText(item)}`).join(', ')}}`;
  }
  if (value instanceof RegoSet) {
    return value.items.length === 0 ? 'set()' : `{${value.items.map(valueText).join(', ')}}`;
  }
  return `[${(value as readonly RegoValue[]).map(valueText).join(', ')}]`;
};
