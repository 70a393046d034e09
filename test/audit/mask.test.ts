import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { auditDefaults } from '../../src/audit/index.ts';
import { append, content, openLog, readLog, recordOf, temporaryDirectory } from './builders.ts';

const none = auditDefaults.mask;
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const claims = encode({ sub: 'alice', exp: 1_900_000_000 });
const jwt = `${encode({ alg: 'HS256', typ: 'JWT' })}.${claims}.c2lnbmF0dXJlLW9mLXRoaXMtdG9rZW4`;
const mark = `[token sha256:${createHash('sha256').update(claims).digest('hex').slice(0, 16)}]`;

test('dropped values are gone and listed', async () => {
  const { record } = await recordOf(
    content('{"a":{"b":1,"c":2},"list":[{"s":1},{"s":2}],"x/y":3}', { result: '{"r":1,"q":2}' }),
    {
      mask: { ...none, drop: ['/input/a/b', '/input/list/*/s', '/input/x~1y', '/input/absent', '/result/r'] },
    },
  );
  expect(record.input).toEqual({ a: { c: 2 }, list: [{}, {}] });
  expect(record.result).toEqual({ q: 2 });
  expect(record.erased).toEqual(['/input/a/b', '/input/list/0/s', '/input/list/1/s', '/input/x~1y', '/result/r']);
});

test('a dropped element leaves null, so that the others keep their places', async () => {
  const { record } = await recordOf(content('{"list":[1,2,3]}'), { mask: { ...none, drop: ['/input/list/1'] } });
  expect(record.input).toEqual({ list: [1, null, 3] });
});

test('a whole input can be dropped, and the record still says that there was one', async () => {
  const { record } = await recordOf(content('{"user":"alice"}'), { mask: { ...none, drop: ['/input'] } });
  expect(record).toMatchObject({ input_present: true, erased: ['/input'] });
  expect(record).not.toHaveProperty('input');
  expect(record).not.toHaveProperty('subject');
});

test('replaced values are listed as masked, and fields come from what is left', async () => {
  const { record } = await recordOf(content('{"user":"alice","age":7}'), {
    mask: { ...none, replace: { '/input/user': 'someone', '/input/age': { hidden: true } } },
  });
  expect(record).toMatchObject({ subject: 'someone', input: { user: 'someone', age: { hidden: true } } });
  expect(record.masked).toEqual(['/input/user', '/input/age']);
});

test('an allow-list keeps nothing else of the input', async () => {
  const { record } = await recordOf(
    content('{"user":"a","secret":{"x":1},"list":[{"id":1,"y":2}],"path":["p"]}', { result: '1' }),
    {
      mask: { ...none, allow: ['/input/user', '/input/list/*/id', '/input/path'] },
    },
  );
  expect(record.input).toEqual({ user: 'a', list: [{ id: 1 }], path: ['p'] });
  expect(record.erased).toEqual(['/input/secret', '/input/list/0/y']);
  expect(record.result).toBe(1);
});

test('a list of thousands of pointers names the part instead', async () => {
  const input = JSON.stringify(Object.fromEntries(Array.from({ length: 2_000 }, (_, at) => [`key-${at}`, at])));
  const { record } = await recordOf(content(input), { mask: { ...none, drop: ['/input/*'] } });
  expect(record).toMatchObject({ input: {}, erased: ['/input'] });
});

test('what cannot be masked is left out whole', async () => {
  // Deeper than the mask reads; the result of a policy has no limit of depth but the engine's.
  const deep = `${'['.repeat(3_000)}${']'.repeat(3_000)}`;
  const { record } = await recordOf(content('{"user":"a"}', { result: deep }), {
    mask: { ...none, drop: ['/result/0/x'] },
  });
  expect(record.erased).toEqual(['/result']);
  expect(record).not.toHaveProperty('result');
  const input = await recordOf(content(`{"user":"a","x":${deep}}`), { mask: { ...none, drop: ['/input/y'] } });
  expect(input.record.erased).toEqual(['/input']);
  expect(input.record).not.toHaveProperty('input');
  expect(input.record).not.toHaveProperty('subject');
});

test.each([
  ['a value', jwt, mark],
  ['a bearer value', `bEaReR ${jwt}`, `bEaReR ${mark}`],
  ['a part of a longer text', `token=${jwt}; path=/`, `token=${mark}; path=/`],
  ['a header with white space in it', `${Buffer.from('{ "alg": "none" }').toString('base64url')}.${claims}.`, mark],
  ['a header with line breaks in it', `${Buffer.from('{\n"alg":"none"}').toString('base64url')}.${claims}.`, mark],
  ['two tokens', `${jwt} ${jwt}`, `${mark} ${mark}`],
  ['an opaque bearer credential', 'Bearer 2YotnFZFEjr1zCsicMWpAA', 'Bearer [token]'],
])('a token as %s is not written', async (_, value, wanted) => {
  const { record, text } = await recordOf(
    content(JSON.stringify({ deep: [{ value }] }), { result: JSON.stringify(value) }),
  );
  expect(record.input).toEqual({ deep: [{ value: wanted }] });
  expect(record.result).toBe(wanted);
  expect(record.masked).toEqual(['/input/deep/0/value', '/result']);
  expect(text).not.toContain(claims);
});

test.each(['keyIdentifier.foo.bar', 'they.are.here', 'new.example.com', 'eyJub3.t', 'review0.a.b', 'Bearer of news'])(
  '%s is no token',
  async (value) => {
    const { record } = await recordOf(content(JSON.stringify({ value })));
    expect(record.input).toEqual({ value });
    expect(record).not.toHaveProperty('masked');
  },
);

