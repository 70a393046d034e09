import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mergeData } from '../../src/policy/index.ts';
import type { Contents } from './archives.ts';
import { filesOf } from './archives.ts';

const merged = (contents: Contents): string => Buffer.from(mergeData(filesOf(contents)).json).toString('utf8');

const refused = (message: RegExp) =>
  expect.objectContaining({ code: 'DATA_INVALID', message: expect.stringMatching(message) });

test('no data files make an empty document', () => {
  expect(merged({ 'a.rego': 'package a' })).toBe('{}');
});

test("a file's folder is its place in the data, and files of one place are merged", () => {
  const contents = {
    'data.json': '{"app": {"users": {"u1": 1}}}',
    'app/users/data.json': '{"u2": 2}',
    'app/limits/data.json': '[1, 2]',
    'app/users/data.yaml': 'u3: 3',
  };
  expect(merged(contents)).toBe('{"app":{"limits":[1,2],"users":{"u1":1,"u2":2,"u3":3}}}');
});

test('numbers keep the text that they were written in', () => {
  const text = '{"a":12345678901234567890,"b":1.50,"c":1E5,"d":-0,"e":1e400,"f":0.1}';
  expect(merged({ 'data.json': text })).toBe(text);
});

test('members are in the order of their bytes, strings in their shortest form', () => {
  expect(merged({ 'data.json': '{"\\ud83d\\ude00": 1, "\\uffee": "\\u0061\\/\\n", "b": {}, "a": [ ]}' })).toBe(
    '{"a":[],"b":{},"\uffee":"a/\\n","\u{1f600}":1}',
  );
});

test('names that JavaScript treats as special are names like any other', () => {
  const text = '{"__proto__":{"admin":true},"constructor":1,"toString":2}';
  expect(merged({ 'data.json': text })).toBe(text);
});

test('any JSON document is the same one after merging', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.integer({ min: 0, max: 3 }), (value, indent) => {
      expect(JSON.parse(merged({ 'data.json': JSON.stringify(value, null, indent) }))).toEqual(
        JSON.parse(JSON.stringify(value)),
      );
    }),
  );
});

test.each([
  [
    'two values at one place',
    { 'data.json': '{"a":{"b":1}}', 'a/data.json': '{"b":1}' },
    /a\/data\.json:1:2: data\.json has a value at "a\/b", too/,
  ],
  [
    'an object where a value is',
    { 'data.json': '{"a":1}', 'a/data.json': '{}' },
    /a\/data\.json:1:1: data\.json has a value at "a", too/,
  ],
  ['a list at the top', { 'data.json': '[]' }, /must be an object/],
  ['a duplicate key', { 'data.json': '{"a":1,"\\u0061":2}' }, /data\.json/],
  ['something behind the value', { 'data.json': '{} {}' }, /data\.json/],
  ['a lone surrogate', { 'data.json': '{"a":"\\ud800"}' }, /data\.json/],
  ['bytes that are no UTF-8', { 'data.json': Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]) }, /data\.json/],
  ['deep nesting', { 'data.json': `{"a":${'['.repeat(80)}${']'.repeat(80)}}` }, /data\.json.*64/],
])('data with %s is refused, naming the file', (_, contents, message) => {
  expect(() => merged(contents as Contents)).toThrow(refused(message));
});

test('plain words of YAML mean what they mean to OPA', () => {
  // Each of these was answered by OPA 1.22.2 from the same file.
  const yaml = `
a: yes
b: 1.50
c: 2001-01-01
d: 0x10
e: 010
f: 12345678901234567890123
g: {1: x, true: y, 2.5: z}
h: &q {z: 1}
i: *q
j: {<<: *q, w: 2}
k: ~
l: .inf2
m: 1_000
n: 1e3
o: "on"
p: off
q: 190:20:30
s: 2001-12-14t21:59:43.10-05:00
t: 0o14
u: 0b11
v: y
w: =
x: 1e400x
y: +12
z: -0
`;
  expect(JSON.parse(merged({ 'd/data.yaml': yaml })).d).toEqual({
    a: 'yes',
    b: 1.5,
    c: '2001-01-01',
    d: 16,
    e: 8,
    f: 1.2345678901234568e22,
    g: { '1': 'x', '2.5': 'z', true: 'y' },
    h: { z: 1 },
    i: { z: 1 },
    j: { w: 2, z: 1 },
    k: null,
    l: '.inf2',
    m: 1000,
    n: 1000,
    o: 'on',
    p: 'off',
    q: '190:20:30',
    s: '2001-12-14t21:59:43.10-05:00',
    t: 12,
    u: 3,
    v: 'y',
    w: '=',
    x: '1e400x',
    y: 12,
    z: 0,
  });
});

test.each([
  ['a syntax error', 'a: [1, 2', /data\.yml/],
  ['a duplicate key', 'a: 1\na: 2', /"a" stands twice/],
  ['an unknown alias', 'a: *nothing', /data\.yml/],
  ['a tag', 'a: !!binary aGVsbG8=', /tag/],
  ['a second document', 'a: 1\n---\nb: 2', /data\.yml/],
  ['a list as key', '[1, 2]: a', /key/],
  ['a list at the top', '- 1', /must be an object/],
  ['a billion laughs', laughs(), /more than 1000000 values/],
])('YAML with %s is refused, naming the file', (_, yaml, message) => {
  expect(() => merged({ 'data.yml': yaml })).toThrow(refused(message));
});

function laughs(): string {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let at = 1; at < 10; at++) lines.push(`a${at}: &a${at} [${`*a${at - 1}, `.repeat(9)}*a${at - 1}]`);
  return lines.join('\n');
}

test.each([
  { file: 'data.json', text: '{"__vd":{"g0":{"view":true}}}' },
  { file: '__vd/data.json', text: '{"g0":{"view":true}}' },
  { file: 'data.yaml', text: '__vd: true' },
])('data where compiled rules keep their groups is refused: $file', ({ file, text }) => {
  expect(() => merged({ [file]: text })).toThrow(
    refused(/^\S*data\.(json|yaml):1:\d: data\.__vd is kept for compiled rules$/),
  );
  expect(merged({ 'a/data.json': '{"__vd":1}' })).toBe('{"a":{"__vd":1}}');
});
