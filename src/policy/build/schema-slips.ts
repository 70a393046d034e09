import { hint, nearestName } from '../../canonical/index.ts';
import type { RegoProblem } from '../../rego/index.ts';
import { placeIn, problemIn } from '../content/places.ts';
import { isObject, maps } from '../schema/bounded.ts';
import type { SchemaFile } from '../schema/files.ts';

/** Keywords whose value is a schema or an array of schemas. */
const withSchemas = [
  'additionalItems',
  'additionalProperties',
  'allOf',
  'anyOf',
  'contains',
  'else',
  'if',
  'items',
  'not',
  'oneOf',
  'prefixItems',
  'propertyNames',
  'then',
  'unevaluatedItems',
  'unevaluatedProperties',
];
const others = [
  '$anchor',
  '$comment',
  '$dynamicAnchor',
  '$dynamicRef',
  '$id',
  '$ref',
  '$schema',
  '$vocabulary',
  'const',
  'contentEncoding',
  'contentMediaType',
  'contentSchema',
  'default',
  'deprecated',
  'description',
  'enum',
  'examples',
  'exclusiveMaximum',
  'exclusiveMinimum',
  'format',
  'id',
  'maxContains',
  'maxItems',
  'maxLength',
  'maxProperties',
  'maximum',
  'minContains',
  'minItems',
  'minLength',
  'minProperties',
  'minimum',
  'multipleOf',
  'pattern',
  'readOnly',
  'required',
  'title',
  'type',
  'uniqueItems',
  'writeOnly',
];
const known = [...withSchemas, ...maps, ...others];

type Path = readonly string[];

const slipsIn = (schema: unknown, at: Path): { readonly path: Path; readonly meant: string }[] => {
  if (Array.isArray(schema)) return schema.flatMap((each, index) => slipsIn(each, [...at, String(index)]));
  if (!isObject(schema)) return [];
  return Object.entries(schema).flatMap(([key, value]) => {
    const path = [...at, key];
    if (withSchemas.includes(key)) return slipsIn(value, path);
    if (maps.has(key)) {
      return isObject(value) ? Object.entries(value).flatMap(([name, each]) => slipsIn(each, [...path, name])) : [];
    }
    const meant = others.includes(key) ? undefined : nearestName(key, known);
    return meant === undefined ? [] : [{ path, meant }];
  });
};

/**
 * Keywords that no draft of JSON Schema has, and that are close to one that has a meaning: whatever it was to ask of an
 * input, nobody asks. Other unknown keywords are free.
 */
export const schemaSlips = (schemas: ReadonlyMap<string, SchemaFile>): RegoProblem[] =>
  [...schemas.values()].flatMap(({ file, text, schema }) =>
    slipsIn(schema, []).map(({ path, meant }) => {
      const message = `${path.at(-1) ?? ''} asks nothing of an input${hint(meant)}`;
      return problemIn({ file, text }, { code: 'verdict_schema_warning', message, place: placeIn(file, text, path) });
    }),
  );