test('credentials in headers are replaced whole, also when escapes hide their names', async () => {
  const { record } = await recordOf(
    content(
      '{"Authorization":"Basic YTpi","cookie":["a=b","c=d"],"\\u0043ookie":1,"Proxy-Authorization":{"a":1},"set-cookie":"x"}',
    ),
  );
  expect(new Set(Object.values(record.input))).toEqual(new Set(['[redacted]']));
  expect(record.masked).toHaveLength(5);
  const headers = await recordOf(content(JSON.stringify({ headers: { authorization: `Bearer ${jwt}` } })));
  expect(headers.record.input).toEqual({ headers: { authorization: mark } });
});

test('no token is in a leaf, wherever it came from', async () => {
  const directory = temporaryDirectory();
  const log = await openLog(directory, { erasable: ['/input/e'] });
  const escaped = [...jwt].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
  const around = fc.tuple(fc.string(), fc.string()).map(([a, b]) => `${a} ${jwt} ${b}`);
  const holder = fc.oneof(
    around.map((text) => JSON.stringify({ a: text })),
    around.map((text) => JSON.stringify({ e: text, [text]: 1 })),
    around.map((text) => JSON.stringify([text, { authorization: text, x: [text] }])),
    fc.constant(`{"a":"${escaped}"}`),
    fc.constant(JSON.stringify({ a: JSON.stringify({ nested: jwt }) })),
  );
  await fc.assert(
    fc.asyncProperty(holder, holder, holder, around, async (input, result, nd, text) => {
      const nonDeterministic = [{ builtin: 'http.send', operands: `[${nd}]`, result: nd }];
      await append(log, content(input, { result, nonDeterministic }), {
        path: ['a', text],
        error: { code: 'engine_error', message: text },
        caller: { kind: 'token', name: text, roles: [] },
        tokens: [{ issuer: text, subject: text, id: text, claimsDigest: 'ab' }],
        entrypoint: text,
      });
    }),
    { numRuns: 100 },
  );
  await log.note({ event: 'start', by: jwt, details: { a: jwt, [jwt]: 1 } });
  const { records, problems } = readLog(directory);
  expect(problems).toEqual([]);
  expect(records).toHaveLength(101);
  for (const { record, text, aside } of records) {
    const all = JSON.stringify([record, Object.values(aside), text]);
    expect(all).not.toContain(claims);
    expect(all).not.toContain(escaped);
  }
});

test('keys in the operands of builtins are not written', async () => {
  const { record, text } = await recordOf(
    content('{}', {
      nonDeterministic: [
        {
          builtin: 'io.jwt.decode_verify',
          operands: JSON.stringify([jwt, { secret: 'hunter2' }]),
          result: '[true,{},{}]',
        },
        {
          builtin: 'io.jwt.encode_sign',
          operands: JSON.stringify([{}, {}, { kty: 'oct', k: 'aHVudGVyMg' }]),
          result: `"${jwt}"`,
        },
        { builtin: 'http.send', operands: '[{"url":"u","tls_client_key":"PEM"}]', result: '{}' },
      ],
    }),
  );
  expect(text).not.toMatch(/hunter2|aHVudGVyMg|PEM/);
  expect(record.nd_builtin_cache).toEqual({
    'io.jwt.decode_verify': { [JSON.stringify([mark, { secret: '[key]' }])]: [true, {}, {}] },
    'io.jwt.encode_sign': { '[{},{},"[key]"]': mark },
    'http.send': { '[{"url":"u","tls_client_key":"[key]"}]': {} },
  });
});

test('inputs made to look like tokens all over are masked as any other', async () => {
  const log = await openLog(temporaryDirectory());
  // Work that grew with the square of their length would not end within this test's time.
  for (const part of ['eyJ', 'eyI', 'ey.', '.eyJ', 'eyJ.eyJ', 'bearer ', '\\u0065']) {
    const id = await append(log, content(`{"user":"u","a":"${part.repeat(100_000)}"}`));
    expect(JSON.parse((await log.find(id)) ?? '')).toMatchObject({ subject: 'u', input: { user: 'u' } });
  }
});

test('an erasable value is kept beside the log only', async () => {
  const { text, record, aside, found } = await recordOf(content('{"user":"alice","age":41,"address":{"city":"Ulm"}}'), {
    erasable: ['/input/user', '/input/address'],
  });
  expect(text).not.toMatch(/alice|Ulm/);
  expect(record.side).toEqual(['/input/user', '/input/address']);
  expect(record).not.toHaveProperty('subject');
  expect(aside).toEqual({ '/input/user': '"alice"', '/input/address': '{"city":"Ulm"}' });
  expect(JSON.parse(found).input).toEqual({ user: 'alice', age: 41, address: { city: 'Ulm' } });
});

test('an erasable value within one that is too large is found within it', async () => {
  const blob = 'x'.repeat(90_000);
  const { record, found } = await recordOf(content(JSON.stringify({ user: 'alice', blob })), {
    erasable: ['/input/user'],
  });
  expect(record.side).toEqual(['/input', '/input/user']);
  expect(JSON.parse(found).input).toEqual({ user: 'alice', blob });
});

test('the same value has another digest in another record: digests tell nothing about equality', async () => {
  const log = await openLog(temporaryDirectory(), { erasable: ['/input/user'] });
  const digests = new Set<string>();
  for (let round = 0; round < 3; round++) digests.add(JSON.stringify(log.prepare(content('{"user":"alice"}'))));
  expect(digests.size).toBe(3);
});

test('an object of an input that looks like a side value is none', async () => {
  const input = { a: { sha256: '0'.repeat(64), bytes: 3 }, side: ['/input/a'] };
  const { found } = await recordOf(content(JSON.stringify(input)));
  expect(JSON.parse(found).input).toEqual(input);
});
