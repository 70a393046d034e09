import fc from 'fast-check';
import { expect, test } from 'vitest';
import { joinData } from '../../src/policy/link/joined-data.ts';

type Json = { readonly [key: string]: unknown };

const bytes = (value: Json): Uint8Array => Buffer.from(JSON.stringify(value));
const joined = (own: Json, ...reads: { data: Json; paths: string[][]; wanted?: string[][] }[]) => {
  const answer = joinData({
    own: bytes(own),
    reads: reads.map(({ data, paths, wanted = [] }) => ({ data: bytes(data), paths, wanted })),
  });
  return { ...answer, value: JSON.parse(Buffer.from(answer.json).toString()) as Json };
};

/** What a reference answers: undefined where a member is not there. */
const valueAt = (value: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>(
    (found, key) =>
      typeof found === 'object' && found !== null && Object.hasOwn(found, key) ? (found as Json)[key] : undefined,
    value,
  );

const key = fc.constantFrom('a', 'b', 'c', '0', '__proto__', 'd/e');
const { tree } = fc.letrec<{ tree: unknown; object: Json }>((tie) => ({
  tree: fc.oneof({ maxDepth: 4 }, fc.integer(), fc.string(), fc.array(fc.integer(), { maxLength: 3 }), tie('object')),
  object: fc.array(fc.tuple(key, tie('tree')), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
}));

test('every path that is read answers as in the data that it is read from, beside what is the own', () => {
  const paths = fc.array(fc.array(key, { maxLength: 4 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(tree, tree, paths, (own, other, below) => {
      const mine = { mine: own };
      const theirs = JSON.parse(JSON.stringify({ theirs: other })) as Json;
      const read = below.map((path) => ['theirs', ...path]);
      const { value } = joined(mine, { data: theirs, paths: read });
      expect(value.mine).toEqual(JSON.parse(JSON.stringify(own)));
      for (const path of read) expect(valueAt(value, path)).toEqual(valueAt(theirs, path));
    }),
  );
});

test('nothing is taken but what is read, and numbers keep their text', () => {
  const data = { users: { ann: 1, bob: 2 }, rest: [1, 2, 3] };
  expect(joined({}, { data, paths: [['users', 'ann']] }).value).toEqual({ users: { ann: 1 } });
  const big = Buffer.from('{"n":12345678901234567890,"m":1.50}');
  const { json } = joinData({ own: bytes({}), reads: [{ data: big, paths: [[]], wanted: [] }] });
  expect(Buffer.from(json).toString()).toBe('{"m":1.50,"n":12345678901234567890}');
});

test('a revision is that of what is taken: it stays when something else changes, and tells where it stood', () => {
  const revision = (data: Json, ...path: string[]) => joined({}, { data, paths: [path] }).reads[0]!.revision;
  expect(revision({ a: 1, b: 1 }, 'a')).toBe(revision({ a: 1, b: 2 }, 'a'));
  expect(revision({ a: 1 }, 'a')).not.toBe(revision({ a: 2 }, 'a'));
  expect(revision({ a: 1 }, 'a')).not.toBe(revision({ b: 1 }, 'b'));
  expect(revision({ a: 1 }, 'b')).toBe('');
});

test('two bundles below one folder meet in it, and what is wanted and not there is told', () => {
  const { value, reads } = joined(
    { app: { one: 1 } },
    {
      data: { app: { two: 2 } },
      paths: [['app']],
      wanted: [
        ['app', 'two'],
        ['app', 'none'],
      ],
    },
    { data: { app: { three: 3 } }, paths: [['app', 'three']] },
  );
  expect(value).toEqual({ app: { one: 1, two: 2, three: 3 } });
  expect(reads.map(({ absent }) => absent)).toEqual([[1], []]);
});
