import { stringOfText, textOperand } from '../format/byte-text.ts';
import type { Builtin, BuiltinEntry, CallCost } from '../model.ts';
import { byteOperand } from '../operands.ts';
import { anyPrefixMatch, anySuffixMatch } from './affixes.ts';
import { indexofN, splitN, stringsCount } from './search.ts';

/** `glob.quote_meta`. */
const quoteMeta: Builtin = (_scope, pattern) => stringOfText(textOperand(pattern, 1).replace(/[*?\\[\]{}]/g, '\\$&'));

/** `trace`: notes are for OPA's tracer; here they are read and dropped. */
const trace: Builtin = (_scope, note) => {
  byteOperand(note, 1);
  return true;
};

/** What is searched through, or sorted. */
const searched: CallCost = { call: 3_000, byte: 40 };

/** What is asked of strings. */
export const textBuiltins: readonly (readonly [string, BuiltinEntry])[] = [
  ['glob.quote_meta', { run: quoteMeta }],
  ['indexof_n', { run: indexofN, cost: searched }],
  ['strings.any_prefix_match', { run: anyPrefixMatch, cost: searched }],
  ['strings.any_suffix_match', { run: anySuffixMatch, cost: searched }],
  ['strings.count', { run: stringsCount, cost: searched }],
  ['strings.split_n', { run: splitN, cost: { ...searched, more: 'parts' } }],
  ['trace', { run: trace }],
];
