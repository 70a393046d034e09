import { isUtf8 } from 'node:buffer';
import type { RegoFile, RegoSources, RegoVersion } from '../../rego/index.ts';
import { isRego, isTest } from '../archive/names.ts';
import type { BundleFiles, Manifest } from '../model.ts';
import { PolicyError } from '../model.ts';

/**
 * Whether a name matches a glob of `file_rego_versions`: `*` stays within a folder, `**` does not, `?` is one character. One row
 * of states per character, so that no pattern is slow.
 */
export const matchesGlob = (glob: string, name: string): boolean => {
  const tokens = glob.match(/\*\*|\*|\?|[^*?]/gsu) ?? [];
  let states = new Set<number>();
  const reach = (from: number, into: Set<number>): void => {
    into.add(from);
    if (tokens[from] === '*' || tokens[from] === '**') reach(from + 1, into);
  };
  reach(0, states);
  for (const character of name) {
    const next = new Set<number>();
    for (const state of states) {
      const token = tokens[state];
      if (token === '**' || (token === '*' && character !== '/')) reach(state, next);
      else if (token === character || (token === '?' && character !== '/')) reach(state + 1, next);
    }
    states = next;
  }
  return states.has(tokens.length);
};

const bare = (name: string): string => name.replace(/^\/+/, '');

/** The version of each file that the manifest gives another one than its own; an exact name wins over a glob. */
const fileVersions = (modules: readonly RegoFile[], manifest: Manifest): { [path: string]: RegoVersion } => {
  const rules = Object.entries(manifest.fileRegoVersions).map(([glob, version]) => [bare(glob), version] as const);
  const versions: { [path: string]: RegoVersion } = {};
  for (const { path } of modules) {
    const rule = rules.find(([glob]) => glob === path) ?? rules.find(([glob]) => matchesGlob(glob, path));
    if (rule !== undefined) versions[path] = rule[1];
  }
  return versions;
};

const moduleText = (path: string, bytes: Uint8Array): RegoFile => {
  if (!isUtf8(bytes)) {
    const problem = { code: 'rego_parse_error', message: 'the file is not UTF-8 text', file: path, row: 1, col: 1 };
    throw new PolicyError('REGO_INVALID', `${path}:1:1: the file is not UTF-8 text`, { problems: [problem] });
  }
  return { path, text: Buffer.from(bytes).toString('utf8') };
};

/** What the toolchain gets: `all` for checks and tests, `served` without the tests for the module. */
export const regoSources = (
  { files }: BundleFiles,
  manifest: Manifest,
  data: Uint8Array,
): { readonly all: RegoSources; readonly served: RegoSources } => {
  const modules = [...files].filter(([name]) => isRego(name)).map(([name, bytes]) => moduleText(name, bytes));
  const rest = { data, regoVersion: manifest.regoVersion, regoVersions: fileVersions(modules, manifest) };
  return {
    all: { modules, ...rest },
    served: { modules: modules.filter(({ path }) => !isTest(path)), ...rest },
  };
};
