import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../../src/policy/schema/bounded.ts';
import type { CompiledSchema } from '../../../src/policy/schema/compile.ts';
import { schemaCompiler } from '../../../src/policy/schema/compile.ts';

const compiled = (schema: JsonValue): CompiledSchema => {
  const found = schemaCompiler().compile(schema);
  if ('faults' in found) throw new Error(JSON.stringify(found.faults));
  return found;
};

const faults = (schema: JsonValue): readonly { readonly pointer: string; readonly why: string }[] => {
  const found = schemaCompiler().compile(schema);
  return 'faults' in found ? found.faults : [];
};

const problems = (schema: JsonValue, value: unknown, at: readonly string[] = []): string | undefined =>
  compiled(schema).check(value, at).problems;

const latest = 'https://json-schema.org/draft/2020-12/schema';

describe('what is wrong', () => {
  test('every place is named by its pointer, with what is wanted there and no value of the input', () => {
    const schema = {
      type: 'object',
      required: ['id', 'kind'],
      additionalProperties: false,
      properties: { id: { type: 'string' }, kind: { enum: ['a', 'b'] }, n: { type: 'number' }, 'a/b': { const: 1 } },
    };
    const said = problems(schema, { kind: 'secret', n: 'secret', more: 'secret', 'a/b': 'secret' }, ['subject']);
    for (const part of [
      '/subject/id is missing',
      '/subject/kind must be one of ["a","b"]',
      '/subject/n wanted number, got string',
      '/subject/more is no member that the schema knows',
      '/subject/a~1b must be 1',
    ]) {
      expect(said).toContain(part);
    }
    expect(said).not.toContain('secret');
  });

  test('no more than ten places are named, and no long name whole', () => {
    const said = problems(
      { additionalProperties: { type: 'string' } },
      Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`${'x'.repeat(500)}${index}`, index])),
    );
    const many = problems(
      { items: { type: 'string' } },
      Array.from({ length: 50 }, () => 0),
    );
    expect(many?.split('; ')).toHaveLength(11);
    expect(many).toMatch(/and more$/);
    expect(said?.length).toBeLessThan(200);
  });

  test('members that every object of JavaScript inherits are not there', () => {
    expect(problems({ required: ['toString', 'constructor'] }, {})).toContain('/toString is missing');
    expect(problems({ additionalProperties: false }, JSON.parse('{"__proto__": 1}'))).toContain('/__proto__');
  });

  test('an absent value is missing where a type is wanted, and nothing where none is', () => {
    expect(problems({ type: 'object' }, undefined)).toMatch(/^there is none .*member "input"/);
    expect(problems({ properties: { a: { type: 'string' } } }, undefined)).toBeUndefined();
  });

  test('unknown keywords and formats say nothing', () => {
    expect(problems({ type: 'string', format: 'nobody-knows', 'x-note': 1 }, 'x')).toBeUndefined();
  });

  test('equal items are found however their members are ordered, and a text is not the object that it spells', () => {
    const schema = { uniqueItems: true };
    expect(
      problems(schema, [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ]),
    ).toContain('the same item twice');
    expect(problems(schema, [{ a: 1 }, '{"a":1}', 1, '1', true, null])).toBeUndefined();
  });
});

describe('drafts', () => {
  test.each(['http://json-schema.org/draft-07/schema#', 'http://json-schema.org/schema#', undefined])('%s', (draft) => {
    const schema = { ...(draft === undefined ? {} : { $schema: draft }), items: [{ type: 'string' }] };
    expect(problems(schema, [1])).toContain('/0 wanted string');
  });

  test('2020-12 has its own keywords', () => {
    const schema = { $schema: latest, prefixItems: [{ type: 'string' }], unevaluatedItems: false };
    expect(problems(schema, [1])).toContain('/0 wanted string');
    expect(problems(schema, ['a', 1])).toBeDefined();
    expect(problems(schema, ['a'])).toBeUndefined();
  });

  test('a draft that nobody here knows is refused', () => {
    expect(faults({ $schema: 'http://json-schema.org/draft-03/schema#' })[0]?.pointer).toBe('/$schema');
  });
});

describe('a schema is refused', () => {
  test.each<[string, JsonValue, string]>([
    ['that is none', { properties: { a: { type: 'strng' } } }, '/properties/a/type'],
    ['that refers to another host', { items: { $ref: 'https://example.com/x' } }, '/items/$ref'],
    ['that refers to a file', { $ref: 'file:///etc/passwd' }, '/$ref'],
    ['that refers to nothing', { $ref: '#/definitions/no' }, '/$ref'],
    ['that refers to a value', { enum: [{ type: 'string' }], not: { $ref: '#/enum/0' } }, '/not/$ref'],
    ['with an identity inside', { definitions: { a: { $id: 'x' } } }, '/definitions/a/$id'],
    ['whose answer would come later', { $async: true, type: 'string' }, '/$async'],
    ['with a pattern that cannot be bounded', { properties: { a: { pattern: '(a)\\1' } } }, '/properties/a/pattern'],
    ['with a pattern of names that cannot', { patternProperties: { '(?=a)': true } }, '/patternProperties/(?=a)'],
    ['that prices itself', { 'verdict:cost': { each: -1 } }, '/verdict:cost'],
    ['for a name that no object keeps', JSON.parse('{"properties": {"__proto__": {}}}'), '/properties/__proto__'],
    ['that is no object', 'string', ''],
    ['with too many parts', { allOf: Array.from({ length: 3000 }, () => ({ type: 'string' })) }, ''],
  ])('%s', (_, schema, pointer) => {
    expect(faults(schema).map((fault) => fault.pointer)).toContain(pointer);
  });

  test('one nested without end is refused, not run', () => {
    let schema: JsonValue = { type: 'string' };
    for (let depth = 0; depth < 200; depth++) schema = { not: schema };
    expect(faults(schema)[0]?.why).toContain('nested deeper');
  });
});

