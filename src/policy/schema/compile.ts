import {
  _,
  Ajv,
  type CodeKeywordDefinition,
  type FuncKeywordDefinition,
  type Options,
  type ValidateFunction,
} from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { messageOf } from '../../canonical/index.ts';
import type { Cost, JsonValue, SchemaFault } from './bounded.ts';
import { boundedSchema, COST, isObject } from './bounded.ts';
import { linearPattern } from './pattern.ts';
import { problemsText } from './sentence.ts';

/** Steps that one check may take: some 20 ms. */
const MOST_STEPS = 1_000_000;
/** Steps of the second run, which looks for everything that is wrong. */
const STEPS_FOR_ALL = 20_000;
/** Subschemas of one version: compiling so many keeps the process for half a second. */
const MOST_PLACES = 2000;

/** What a check said: all is well, a sentence on what is wrong, or that it would have taken too long. */
export type SchemaAnswer = { readonly problems?: string; readonly exceeded?: true };

export interface CompiledSchema {
  /** @param at where the value stands in the input, for the pointers of problems */
  check(value: unknown, at: readonly string[]): SchemaAnswer;
}

/** Schemas of one version: what they are compiled with belongs to it and goes with it. */
export interface SchemaCompiler {
  compile(schema: JsonValue): CompiledSchema | { readonly faults: readonly SchemaFault[] };
}

class StepsExceeded extends Error {}

type Spend = (steps: number) => void;

