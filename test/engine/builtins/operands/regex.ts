import fc from 'fast-check';
import { textOf } from '../../../../src/engine/builtins/format/byte-text.ts';
import { isText } from '../../../../src/engine/builtins/operands.ts';
import { isUnsure } from '../../../../src/engine/builtins/regex/unicode.ts';
import { type RegoValue, regoInteger } from '../../../../src/rego/index.ts';
import { bytes, number, type OperandTable, operand } from './values.ts';

const piece = fc.constantFrom(
  ...'a b c . \\ * + ? ( ) [ ] { } | ^ $ , - 1 0 é € 😀 K k ſ s S'.split(' '),
  ...'\\d \\D \\w \\W \\s \\S \\b \\B \\A \\z \\Z \\C \\Q \\E \\. \\[ \\a \\n \\x41 \\x{1F600} \\x{g} \\101 \\8 \\pL \\PL'.split(
    ' ',
  ),
  ...'\\p{Greek} \\p{^Lu} \\P{ll} \\p{Upper_case-letter} \\p{Uppercase_Letter} \\pl \\p{} \\p{Alphabetic}'.split(' '),
  ...'\\p{Old_Italic} \\p{Lc} \\p{any} \\p{ASCII} \\p{Emoji} \\p{Garay} \\p{L \\p{punct}'.split(' '),
  ...'(?i) (?s) (?m) (?U) (?i-s: (?: (?P<n> (?<m> (?<n> (?P=n) (?= (?! (?<= (?P<é> (?x) (?-) (?i-)'.split(' '),
  ...'[a-c] [^a] [[:alpha:]] [[:^digit:]] [[:word:]] [[:no:]] [a-\\d] [b-a] [] [^] [\\pL] [\\Q] [--a] [a-]'.split(' '),
  ...'*? +? ?? {2} {1,3} {2,} {,2} {3,2} {1001} {0} {0,0} {2}{3} ** (a|b)* (a*)* (|a)+ (a|) (?:a?)* ^* $+ \\b+'.split(
    ' ',
  ),
  ' ',
  '\n',
);
const pattern = fc.oneof(
  { weight: 10, arbitrary: fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')) },
  // Balanced, so that more of them are valid.
  {
    weight: 10,
    arbitrary: fc.stringMatching(/^(?:[abé.]|\[[ab]\]|\((?:\?:)?[ab|]{0,3}\)|[ab][*+?]\??|\\b|\^|\$){0,6}$/u),
  },
  { weight: 1, arbitrary: fc.string() },
  { weight: 1, arbitrary: bytes },
);
const subject = fc.oneof(
  { weight: 8, arbitrary: fc.stringMatching(/^[abcABkKsSſé€😀 \n0_-]*$/u) },
  { weight: 2, arbitrary: fc.string({ unit: fc.constantFrom('a', 'b', 'ab', 'aa', 'Σ', 'σ', 'ς', '\ufffd', 'K') }) },
  { weight: 1, arbitrary: bytes },
);
const count = fc.oneof(fc.integer({ min: -2, max: 4 }).map(regoInteger), number);
const template = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.stringMatching(/^(?:[ab$é{}]|\$[0-3n]|\$\{[0-3nm]\}|\$\$|\$1x|\$\{01\}|\$n-|\$😀){0,5}$/u),
  },
  bytes,
);
const delimiter = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom<RegoValue>('{', '<') },
  { weight: 6, arbitrary: fc.constantFrom<RegoValue>('}', '>') },
  fc.constantFrom<RegoValue>('', '{{', 'é', 'a'),
  bytes,
);
const regexTemplate = fc
  .array(
    fc.oneof(
      fc.constantFrom('a', '.', '/', '{a*}', '{[ab]+}', '<.*>', '{', '}', '<{a}>', '{a{2}}', 'é', '{(}'),
      pattern,
    ),
    {
      maxLength: 4,
    },
  )
  .map((pieces) => pieces.filter((found) => typeof found === 'string').join(''));

// Characters newer than Unicode 15 have no answer where a pattern asks the tables: see regex.test.ts.
const isKnown = (value: RegoValue): boolean => !isText(value) || ![...textOf(value)].some(isUnsure);
const known = <T extends readonly RegoValue[]>(lists: fc.Arbitrary<T>) => lists.filter((list) => list.every(isKnown));

export const regexOperands: OperandTable = new Map<string, fc.Arbitrary<readonly RegoValue[]>>([
  ['regex.find_all_string_submatch_n', known(fc.tuple(operand(pattern), operand(subject), operand(count)))],
  ['regex.find_n', known(fc.tuple(operand(pattern), operand(subject), operand(count)))],
  ['regex.is_valid', known(fc.tuple(operand(pattern)))],
  ['regex.match', known(fc.tuple(operand(pattern), operand(subject)))],
  ['regex.replace', known(fc.tuple(operand(subject), operand(pattern), operand(template)))],
  ['regex.split', known(fc.tuple(operand(pattern), operand(subject)))],
  [
    'regex.template_match',
    known(fc.tuple(operand(regexTemplate), operand(subject), operand(delimiter), operand(delimiter))),
  ],
]);
