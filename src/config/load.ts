import { existsSync } from 'node:fs';
import path from 'node:path';
import { checkValue } from './check.ts';
import type { Config } from './config.ts';
import { listenerProblems } from './listeners.ts';
import { ConfigError, type ConfigProblem, type ConfigSource } from './model.ts';
import { applyOverrides, isOverride, type Override, readEnvironment, readSets } from './override.ts';
import { settings } from './schema.ts';
import { readYamlFile, type YamlFile } from './yaml-file.ts';

/** Read when no file is named and it is there. */
export const DEFAULT_FILE = 'verdict.yaml';

const freeze = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) freeze(inner);
    Object.freeze(value);
  }
  return value;
};

const isPrefix = (prefix: readonly string[], path: readonly string[]): boolean =>
  prefix.every((name, index) => path[index] === name);

/** The strongest source that set a value at this path, or above it, or made a section of it. */
const placeIn =
  (file: YamlFile | undefined, overrides: readonly Override[]) =>
  (path: readonly string[]): string =>
    overrides.findLast((override) => isPrefix(override.path, path) || isPrefix(path, override.path))?.origin ??
    file?.place(path) ??
    'default';

const hasAt = (value: unknown, path: readonly string[]): boolean => {
  let here = value;
  for (const name of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, name)) return false;
    here = (here as { readonly [name: string]: unknown })[name];
  }
  return true;
};

/** Where the value of a setting comes from; undefined for a default. */
export type Origins = (path: readonly string[]) => string | undefined;

const origins = new WeakMap<object, Origins>();

/** Where the values of a configuration that `loadConfig` gave come from. */
export const originsOf = (config: object): Origins => origins.get(config) ?? (() => undefined);

const sources = new WeakMap<object, readonly string[]>();

/** The file, if there is one, variables and `--set` that a configuration of `loadConfig` was made of, weakest first. */
export const sourcesOf = (config: object): readonly string[] => sources.get(config) ?? [];

/** Called before values are joined and defaults filled in, which changes them in place. */
const originsIn = (file: YamlFile | undefined, overrides: readonly Override[]): Origins => {
  const inFile: unknown = structuredClone(file?.value);
  const over = overrides.map(({ path, value, origin }) => ({ path, value: structuredClone(value), origin }));
  return (path) => {
    const found = over.findLast((override) => isPrefix(override.path, path));
    // Of a section that replaced the file's, what it left out is a default.
    if (found !== undefined) return hasAt(found.value, path.slice(found.path.length)) ? found.origin : undefined;
    return hasAt(inFile, path) ? file?.place(path) : undefined;
  };
};

const refuse = (problems: readonly ConfigProblem[]): never => {
  const many = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  throw new ConfigError('CONFIG_INVALID', `the configuration has ${many}`, problems);
};

/**
 * Reads, joins and checks configuration. Throws ConfigError with every problem at once; nothing is repaired and
 * nothing unknown is ignored.
 */
export const loadConfig = (source: ConfigSource): Config => {
  const name = source.file ?? (existsSync(DEFAULT_FILE) ? DEFAULT_FILE : undefined);
  const file = name === undefined ? undefined : readYamlFile(name);
  const found = [...readEnvironment(source.env, settings), ...readSets(source.sets, settings)];
  const overrides = found.filter(isOverride);
  const unread = found.filter((item): item is ConfigProblem => !isOverride(item));
  const written = originsIn(file, overrides);
  const value = applyOverrides(file?.value, overrides);
  const place = placeIn(file, overrides);
  const problems = [...unread, ...checkValue(value, settings, place)];
  if (problems.length > 0) refuse(problems);
  const config = value as Config;
  const unsafe = listenerProblems(config, place);
  if (unsafe.length > 0) refuse(unsafe);
  origins.set(config, written);
  const over = new Set(overrides.map(({ origin }) => origin));
  sources.set(config, [...(name === undefined ? [] : [path.resolve(name)]), ...over]);
  return freeze(config);
};