/** Equal JSON values give equal texts, however their members are ordered. */
const canonical = (value: unknown, spend: Spend): string =>
  JSON.stringify(value, (_key, inner: unknown) => {
    spend(4);
    return isObject(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner;
  });

/** In place of Ajv's, which compares every item with every other one. */
const uniqueItems = (spend: Spend): FuncKeywordDefinition => ({
  keyword: 'uniqueItems',
  type: 'array',
  schemaType: 'boolean',
  compile: (wanted: unknown) => (list: readonly unknown[]) => {
    if (wanted !== true) return true;
    spend(list.length);
    const isNested = (item: unknown): boolean => typeof item === 'object' && item !== null;
    const nested = list.filter(isNested).map((item) => canonical(item, spend));
    return new Set(nested).size + new Set(list.filter((item) => !isNested(item))).size === list.length;
  },
});

const optionsFor = (spend: Spend, allErrors: boolean): Options => {
  const charge = ({ each, member, character }: Cost, value: unknown): void => {
    let steps = each;
    if (typeof value === 'string') steps += character * (value.length >> 4);
    else if (member > 0 && typeof value === 'object' && value !== null) steps += member * Object.keys(value).length;
    spend(steps);
  };
  const cost: CodeKeywordDefinition = {
    keyword: COST,
    schemaType: 'object',
    // A reference is followed after it was paid for: one that leads to itself ends.
    before: '$ref',
    code: ({ gen, data, schema }) => {
      const price = schema as Cost;
      const pay = gen.scopeValue('func', { key: price, ref: (value: unknown) => charge(price, value) });
      gen.code(_`${pay}(${data})`);
    },
  };
  const regExp = (source: string) => ({
    test: linearPattern(source, (steps) => spend(steps / 16)),
    toString: () => source,
  });
  return {
    allErrors,
    verbose: true,
    // As OPA: what is not known (formats, keywords) says nothing.
    strict: false,
    validateFormats: false,
    logger: false,
    ownProperties: true,
    inlineRefs: false,
    keywords: [cost],
    // Never written out as code: schemas are compiled and used in this process alone.
    code: { optimize: false, regExp: Object.assign(regExp, { code: '' }) },
  };
};

const drafts: { readonly [name: string]: '07' | '2020' } = {
  'http://json-schema.org/schema': '07',
  'http://json-schema.org/draft-04/schema': '07',
  'http://json-schema.org/draft-06/schema': '07',
  'http://json-schema.org/draft-07/schema': '07',
  'https://json-schema.org/draft/2020-12/schema': '2020',
};

const draftOf = (schema: JsonValue): '07' | '2020' | undefined => {
  const named = isObject(schema) ? schema.$schema : undefined;
  if (named === undefined) return '07';
  const bare = String(named).replace(/#$/, '');
  const known = bare.replace(/^https:\/\/json-schema\.org\/(?=schema|draft-)/, 'http://json-schema.org/');
  return Object.hasOwn(drafts, known) ? drafts[known] : undefined;
};

/** The draft is known by now; the name is one that no other schema of the compiler has. */
const named = (schema: JsonValue, id: string): JsonValue => {
  if (!isObject(schema)) return schema;
  const { $schema: _draft, ...rest } = schema;
  return { ...rest, $id: id };
};

const faultsOf = (error: unknown, ajv: Ajv | Ajv2020, schema: JsonValue): SchemaFault[] => {
  if (error instanceof RangeError)
    return [{ pointer: '', why: 'it is too deep, or has too many members in one place' }];
  if (ajv.validateSchema(schema as object) === true) return [{ pointer: '', why: messageOf(error) }];
  // The draft says several things of one place; the first is the plainest.
  const first = new Map([...(ajv.errors ?? [])].reverse().map((found) => [found.instancePath, found]));
  return [...first.values()]
    .reverse()
    .slice(0, 5)
    .map(({ instancePath, message }) => ({ pointer: instancePath, why: message ?? 'it is not what the draft says' }));
};

export const schemaCompiler = (): SchemaCompiler => {
  let left = 0;
  let places = 0;
  const spend: Spend = (steps) => {
    left -= steps;
    if (left < 0) throw new StepsExceeded();
  };
  const made = new Map<string, Ajv | Ajv2020>();
  const ajvFor = (draft: '07' | '2020', allErrors: boolean): Ajv | Ajv2020 => {
    const key = `${draft},${allErrors}`;
    const known = made.get(key);
    if (known !== undefined) return known;
    const options = optionsFor(spend, allErrors);
    const ajv = draft === '07' ? new Ajv(options) : new Ajv2020(options);
    ajv.removeKeyword('uniqueItems');
    ajv.addKeyword(uniqueItems(spend));
    made.set(key, ajv);
    return ajv;
  };

  /** True, false, or undefined when it took too many steps or went too deep. */
  const run = (validate: ValidateFunction, value: unknown, steps: number): boolean | undefined => {
    left = steps;
    try {
      return validate(value);
    } catch (error) {
      // A schema that leads to itself can end the stack before its steps.
      if (error instanceof StepsExceeded || error instanceof RangeError) return undefined;
      throw error;
    }
  };

  const compiled = (first: ValidateFunction, all: ValidateFunction): CompiledSchema => ({
    check: (value, at) => {
      const fits = run(first, value, MOST_STEPS);
      if (fits === undefined) return { exceeded: true };
      if (fits) return {};
      const errors = run(all, value, STEPS_FOR_ALL) === false ? all.errors : first.errors;
      return { problems: problemsText(errors ?? [], at) };
    },
  });

  return {
    compile: (schema) => {
      const draft = draftOf(schema);
      if (draft === undefined) {
        return { faults: [{ pointer: '/$schema', why: 'the draft is none of draft-04 to draft-07 and 2020-12' }] };
      }
      const bounded = boundedSchema(schema);
      if (bounded.faults.length > 0) return { faults: bounded.faults };
      places += bounded.places;
      if (places > MOST_PLACES) {
        return { faults: [{ pointer: '', why: `the bundle's schemas have more than ${MOST_PLACES} subschemas` }] };
      }
      // The draft's own schema is checked with the same keywords, and a schema's size is bounded.
      left = Number.POSITIVE_INFINITY;
      const ajv = ajvFor(draft, false);
      const usable = named(bounded.schema, `verdict:schema:${places}`) as object;
      try {
        const validators = [ajv.compile(usable), ajvFor(draft, true).compile(usable)] as const;
        // V8 compiles a function when it is called first: 40 ms for 500 subschemas, which no request is to wait for.
        for (const validate of validators) run(validate, undefined, STEPS_FOR_ALL);
        return compiled(...validators);
      } catch (error) {
        return { faults: faultsOf(error, ajv, usable as JsonValue) };
      }
    },
  };
};
