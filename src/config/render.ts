import { stringify } from 'yaml';
import type { SettingSchema } from './model.ts';
import { settings } from './schema.ts';

const MASK = '***';

const isTree = (value: unknown): value is { readonly [name: string]: unknown } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const masked = (value: unknown, schema: SettingSchema | undefined): unknown => {
  if (schema?.writeOnly === true) return MASK;
  if (Array.isArray(value)) return value.map((item) => masked(item, schema?.items));
  if (!isTree(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, masked(inner, schema?.properties?.[name])]),
  );
};

/** A configuration as YAML, with secrets (`writeOnly` in the schema) masked. */
export const renderConfig = (config: object, schema: SettingSchema = settings): string =>
  stringify(masked(config, schema), { lineWidth: 120, aliasDuplicateObjects: false });
