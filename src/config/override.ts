import { distance } from 'fastest-levenshtein';
import { parse } from 'yaml';
import type { ConfigProblem, SettingSchema } from './model.ts';

/** One value that the environment or the command line puts over the file. */
export interface Override {
  readonly path: readonly string[];
  readonly value: unknown;
  /** `--set`, or the variable's name. */
  readonly origin: string;
}

const PREFIX = 'VERDICT_';
const SEPARATOR = '__';

export const schemaAt = (schema: SettingSchema, path: readonly string[]): SettingSchema | undefined =>
  path.reduce<SettingSchema | undefined>((found, name) => found?.properties?.[name], schema);

/** YAML, but text where the setting wants text: `VERDICT_X=123` is then "123". */
const readValue = (text: string, schema: SettingSchema | undefined): unknown =>
  schema?.type === 'string' ? text : (parse(text, { version: '1.2', schema: 'core' }) as unknown);

const read = (
  found: { readonly path: readonly string[]; readonly text: string; readonly origin: string },
  schema: SettingSchema,
): Override | ConfigProblem => {
  const { path, text, origin } = found;
  try {
    return { path, origin, value: readValue(text, schemaAt(schema, path)) };
  } catch {
    return { key: path.join('.'), message: `the value is not YAML (${origin})` };
  }
};

const plainName = (name: string): string => name.replaceAll('_', '').toLowerCase();

/** `MAX_BYTES` and `MAXBYTES` mean `maxBytes`; a name that means nothing here is kept, so that it is refused by name. */
const pathOf = (variable: string, schema: SettingSchema): string[] => {
  let at: SettingSchema | undefined = schema;
  return variable
    .slice(PREFIX.length)
    .split(SEPARATOR)
    .map((segment) => {
      const names = Object.keys(at?.properties ?? {});
      const name = names.find((candidate) => plainName(candidate) === plainName(segment)) ?? segment.toLowerCase();
      at = at?.properties?.[name];
      return name;
    });
};

/** Paths of every setting that is no section. */
const settingPaths = (schema: SettingSchema, above: readonly string[] = []): (readonly string[])[] =>
  schema.properties === undefined
    ? [above]
    : Object.entries(schema.properties).flatMap(([name, below]) => settingPaths(below, [...above, name]));

/** `cache.maxBytes` as VERDICT_CACHE__MAX_BYTES. */
export const variableOf = (path: readonly string[]): string =>
  PREFIX + path.map((name) => name.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()).join(SEPARATOR);

// A slip in a long name; short ones resemble what container platforms set of a service that is called verdict.
const MOST_SLIPS = 1;
const LONG_NAME = 8;

/** The setting that a variable without a double underscore was to set: it has the setting's letters. */
const meant = (variable: string, schema: SettingSchema): readonly string[] | undefined => {
  const plain = plainName(variable.slice(PREFIX.length));
  if (plain.length < LONG_NAME) return undefined;
  return settingPaths(schema).find((path) => distance(plain, plainName(path.join(''))) <= MOST_SLIPS);
};

/**
 * What the environment sets: names that begin with VERDICT_ and have a double underscore, in order of name. One with
 * the letters of a setting and single underscores is refused; others without a double one are no settings.
 */
export const readEnvironment = (
  env: { readonly [name: string]: string | undefined },
  schema: SettingSchema,
): (Override | ConfigProblem)[] =>
  Object.entries(env)
    .filter(([name, text]) => text !== undefined && name.startsWith(PREFIX))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, text]) => {
      if (name.includes(SEPARATOR)) return read({ path: pathOf(name, schema), text: text ?? '', origin: name }, schema);
      // Of a service called verdict-server-http a container platform says VERDICT_SERVER_HTTP_PORT=tcp://...
      const path = /^(tcp|udp|sctp):\/\//.test(text ?? '') ? undefined : meant(name, schema);
      if (path === undefined) return [];
      return { key: path.join('.'), message: `is set by ${variableOf(path)}, with two underscores (${name})` };
    });

/** What the command line sets, in its order: later ones win. */
export const readSets = (sets: readonly string[], schema: SettingSchema): (Override | ConfigProblem)[] =>
  sets.map((set) => {
    const equals = set.indexOf('=');
    const path = set.slice(0, equals).split('.');
    if (equals < 1 || path.includes(''))
      return { key: '', message: 'wanted a key and a value: --set cache.maxBytes=1000000 (--set)' };
    return read({ path, text: set.slice(equals + 1), origin: '--set' }, schema);
  });

export const isOverride = (found: Override | ConfigProblem): found is Override => 'path' in found;

type Tree = { [name: string]: unknown };

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);

// Defined, not assigned: `__proto__` is a name like any other, and is refused as one.
const put = (tree: Tree, name: string, value: unknown): void => {
  Object.defineProperty(tree, name, { value, enumerable: true, writable: true, configurable: true });
};

/** Puts overrides into the value of the file, in order; what stands in the way of a longer path is replaced. */
export const applyOverrides = (value: unknown, overrides: readonly Override[]): unknown => {
  const root: Tree = { value: value ?? {} };
  for (const { path, value: set } of overrides) {
    let tree = root;
    let name = 'value';
    for (const next of path) {
      const below = Object.hasOwn(tree, name) ? tree[name] : undefined;
      const inner: Tree = isTree(below) ? below : {};
      if (inner !== below) put(tree, name, inner);
      tree = inner;
      name = next;
    }
    put(tree, name, set);
  }
  return root.value;
};
