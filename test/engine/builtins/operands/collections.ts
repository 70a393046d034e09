import fc from 'fast-check';
import { RegoNumber, type RegoValue, regoInteger, regoObject, regoSet } from '../../../../src/rego/index.ts';
import { anyValue, number, type OperandTable, operand } from './values.ts';

type Values = fc.Arbitrary<RegoValue>;

// Few values, so that one is found in another.
const scalar: Values = fc.constantFrom<RegoValue>(
  null,
  true,
  '',
  'a',
  'b',
  '0',
  '1',
  '-',
  regoInteger(0),
  regoInteger(1),
  new RegoNumber('1.0'),
  new RegoNumber('2'),
);
const { value: small } = fc.letrec<{ value: RegoValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(tie('value'), { maxLength: 3 }).map(regoSet),
    fc.array(fc.tuple(scalar, tie('value')), { maxLength: 3 }).map(regoObject),
  ),
}));

/** A value and a part of it, more or less. */
const pair = fc.oneof(
  fc.tuple(small, small),
  fc.tuple(fc.array(scalar, { maxLength: 6 }), fc.array(scalar, { maxLength: 2 })),
  fc.tuple(fc.array(scalar, { maxLength: 4 }), fc.array(scalar, { maxLength: 3 }).map(regoSet)),
  fc
    .tuple(fc.array(fc.tuple(scalar, small), { maxLength: 4 }), fc.array(fc.tuple(scalar, small), { maxLength: 1 }))
    .map(([all, more]) => [regoObject([...all, ...more]), regoObject(all.slice(1).concat(more))]),
);

const node: Values = fc.constantFrom<RegoValue>('a', 'b', 'c', 'd', 'e', regoInteger(1));
const edges: Values = fc.oneof(
  { weight: 4, arbitrary: fc.array(node, { maxLength: 3 }) },
  { weight: 2, arbitrary: fc.array(node, { maxLength: 3 }).map(regoSet) },
  fc.constant(null),
);
const graph = fc.array(fc.tuple(node, edges), { maxLength: 6 }).map(regoObject);
const nodes: Values = fc.oneof(fc.array(node, { maxLength: 3 }), fc.array(node, { maxLength: 3 }).map(regoSet));

const segment = fc.constantFrom('a', 'b', '', '0', '1', '2', '-', '~1', '~0', '01', '+1', '1.0');
const path: Values = fc.oneof(
  { weight: 4, arbitrary: fc.array(segment, { maxLength: 3 }).map((parts) => `/${parts.join('/')}`) },
  { weight: 1, arbitrary: fc.array(segment, { maxLength: 3 }).map((parts) => parts.join('/')) },
  { weight: 3, arbitrary: fc.array(fc.oneof(scalar, small), { maxLength: 3 }) },
);
const index: Values = fc.integer({ min: 0, max: 4 }).map((at) => `/${at}`);
const operation = (paths: Values, values: Values): Values =>
  fc
    .record<Record<string, RegoValue>>(
      {
        op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test', 'test', 'x'),
        path: paths,
        from: paths,
        value: values,
      },
      { requiredKeys: ['op', 'path'] },
    )
    .map((members) => regoObject(Object.entries(members)));
const addOrRemove = (paths: Values, values: Values): Values =>
  fc
    .record<Record<string, RegoValue>>({
      op: fc.constantFrom('add', 'add', 'remove', 'replace'),
      path: paths,
      value: values,
    })
    .map((members) => regoObject(Object.entries(members)));
const patches = fc.oneof(
  fc.tuple(operand(small), fc.array(operation(path, small), { maxLength: 3 })),
  fc.tuple(fc.array(small, { minLength: 2, maxLength: 5 }), fc.array(operation(index, small), { maxLength: 4 })),
  fc.tuple(fc.array(small, { minLength: 2, maxLength: 5 }), fc.array(addOrRemove(index, small), { maxLength: 5 })),
  fc.tuple(small, operand(fc.array(operand(operation(path, small)), { maxLength: 2 }))),
  // A test of what is there: the right value of one place.
  fc
    .tuple(fc.array(fc.tuple(scalar, small), { minLength: 1, maxLength: 3 }).map(regoObject), path, small)
    .map(([whole, at, value]) => {
      const [key = null, content = null] = whole.entries[0] ?? [];
      const test = regoObject([
        ['op', 'test'],
        ['path', [key]],
        ['value', content],
      ]);
      return [
        whole,
        [
          test,
          regoObject([
            ['op', 'add'],
            ['path', at],
            ['value', value],
          ]),
        ],
      ] as const;
    }),
);

const bound = fc.oneof(
  fc.integer({ min: -60, max: 60 }).map(regoInteger),
  fc.constantFrom('1e1', '1.0', '-0', '1.5', '18446744073709551616', '18446744073709551620', '1e30').map(numberOf),
);
const step = fc.oneof(
  fc.integer({ min: -1, max: 7 }).map(regoInteger),
  fc.constantFrom('2.0', '1e1', '1e20').map(numberOf),
);

function numberOf(text: string): RegoNumber {
  return new RegoNumber(text);
}

const casts = ['array', 'boolean', 'null', 'object', 'set', 'string'];

export const collectionOperands: OperandTable = new Map<string, fc.Arbitrary<readonly RegoValue[]>>([
  ...casts.map((name) => [`cast_${name}`, fc.tuple(fc.oneof(small, anyValue))] as const),
  ['graph.reachable_paths', fc.tuple(operand(graph), operand(nodes))],
  ['json.patch', patches],
  ['numbers.range_step', fc.tuple(fc.oneof(bound, anyValue), operand(bound), fc.oneof(step, number))],
  ['object.subset', fc.oneof({ weight: 6, arbitrary: pair }, fc.tuple(anyValue, anyValue))],
]);
