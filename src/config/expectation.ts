import type { SettingSchema } from './model.ts';

const range = (schema: SettingSchema): string => {
  const { minimum, maximum, exclusiveMinimum } = schema;
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return ` of at least ${minimum}`;
  if (exclusiveMinimum !== undefined)
    return ` above ${exclusiveMinimum}${maximum === undefined ? '' : `, at most ${maximum}`}`;
  return maximum === undefined ? '' : ` of at most ${maximum}`;
};

const nouns: { readonly [type: string]: (schema: SettingSchema) => string } = {
  boolean: () => 'true or false',
  integer: (schema) => `a whole number${range(schema)}`,
  number: (schema) => `a number${range(schema)}`,
  string: ({ pattern, examples }) => {
    if (examples !== undefined) return `text such as ${examples.map((example) => JSON.stringify(example)).join(', ')}`;
    return pattern === undefined ? 'text' : `text like ${pattern}`;
  },
  array: (schema) => (schema.items === undefined ? 'a list' : `a list; each: ${expectation(schema.items)}`),
  object: ({ properties }) =>
    properties === undefined ? 'a section' : `a section with ${Object.keys(properties).join(', ')}`,
  null: () => 'nothing',
};

/** What a setting takes, in words. */
export const expectation = (schema: SettingSchema): string => {
  if (schema.enum !== undefined) return `one of ${schema.enum.map(String).join(', ')}`;
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? []);
  return types.length === 0 ? 'any value' : types.map((type) => nouns[type]?.(schema) ?? type).join(' or ');
};

const MAX_SHOWN = 60;

/** What came instead, in words; the value itself only when it is short and no secret. */
export const description = (value: unknown, schema: SettingSchema): string => {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a section';
  const shown = JSON.stringify(value);
  return schema.writeOnly === true || shown.length > MAX_SHOWN ? `a ${typeof value}` : shown;
};
