import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonErrorCode, JsonLimits } from '../../../src/engine/index.ts';
import { checkJson, defaultJsonLimits, JsonError, sliceChecked, withoutMember } from '../../../src/engine/index.ts';

const check = (text: string | Uint8Array, limits?: Partial<JsonLimits>) =>
  checkJson(typeof text === 'string' ? Buffer.from(text) : text, { ...defaultJsonLimits, ...limits });

const refusal = (text: string | Uint8Array, limits?: Partial<JsonLimits>): JsonError => {
  try {
    check(text, limits);
  } catch (thrown) {
    if (thrown instanceof JsonError) return thrown;
    throw thrown;
  }
  throw new Error('accepted');
};

// A judge of its own: JSON.parse knows the grammar, a reviver-free walk over the source finds repeated keys.
const judge = (text: string, depthLimit: number): JsonErrorCode | 'fine' => {
  try {
    JSON.parse(text);
  } catch {
    return 'JSON_SYNTAX';
  }
  const tokens = [...text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:,]/g)].map((match) => match[0]);
  const stack: { object: boolean; keys: Set<string> }[] = [];
  for (const [at, token] of tokens.entries()) {
    if (token === '{' || token === '[') stack.push({ object: token === '{', keys: new Set() });
    if (stack.length > depthLimit) return 'JSON_TOO_DEEP';
    if (token === '}' || token === ']') stack.pop();
    if (!token.startsWith('"')) continue;
    const value = JSON.parse(token) as string;
    if (!value.isWellFormed()) return 'JSON_LONE_SURROGATE';
    const keys = stack.at(-1)?.keys;
    if (tokens[at + 1] !== ':' || keys === undefined) continue;
    if (keys.has(value)) return 'JSON_DUPLICATE_KEY';
    keys.add(value);
  }
  return 'fine';
};

const spaced = fc.constantFrom('', '', '', ' ', '\n', '\t\r ');
const key = fc.constantFrom(
  '"a"',
  '"\\u0061"',
  '"b"',
  '"__proto__"',
  '"é"',
  '"\\u00e9"',
  '""',
  '"a\\\\"',
  '"\\ud83d\\ude00"',
);
const scalar = fc.oneof(
  fc.constantFrom('true', 'false', 'null', '0', '-0', '1.0', '1e400', '1E-7', '"x"', '"\\ud800"', '"\\udc00\\ud800"'),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => JSON.stringify(number)),
  fc.string({ unit: 'grapheme' }).map((text) => JSON.stringify(text)),
);
const text = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    scalar,
    fc
      .array(fc.tuple(spaced, tie('value'), spaced), { maxLength: 4 })
      .map((items) => `[${items.map((i) => i.join('')).join(',')}]`),
    fc
      .array(fc.tuple(spaced, key, spaced, fc.constant(':'), spaced, tie('value'), spaced), { maxLength: 4 })
      .map((items) => `{${items.map((i) => i.join('')).join(',')}}`),
  ),
})).value;