describe('no schema and no input holds up the process', () => {
  const doubled = (levels: number): JsonValue => ({
    $ref: '#/definitions/a0',
    definitions: Object.fromEntries([
      ...Array.from({ length: levels }, (_, level) => {
        const $ref = `#/definitions/a${level + 1}`;
        return [`a${level}`, { allOf: [{ $ref }, { $ref }] }] as const;
      }),
      [`a${levels}`, { type: 'number' }],
    ]),
  });

  test.each<[string, JsonValue, unknown]>([
    ['a schema that doubles its work at each level', doubled(60), 1],
    ['a schema that is itself', { $ref: '#' }, 1],
    ['a schema that is itself and more', { allOf: [{ $ref: '#' }] }, 1],
    ['many looks at many items', { allOf: Array.from({ length: 300 }, () => ({ items: {} })) }, Array(100_000).fill(0)],
    [
      'many looks at many members',
      { allOf: Array.from({ length: 300 }, () => ({ additionalProperties: true, propertyNames: true })) },
      Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`n${index}`, 0])),
    ],
    [
      'a slow pattern on a long text',
      { allOf: Array(200).fill({ pattern: '(x|y|xx|yy){50}z' }) },
      'xy'.repeat(100_000),
    ],
    ['many looks at a long text', { allOf: Array.from({ length: 300 }, () => ({ maxLength: 1e9 })) }, 'x'.repeat(1e6)],
    ['items that are all to differ', { uniqueItems: true }, Array.from({ length: 200_000 }, (_, item) => ({ item }))],
  ])('%s ends with its steps', (_, schema, value) => {
    expect(compiled(schema).check(value, [])).toEqual({ exceeded: true });
  });

  test('what is common is far from the bound', () => {
    const schema = {
      items: { type: 'object', required: ['id'], properties: { id: { type: 'string', pattern: '^u\\d+$' } } },
    };
    const users = Array.from({ length: 20_000 }, (_, index) => ({ id: `u${index}` }));
    expect(compiled(schema).check(users, [])).toEqual({});
  });
});

test('names and texts of a schema are no code, wherever they stand', () => {
  const hostile = fc.constantFrom(
    '");globalThis.ran=1;("',
    "'];globalThis.ran=1;//",
    '`+(globalThis.ran=1)+`',
    '\u2028',
    '*/globalThis.ran=1/*',
  );
  fc.assert(
    fc.property(hostile, hostile, (name, value) => {
      const schema = {
        title: name,
        $comment: name,
        required: [name],
        properties: { [name]: { const: value, description: value }, other: { enum: [value] } },
        dependencies: { [name]: [value] },
        definitions: { [name]: { type: 'string' } },
        [name]: value,
      } as JsonValue;
      const check = compiled(schema);
      check.check({ [name]: 1, other: 2 }, [name]);
      check.check({ [name]: value, [value]: 1, other: value }, []);
      expect(globalThis).not.toHaveProperty('ran');
    }),
    { numRuns: 40 },
  );
});

test('a value that was made to fit a schema is never refused', () => {
  const leaf = fc.constantFrom<[JsonValue, JsonValue]>(
    [{ type: 'string' }, 'x'],
    [{ type: 'integer', minimum: 1 }, 7],
    [{ enum: ['a', null, { b: [1] }] }, { b: [1] }],
    [{ anyOf: [{ type: 'number' }, { type: 'boolean' }] }, true],
    [{ $ref: '#/definitions/name' }, 'ann'],
    [true, [{}]],
  );
  const name = fc.constantFrom('a', 'b', 'a/b', '', '~', 'toString', 'length');
  const pair = fc.letrec<{ both: [JsonValue, JsonValue] }>((tie) => ({
    both: fc.oneof(
      { depthSize: 'small' },
      leaf,
      fc.dictionary(name, tie('both'), { maxKeys: 3 }).map((members): [JsonValue, JsonValue] => {
        const entries = Object.entries(members);
        const properties = Object.fromEntries(entries.map(([key, [schema]]) => [key, schema]));
        const value = Object.fromEntries(entries.map(([key, [, fitting]]) => [key, fitting]));
        return [{ type: 'object', properties, required: Object.keys(members), additionalProperties: false }, value];
      }),
      tie('both').map(([schema, value]): [JsonValue, JsonValue] => [
        { type: 'array', items: schema, minItems: 1 },
        [value, value],
      ]),
      tie('both').map(([schema, value]): [JsonValue, JsonValue] => [
        { allOf: [schema, {}], not: { not: schema } },
        value,
      ]),
    ),
  })).both;
  const definitions = { name: { pattern: '^[a-z]+$' } };
  fc.assert(
    fc.property(pair, fc.boolean(), ([schema, value], isLatest) => {
      const whole = { ...(isLatest ? { $schema: latest } : {}), definitions, allOf: [schema] } as JsonValue;
      expect(compiled(whole).check(value, [])).toEqual({});
    }),
  );
});
