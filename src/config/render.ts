import { Document, isPair, isScalar, type Pair, visit } from 'yaml';
import { originsOf } from './load.ts';
import type { SettingSchema } from './model.ts';
import { schemaAt } from './override.ts';
import { settings } from './schema.ts';

const MASK = '***';

const isTree = (value: unknown): value is { readonly [name: string]: unknown } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const masked = (value: unknown, schema: SettingSchema | undefined): unknown => {
  if (schema?.writeOnly === true) return MASK;
  if (Array.isArray(value)) return value.map((item) => masked(item, schema?.items));
  if (!isTree(value)) return value;
  // In the schema's order, whatever was set: two outputs can be compared.
  const known = Object.keys(schema?.properties ?? {}).filter((name) => Object.hasOwn(value, name));
  const names = [...new Set([...known, ...Object.keys(value)])];
  return Object.fromEntries(names.map((name) => [name, masked(value[name], schema?.properties?.[name])]));
};

/** The names on the way to a pair of a document. */
const pathOf = (pair: Pair, above: readonly unknown[]): readonly string[] =>
  [...above.filter(isPair), pair].map(({ key }) => String(key));

/**
 * A configuration as YAML, with secrets (`writeOnly` in the schema) masked; a comment says where a value that is no
 * default comes from.
 */
export const renderConfig = (config: object, schema: SettingSchema = settings): string => {
  const document = new Document(masked(config, schema), { aliasDuplicateObjects: false });
  const originOf = originsOf(config);
  visit(document, {
    Pair: (_, pair, above) => {
      const path = pathOf(pair, above);
      const isSetting = schemaAt(schema, path)?.properties === undefined;
      const origin = isSetting ? originOf(path) : undefined;
      if (origin === undefined) return undefined;
      if (isScalar(pair.value)) pair.value.comment = ` ${origin}`;
      else if (isScalar(pair.key)) pair.key.commentBefore = ` ${origin}`;
      return visit.SKIP;
    },
  });
  return document.toString({ lineWidth: 120 });
};