describe('a JSON text is taken or refused as a whole', () => {
  test('texts made of JSON parts are judged as the reference judges them', () => {
    fc.assert(
      fc.property(text, (source) => {
        const wanted = judge(source, 4);
        const got = wanted === 'fine' ? check(source, { depth: 4 }).kind : refusal(source, { depth: 4 }).code;
        if (wanted === 'fine') return typeof got === 'string';
        // A text with two faults may be refused for either.
        return wanted === got || ['JSON_DUPLICATE_KEY', 'JSON_LONE_SURROGATE', 'JSON_TOO_DEEP'].includes(got);
      }),
      { numRuns: 2_000 },
    );
  });

  test('a text with one character changed is taken exactly when JSON.parse takes it', () => {
    const base = '{"a":[1.5e3,-0,true,null,"x\\n\\u0041"],"b":{"c":false}, "d" : 12}';
    const edit = fc.tuple(fc.nat(base.length), fc.constantFrom(...'{}[]",:\\ eE+-.019tfnu\u0000\n', 'é'), fc.boolean());
    fc.assert(
      fc.property(edit, ([at, piece, replace]) => {
        const source = base.slice(0, at) + piece + base.slice(at + (replace ? 1 : 0));
        const wanted = judge(source, 64);
        if (wanted === 'fine') check(source);
        else expect(refusal(source).code).toBe(wanted);
      }),
      { numRuns: 3_000 },
    );
  });

  test.each([
    ['', 'JSON_SYNTAX'],
    [' ', 'JSON_SYNTAX'],
    ['\ufeff{}', 'JSON_SYNTAX'],
    ['{}x', 'JSON_SYNTAX'],
    ['{} {}', 'JSON_SYNTAX'],
    ['{1,2}', 'JSON_SYNTAX'],
    ['set()', 'JSON_SYNTAX'],
    ['[1,]', 'JSON_SYNTAX'],
    ['01', 'JSON_SYNTAX'],
    ['1.', 'JSON_SYNTAX'],
    ['-', 'JSON_SYNTAX'],
    ['"\u0001"', 'JSON_SYNTAX'],
    ['"\\x41"', 'JSON_SYNTAX'],
    ['"\\u12"', 'JSON_SYNTAX'],
    ['"abc', 'JSON_SYNTAX'],
    ['nul', 'JSON_SYNTAX'],
    ['\u0000', 'JSON_SYNTAX'],
    ['{"a":1,"a":1}', 'JSON_DUPLICATE_KEY'],
    ['{"a":1,"\\u0061":1}', 'JSON_DUPLICATE_KEY'],
    ['{"__proto__":1,"__proto__":2}', 'JSON_DUPLICATE_KEY'],
    ['"\\ud800"', 'JSON_LONE_SURROGATE'],
    ['"\\ud800\\u0041"', 'JSON_LONE_SURROGATE'],
    ['{"\\udfff":1}', 'JSON_LONE_SURROGATE'],
  ])('%j is refused as %s', (source, code) => {
    expect(refusal(source).code).toBe(code);
  });

  test.each([[[0xc0, 0x80]], [[0xed, 0xa0, 0x80]], [[0xff]], [[0xf5, 0x80, 0x80, 0x80]], [[0xe2, 0x82]]])(
    'bytes %j in a string are no UTF-8',
    (bytes) => {
      const { code, place } = refusal(Buffer.concat([Buffer.from('["é'), Buffer.from(bytes), Buffer.from('"]')]));
      expect([code, place.offset]).toEqual(['JSON_NOT_UTF8', 4]);
    },
  );

  test('of many members a repeated one is found, early or late, escaped or not', () => {
    const names = Array.from({ length: 200 }, (_, at) => `"k${at}":${at}`);
    for (const again of ['"k0":1', '"\\u006b5":1', '"k11":1', '"k12":1', '"k199":1']) {
      expect(refusal(`{${[...names, again].join(',')}}`).code).toBe('JSON_DUPLICATE_KEY');
    }
    expect(check(`{${names.join(',')}}`).members.size).toBe(200);
  });

  test('of very many members a repeated one is found, also where one name begins as another', () => {
    const names = Array.from({ length: 70_000 }, (_, at) => `"${at.toString(3)}":0`);
    const keys = 100_000;
    expect(check(`{${names.join(',')}}`, { keys }).members.size).toBe(70_000);
    for (const again of ['0', '12', (40_000).toString(3), (69_999).toString(3), '\\u0030']) {
      expect(refusal(`{${[...names, `"${again}":1`].join(',')}}`, { keys }).code).toBe('JSON_DUPLICATE_KEY');
    }
    expect(check(`{${[...names, `"00":1`, '"":1', '"\\n":1'].join(',')}}`, { keys }).members.size).toBe(70_003);
  });

  test('depth, keys and bytes are bounded, and the bound itself is allowed', () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    expect(check(nested(64)).kind).toBe('array');
    expect(refusal(nested(65)).code).toBe('JSON_TOO_DEEP');
    expect(refusal(nested(100_000), { depth: 1e9 }).code).toBe('JSON_TOO_DEEP');
    expect(check('{"a":{"b":1}}', { keys: 2 }).kind).toBe('object');
    expect(refusal('{"a":{"b":1},"c":1}', { keys: 2 }).code).toBe('JSON_TOO_MANY_KEYS');
    expect(check('[1,2]', { bytes: 5 }).kind).toBe('array');
    expect(refusal('[1,2]', { bytes: 4 }).code).toBe('JSON_TOO_LARGE');
  });

  test('a refusal names line, column, offset and pointer, and nothing of the text', () => {
    const error = refusal('{\n  "subject": {"ü": [1, {"secret/~": 01}]}\n}');
    expect(error.place).toEqual({ offset: 40, line: 2, column: 38, pointer: '/subject/ü/1/secret~1~0' });
    expect(error.message).not.toContain('secret');
  });

  test('after a refusal the next text is checked afresh', () => {
    refusal('{"a":{"b":[{"c":');
    expect([...check('{"b":1}').members.keys()]).toEqual(['b']);
  });
});

