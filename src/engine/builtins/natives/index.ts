import type { Builtin, BuiltinEntry } from '../model.ts';
import { carrying } from '../model.ts';
import { regexBuiltins } from '../regex/index.ts';
import { abs, ceil, div, floor, minus, mul, plus, product, rem, round, sum } from './arithmetic.ts';
import { bitsAnd, bitsLsh, bitsNegate, bitsOr, bitsRsh, bitsXor } from './bits.ts';
import { arraySlice, jsonFilter, jsonRemove, objectUnionN } from './collections.ts';
import { base64Decode, base64IsValid, base64UrlDecode, jsonIsValid, jsonMarshal, jsonUnmarshal } from './encodings.ts';
import { globMatch } from './glob.ts';
import { cidrContains, cidrIntersects } from './networks.ts';
import { concat, formatInt, indexof, replace, substring, templateString, toNumber } from './strings.ts';

/** Before the names of builtins that the toolchain put in the place of others (toolchain/twins.go and windows.go). */
const twinPrefix = '__vt.';

/** The name by which policies, errors and records know a builtin that a module imports. */
export const publicName = (name: string): string =>
  name.startsWith(twinPrefix) ? name.slice(twinPrefix.length) : name;

/** The name by which a module imports the twin of a builtin. */
export const twinName = (name: string): string => twinPrefix + name;

/** Whether a module imports it only because of what the toolchain did. */
export const isTwin = (name: string): boolean => name.startsWith(twinPrefix);

const natives: Readonly<Record<string, Builtin>> = {
  abs,
  'array.slice': arraySlice,
  'base64.decode': base64Decode,
  'base64.is_valid': base64IsValid,
  'base64url.decode': base64UrlDecode,
  'bits.and': bitsAnd,
  'bits.lsh': bitsLsh,
  'bits.negate': bitsNegate,
  'bits.or': bitsOr,
  'bits.rsh': bitsRsh,
  'bits.xor': bitsXor,
  ceil,
  concat,
  div,
  floor,
  format_int: formatInt,
  'glob.match': globMatch,
  indexof,
  'internal.template_string': templateString,
  'json.filter': jsonFilter,
  'json.is_valid': jsonIsValid,
  'json.marshal': jsonMarshal,
  'json.remove': jsonRemove,
  'json.unmarshal': jsonUnmarshal,
  minus,
  mul,
  'net.cidr_contains': cidrContains,
  'net.cidr_intersects': cidrIntersects,
  'net.cidr_overlap': cidrContains,
  'object.union_n': objectUnionN,
  plus,
  product,
  rem,
  replace,
  round,
  substring,
  sum,
  to_number: toNumber,
};

/** What takes more than its operands show, and by what it is counted. */
const more: ReadonlyMap<string, string> = new Map([
  ...['abs', 'div', 'minus', 'mul', 'plus', 'product', 'sum'].map((name) => [name, 'long exponents'] as const),
  ['bits.lsh', 'places'],
  ['concat', 'delimiters'],
  ['glob.match', 'the size of the pattern, times the characters of the text'],
  ['replace', 'replacements'],
]);

const entryOf = (name: string, run: Builtin): BuiltinEntry => {
  const counted = more.get(name);
  return counted === undefined ? { run } : { run, cost: { ...carrying, more: counted } };
};

/** The others, with entries of their own: `re_match` is the old name of `regex.match`. */
const regexTwins = regexBuiltins.flatMap(([name, entry]): readonly (readonly [string, BuiltinEntry])[] => {
  if (name === 'regex.match')
    return [
      [name, entry],
      ['re_match', entry],
    ];
  return name === 'regex.is_valid' || name === 'regex.find_all_string_submatch_n' ? [[name, entry]] : [];
});

/** What natives of OPA's Wasm answer otherwise than OPA's Go code, answered as Go does. */
export const nativeTwins: readonly (readonly [string, BuiltinEntry])[] = [
  ...Object.entries(natives).map(([name, run]) => [name, entryOf(name, run)] as const),
  ...regexTwins,
];
