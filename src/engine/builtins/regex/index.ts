import type { RegoValue } from '../../../rego/index.ts';
import { RegoBytes } from '../../../rego/index.ts';
import { EvaluationFailure } from '../../failure.ts';
import { stringOfText, textOperand } from '../format/byte-text.ts';
import type { Builtin, BuiltinEntry, CallCost, CallScope } from '../model.ts';
import { BuiltinError, carrying } from '../model.ts';
import { byteStringOperand, int64Operand } from '../operands.ts';
import type { Match, Program } from './program.ts';
import { programOf } from './program.ts';
import { replacementOf, replacementParts } from './replacement.ts';
import { templatePattern } from './template.ts';

/** A text of more characters than this no replacement makes. */
const mostLength = 16 << 20;

/** What a match and what it becomes take beside the search, and each of its groups. */
const pointsPerMatch = 1_000;
const pointsPerGroup = 100;

const patternOperand = (value: RegoValue | undefined, position: number): string => {
  const text = textOperand(value, position);
  if (value instanceof RegoBytes) throw new BuiltinError('invalid UTF-8 in the regular expression');
  return text;
};

/** For the engine a byte of no character is U+FFFD, as for Go; it takes one place, as it does in the text. */
const searchable = (text: string): string => text.replace(/(?<![\ud800-\udbff])[\udc80-\udcff]/g, '\ufffd');

/** At most so many matches, in order. An empty one right behind another is none; a negative bound is none, too. */
const allMatches = (program: Program, text: string, most: bigint, scope: CallScope): Match[] => {
  const subject = program.subject(searchable(text), scope);
  const found: Match[] = [];
  let at = 0;
  let lastEnd = -1;
  while (at <= text.length && (most < 0n || found.length < most)) {
    const match = program.search(subject, at);
    if (match === undefined) break;
    scope.spend(pointsPerMatch + pointsPerGroup * program.groups);
    const [start = 0, end = 0] = match;
    const accepted = end !== at || start !== lastEnd;
    at = end === at ? at + ((text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1) : end;
    lastEnd = end;
    if (accepted) found.push(match);
  }
  return found;
};

const isValid: Builtin = (scope, pattern) => {
  if (typeof pattern !== 'string') return false;
  try {
    programOf(pattern, scope);
    return true;
  } catch (thrown) {
    if (thrown instanceof BuiltinError) return false;
    throw thrown;
  }
};

const match: Builtin = (scope, patternOrNot, textOrNot) => {
  const pattern = patternOperand(patternOrNot, 1);
  const text = textOperand(textOrNot, 2);
  return programOf(pattern, scope).matches(searchable(text), scope);
};

const findN: Builtin = (scope, patternOrNot, textOrNot, most) => {
  const pattern = patternOperand(patternOrNot, 1);
  const text = textOperand(textOrNot, 2);
  const bound = int64Operand(most, 3);
  const found = allMatches(programOf(pattern, scope), text, bound, scope);
  return found.map(([start, end]) => stringOfText(text.slice(start, end)));
};

const groupsOf = (text: string, found: Match): RegoValue[] => {
  const groups: RegoValue[] = [];
  for (let at = 0; at < found.length; at += 2) {
    const start = found[at] ?? -1;
    groups.push(start < 0 ? '' : stringOfText(text.slice(start, found[at + 1])));
  }
  return groups;
};

const findAllSubmatches: Builtin = (scope, patternOrNot, textOrNot, most) => {
  const pattern = patternOperand(patternOrNot, 1);
  const text = textOperand(textOrNot, 2);
  const bound = int64Operand(most, 3);
  return allMatches(programOf(pattern, scope), text, bound, scope).map((found) => groupsOf(text, found));
};

const split: Builtin = (scope, patternOrNot, textOrNot) => {
  const pattern = patternOperand(patternOrNot, 1);
  const text = textOperand(textOrNot, 2);
  const program = programOf(pattern, scope);
  if (pattern !== '' && text === '') return [''];
  const parts: string[] = [];
  let from = 0;
  let to = 0;
  for (const [start = 0, end = 0] of allMatches(program, text, -1n, scope)) {
    to = start;
    if (end !== 0) parts.push(text.slice(from, to));
    from = end;
  }
  if (to !== text.length) parts.push(text.slice(from));
  return parts.map(stringOfText);
};

const replace: Builtin = (scope, textOrNot, patternOrNot, replacement) => {
  const text = textOperand(textOrNot, 1);
  const pattern = patternOperand(patternOrNot, 2);
  const template = textOperand(replacement, 3);
  const program = programOf(pattern, scope);
  const parts = replacementParts(template, program);
  let made = '';
  let from = 0;
  for (const found of allMatches(program, text, -1n, scope)) {
    const [start = 0, end = 0] = found;
    scope.spend(parts.length * pointsPerGroup);
    made += text.slice(from, start) + replacementOf(parts, text, found);
    if (made.length > mostLength) throw new EvaluationFailure('too_large', 'regex.replace: the text is too long');
    from = end;
  }
  return stringOfText(made + text.slice(from));
};

const templateMatch: Builtin = (scope, templateOrNot, textOrNot, startOrNot, endOrNot) => {
  const template = byteStringOperand(templateOrNot, 1);
  const text = textOperand(textOrNot, 2);
  const [start, end] = [byteStringOperand(startOrNot, 3), byteStringOperand(endOrNot, 4)];
  if (start.length !== 1 || end.length !== 1) throw new BuiltinError('a delimiter has to be exactly one byte long');
  return programOf(templatePattern(template, start, end, scope), scope).matches(searchable(text), scope);
};

const searched: CallCost = {
  ...carrying,
  more: 'the first use of a pattern, by its size; steps of the search; matches',
};

/** The builtins of `regex`, on Go's syntax and in time linear in the text. */
export const regexBuiltins: readonly (readonly [string, BuiltinEntry])[] = [
  ['regex.find_all_string_submatch_n', { run: findAllSubmatches, cost: searched }],
  ['regex.find_n', { run: findN, cost: searched }],
  ['regex.is_valid', { run: isValid, cost: searched }],
  ['regex.match', { run: match, cost: searched }],
  ['regex.replace', { run: replace, cost: searched }],
  ['regex.split', { run: split, cost: searched }],
  ['regex.template_match', { run: templateMatch, cost: searched }],
];