describe('members at the top', () => {
  const source = ' {"a" : {"x":[1,2]} , "\\u0062":"é","__proto__": null }';

  test('are known by their unescaped names, with their bytes', () => {
    const document = check(source);
    expect([...document.members.keys()]).toEqual(['a', 'b', '__proto__']);
    const slice = (name: string) => sliceChecked(document, name)?.toString();
    expect([slice('a'), slice('b'), slice('__proto__'), slice('c')]).toEqual(['{"x":[1,2]}', '"é"', 'null', undefined]);
  });

  test.each(['a', 'b', '__proto__', 'none'])('without %s the rest stays', (name) => {
    const wanted = JSON.parse(source) as object;
    const rest = Object.fromEntries(Object.entries(wanted).filter(([key]) => key !== name));
    const cut = check(withoutMember(check(source), name));
    expect(Object.fromEntries(Object.entries(JSON.parse(cut.json.toString()) as object))).toEqual(rest);
  });

  test('the only member leaves an empty object; other kinds have none', () => {
    expect(withoutMember(check('{"a":1}'), 'a').toString()).toBe('{}');
    expect([check('[{"a":1}]').members.size, check('"a"').members.size]).toEqual([0, 0]);
    expect(['[]', '"a"', '1', '-1', 'true', 'false', 'null', '{}'].map((each) => check(each).kind)).toEqual([
      'array',
      'string',
      'number',
      'number',
      'boolean',
      'boolean',
      'null',
      'object',
    ]);
  });
});

describe('many members of one object', () => {
  const count = 1_000;
  const objectOf = (names: readonly string[]): string => `{${names.map((name) => `${name}:1`).join(',')}}`;
  // The same name in several spellings, beside names of any text.
  const name = fc
    .tuple(fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('', 'a', 'é', '__proto__')), fc.boolean())
    .map(([text, escaped]) =>
      escaped && text.length === 1
        ? `"\\u${text.charCodeAt(0).toString(16).padStart(4, '0')}"`
        : JSON.stringify(text.toWellFormed()),
    );

  test('a name that comes twice is found wherever it stands', () => {
    const names = Array.from({ length: count }, (_, at) => JSON.stringify(`user-${at}`));
    expect(check(objectOf(names), { keys: 2 * count }).kind).toBe('object');
    fc.assert(
      fc.property(fc.nat(count - 1), fc.nat(count), (from, to) => {
        const twice = [...names.slice(0, to), names[from]!, ...names.slice(to)];
        expect(refusal(objectOf(twice), { keys: 2 * count }).code).toBe('JSON_DUPLICATE_KEY');
      }),
    );
  });

  test('names are the same where their unescaped texts are, however many there are', () => {
    fc.assert(
      fc.property(fc.array(name, { minLength: 10, maxLength: 400 }), (names) => {
        const text = objectOf(names.filter((one) => (JSON.parse(one) as string).isWellFormed()));
        const expected = judge(text, 64);
        if (expected === 'fine') expect(check(text).kind).toBe('object');
        else expect(refusal(text).code).toBe(expected);
      }),
    );
  });
});
