import fc from 'fast-check';
import { RegoNumber, type RegoValue, regoInteger, regoObject, regoSet } from '../../../../src/rego/index.ts';
import { regexOperands } from './regex.ts';
import { number as anyNumber, text as anyText, anyValue, bytes, type OperandTable, operand } from './values.ts';

type Operands = fc.Arbitrary<readonly RegoValue[]>;

// How numbers can be written; what OPA and JSON write differently stays out.
const written = '0.1 0.2 0.3 1.0 2.50 1e2 -0 -0.0 0.0 1E3 -0.4 -1.5 2.5 4294967296 9223372036854775808 1e400 1e-400';
// Prices, shares and the like.
const decimal = fc
  .tuple(fc.integer({ min: -100_000, max: 1_000_000 }), fc.integer({ min: 1, max: 8 }))
  .map(([digits, places]) => new RegoNumber((digits / 10 ** places).toFixed(places)));
const number = fc.oneof(
  fc.integer({ min: -20, max: 20 }).map(regoInteger),
  decimal,
  anyNumber,
  fc.constantFrom(...written.split(' ')).map((value) => new RegoNumber(value)),
);
const small = fc.integer({ min: -3, max: 6 }).map(regoInteger);
const numbers = fc.array(number, { maxLength: 4 });

const odd = fc.string({
  unit: fc.constantFrom(...'abAäßİſ日😀 \u0085\u00a0\ufeff\u2003/."\\<&\u2028\n\u0001'),
  maxLength: 6,
});
const text = fc.oneof(odd, anyText, bytes, fc.constantFrom('', 'abc', 'a,b'));
const short = fc.oneof(fc.stringMatching(/^[ab.ä/]{0,6}$/u), text);

const json = fc.oneof(
  fc.json({ maxDepth: 2 }),
  fc.json({ maxDepth: 1 }).map((value) => `${value} `),
  fc.constantFrom(
    ...['"\\ud800"', '"\\u00e9"', '1.', '1e', '1e5', '1.50', '-', '"\\x"', '{"a":1,"a":2}', '[1 2]', '[1,]', '01'],
    ...['null null', 'null x', '"\n"', '1e999999', '-0', '[', '', '{a:1}', '1 x', '[{"a":[[]]},"]["]', '\ufeff1'],
    ...['['.repeat(10_001) + ']'.repeat(10_001), `${'["["'.repeat(20)}${']'.repeat(20)}`],
  ),
  text,
);
const base64 = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'AQg=-_+/\n*z'), maxLength: 9 }),
  text.map((value) => (typeof value === 'string' ? Buffer.from(value).toString('base64') : value)),
  text,
);
const numberText = fc.oneof(
  number.map((value) => value.text),
  fc.constantFrom('inf', 'nan', 'Infinity', '1e400', '1e', '', ' 1', '0b1', '-', '.', 'e5', '1e-5', '--1'),
  text,
);

// OPA's cache of patterns takes a hyphen at the end of one for what divides it from the separators: there is none.
const globs = fc
  .oneof(
    fc.string({ unit: fc.constantFrom(...'aabc*?é/.)(^$|+\n'), maxLength: 7 }),
    fc.string({ unit: fc.constantFrom(...'aabc**?[]{}{},,!-\\é/.)'), maxLength: 10 }),
    fc.constantFrom('[]', '[]-a]', '[a-]', '[!]', '[--c]', '[\\]]', '[\\--a]', '[a', '[c-a]', '[a-b-c]', '[!a-c]'),
    fc.constantFrom('{', '}', '{}', '{,}', ',', '\\', '{{a}', '{a,{b}', '**\\', '***', '*?*', '{**,a}*'),
    text,
  )
  .filter((pattern) => typeof pattern !== 'string' || !pattern.endsWith('-'));
const globbed = fc.oneof(fc.string({ unit: fc.constantFrom(...'aabcé/.\n)😀'), maxLength: 5 }), short);
/** Parts of patterns with texts that they match, most of them. */
const globParts: readonly (readonly [string, ...string[]])[] = [
  ['a', 'a'],
  ['/', '/'],
  ['.', '.', 'a'],
  ['b*', 'b', 'bab', 'b/', 'b\n'],
  ['*', '', 'c', 'a.b'],
  ['**', '', 'a/b.c', '\n', '😀'],
  ['?', 'c', 'é', '.', '\n', ''],
  ['{a,b}', 'a', 'b', 'ab'],
  ['{a*,}', '', 'ac', 'a/'],
  ['{,b,{c,?}c}', '', 'b', 'cc', 'éc', 'c'],
  ['{**b,*}c', 'bc', 'c', '/bc', '/c'],
  ['[a-c]', 'a', 'b', 'é'],
  ['[!b]', 'a', 'b', '/'],
  ['[/.]', '/', '.'],
  ['\\*', '*', 'a'],
  [')', ')'],
];
const globPair = fc
  .array(
    fc.constantFrom(...globParts).chain(([part, ...texts]) => fc.tuple(fc.constant(part), fc.constantFrom(...texts))),
  )
  .map((parts): RegoValue[] => [parts.map(([part]) => part).join(''), parts.map(([, found]) => found).join('')]);
const separators = fc.constantFrom<RegoValue>(null, null, [], ['.'], ['/'], ['/', '.'], ['é'], ['a'], ['\n']);
const noSeparators = fc.oneof(fc.constantFrom<RegoValue>(['ab'], [''], [null], [['/']]), fc.array(short));
const globCalls = fc.oneof(
  fc
    .tuple(globPair, separators)
    .map(([[pattern, found], between]) => [pattern, between, found] as readonly RegoValue[]),
  fc.tuple(globs, separators, globbed),
  fc.tuple(operand(globs), operand(noSeparators), operand(globbed)),
);

const name = fc.constantFrom<RegoValue>('a', 'b', 'c');
const object = fc
  .array(fc.tuple(operand(name), fc.oneof(anyValue, fc.array(fc.tuple(name, anyValue)).map(regoObject))), {
    maxLength: 4,
  })
  .map(regoObject);
const path = fc.oneof(
  fc.array(fc.constantFrom('a', 'b', 'c', '0', '1', '', '~1', '~0', 'a/b'), { maxLength: 3 }).map((p) => p.join('/')),
  fc.array(operand(name), { maxLength: 3 }),
);
const paths = fc.oneof(fc.array(path, { maxLength: 3 }), fc.array(path, { maxLength: 3 }).map(regoSet));
const list = (of: fc.Arbitrary<RegoValue>) => fc.array(of, { maxLength: 4 });
const items = list(anyValue);
const collection = fc.oneof(numbers, numbers.map(regoSet), items, items.map(regoSet), object);

const network = fc.constantFrom(
  ...['10.0.0.0/8', '10.0.0.1', '10.1.2.3/32', '::ffff:10.0.0.1', '::ffff:10.0.0.0/104', '010.0.0.1', '2001:db8::/32'],
  ...[
    '2001:db8::1',
    'fe80::1%eth0',
    '0.0.0.0/0',
    '::/0',
    '10.0.0.1/',
    '10.0.0/8',
    '10.0.0.0/33',
    '::1/128',
    '10.0.0.0/08',
  ],
  ...['::ffff:a00:1', '2001:DB8::0001', '::10.0.0.1', '10.0.0.0/+8', ' 10.0.0.1', '192.168.0.0/16'],
);

const each = (names: string, ...operands: readonly fc.Arbitrary<RegoValue>[]): [string, Operands][] =>
  names.split(' ').map((each) => [each, fc.tuple(...operands.map(operand)) as Operands]);
const oneOf = (name: string, ...lists: readonly Operands[]): [string, Operands] => [name, fc.oneof(...lists)];

const pair: Operands = fc.tuple(operand(number), operand(number));
const sets: Operands = fc.tuple(operand(items.map(regoSet)), operand(items.map(regoSet)));
const part = fc.oneof(
  text,
  list(anyValue).map((values) => regoSet(values.slice(0, 1))),
);

/** Builtins of OPA's Wasm that have a twin. */
export const twinned = new Map<string, Operands>([
  ...each('abs ceil floor round bits.negate', number),
  ...each('array.slice', items, fc.oneof(small, number), fc.oneof(small, number)),
  ...each('base64.decode base64.is_valid base64url.decode', base64),
  ...each('bits.and bits.or bits.xor plus mul div rem', number, number),
  ...each('bits.lsh bits.rsh', number, small),
  ...each('concat', text, fc.oneof(list(text), list(text).map(regoSet))),
  ...each(
    'format_int',
    number,
    fc.constantFrom('2', '8', '10', '16', '3', '10.0').map((base) => new RegoNumber(base)),
  ),
  oneOf('glob.match', globCalls),
  ...each('indexof', short, short),
  ...each('internal.template_string', list(part)),
  ...each('json.filter json.remove', object, paths),
  ...each('json.is_valid json.unmarshal', json),
  ...each('json.marshal', anyValue),
  oneOf('minus', pair, sets),
  ...each('net.cidr_contains net.cidr_intersects net.cidr_overlap', network, network),
  ...each('object.union_n', list(object)),
  ...each('sum product', collection),
  ...each('replace', short, short, short),
  ...each('substring', text, fc.oneof(small, number), fc.oneof(small, number)),
  ...each('to_number', fc.oneof(numberText, number)),
]);

for (const name of ['regex.match', 'regex.is_valid', 'regex.find_all_string_submatch_n']) {
  twinned.set(name, regexOperands.get(name) as Operands);
}
twinned.set('re_match', regexOperands.get('regex.match') as Operands);

/** Builtins of OPA's Wasm that answer as OPA's Go code does by themselves. */
export const untwinned = new Map<string, Operands>([
  ...each('array.concat', items, items),
  ...each('array.flatten array.reverse count max min sort', collection),
  ...each('base64.encode base64url.encode lower upper strings.reverse trim_space', text),
  ...each('and or', items.map(regoSet), items.map(regoSet)),
  ...each('contains startswith endswith split trim trim_left trim_right trim_prefix trim_suffix', short, short),
  oneOf('equal', pair, fc.tuple(anyValue, anyValue)),
  ...each('gt gte lt lte neq', number, number),
  ...each('graph.reachable', object, list(name)),
  ...each('internal.member_2', anyValue, collection),
  ...each('internal.member_3', anyValue, anyValue, collection),
  ...each('intersection union', list(items.map(regoSet)).map(regoSet)),
  ...each('is_array is_boolean is_null is_number is_object is_set is_string type_name', anyValue),
  ['numbers.range', fc.tuple(small, small)],
  ...each('object.filter object.remove', object, fc.oneof(list(name), object)),
  ...each('object.get', object, fc.oneof(anyValue, list(name)), anyValue),
  ...each('object.keys', object),
  ...each('object.union', object, object),
  ...each('strings.replace_n', fc.array(fc.tuple(name, short), { maxLength: 4 }).map(regoObject), short),
]);

export const nativeOperands: OperandTable = new Map([...twinned].map(([name, of]) => [`__vt.${name}`, of]));
