import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '../../canonical/index.ts';
import {
  type BundleFiles,
  defaultArchiveLimits,
  PolicyError,
  prepareBundle,
  readArchive,
  readDirectory,
} from '../../policy/index.ts';
import type { RegoFile, RegoSources, RegoVersion } from '../../rego/index.ts';
import { renamedProblems } from '../../rego/index.ts';
import { CliError, ServerError } from '../report.ts';
import { regoProblemsOf } from '../screen/problem.ts';
import type { Session } from '../session.ts';
import { type ExactObject, exactJson, isExactObject, mergeExact } from './exact-json.ts';

/** A text or archive that the command line names; `-` is what comes on stdin. */
export const readNamed = async (session: Session, file: string): Promise<Buffer> => {
  if (file === '-') {
    const chunks: Buffer[] = [];
    for await (const chunk of session.host.stdin) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks);
  }
  try {
    return await readFile(session.resolve(file));
  } catch (cause) {
    throw new CliError('FILE_UNUSABLE', `${file} cannot be read: ${messageOf(cause)}`, { cause });
  }
};

export const isDirectory = async (session: Session, file: string): Promise<boolean> => {
  try {
    return (await stat(session.resolve(file))).isDirectory();
  } catch (cause) {
    throw new CliError('FILE_UNUSABLE', `${file} is not there`, { cause });
  }
};

/** How a file of a bundle is named to the person who named the bundle: a path that an editor can open. */
export const displayed = (root: string, name: string): string => path.posix.join(root.split(path.sep).join('/'), name);

/** The files of a directory or of an archive. */
export const readBundle = async (session: Session, file: string): Promise<BundleFiles> => {
  if (file !== '-' && (await isDirectory(session, file)))
    return readDirectory(session.resolve(file), defaultArchiveLimits);
  const bytes = await readNamed(session, file);
  return readArchive(bytes, defaultArchiveLimits).catch((error: unknown) => {
    if (!(error instanceof PolicyError)) throw error;
    throw new PolicyError(error.code, `${file === '-' ? 'stdin' : file}: ${error.message}`, { cause: error });
  });
};

type Schemas = ReturnType<typeof prepareBundle>['schemas'];

/** Sources, and the schemas beside them when they are one bundle: METADATA of several may mean different ones. */
export type LoadedSources = RegoSources & { readonly schemas?: Schemas };

interface Loaded {
  readonly modules: readonly RegoFile[];
  readonly versions: readonly (readonly [path: string, version: RegoVersion])[];
  readonly data: Uint8Array;
  readonly schemas?: Schemas;
}

/** Gives the file of each problem, found here or by a server, the name under which the person knows it. */
export const withNames = (error: unknown, nameOf: (file: string) => string): unknown => {
  if (error instanceof PolicyError) {
    const { message, problems } = renamedProblems(error, nameOf);
    return new PolicyError(error.code, message, { cause: error, problems });
  }
  if (error instanceof ServerError) {
    const { message, problems } = renamedProblems({ message: error.message, problems: regoProblemsOf(error) }, nameOf);
    return new ServerError(error.code, message, { status: error.status, problems });
  }
  return error;
};

/** As withNames, for the files below one directory. */
export const withRoot = (root: string, error: unknown): unknown => withNames(error, (file) => displayed(root, file));

const loadBundle = async (session: Session, root: string): Promise<Loaded> => {
  const files = await readBundle(session, root);
  try {
    const { schemas, sources } = prepareBundle(files);
    const { all } = sources;
    const modules = all.modules.map(({ path: name, text }) => ({ path: displayed(root, name), text }));
    const versions = all.modules.map(({ path: name }): readonly [string, RegoVersion] => [
      displayed(root, name),
      all.regoVersions?.[name] ?? all.regoVersion ?? 1,
    ]);
    const named = [...schemas].map(([name, found]) => [name, { ...found, file: displayed(root, found.file) }] as const);
    return { modules, versions, data: all.data ?? nothing, schemas: new Map(named) };
  } catch (error) {
    throw withRoot(root, error);
  }
};

const nothing = Buffer.from('{}');

const loadModule = async (session: Session, file: string): Promise<Loaded> => {
  const text = (await readNamed(session, file)).toString('utf8');
  return { modules: [{ path: displayed('', file), text }], versions: [], data: nothing };
};

/** A data file by any name counts as one at the top of a bundle. What is not called .json is read as YAML. */
const loadData = async (session: Session, file: string): Promise<Loaded> => {
  const bytes = await readNamed(session, file);
  const standIn = file.endsWith('.json') ? 'data.json' : 'data.yaml';
  try {
    return { modules: [], versions: [], data: prepareBundle({ files: new Map([[standIn, bytes]]) }).data.json };
  } catch (error) {
    throw withNames(error, () => displayed('', file));
  }
};

const load = async (session: Session, file: string): Promise<Loaded> => {
  if (await isDirectory(session, file)) return loadBundle(session, file);
  if (file.endsWith('.rego')) return loadModule(session, file);
  return /\.(json|ya?ml)$/.test(file) ? loadData(session, file) : loadBundle(session, file);
};

const objectOf = (data: Uint8Array): ExactObject => {
  const value = exactJson(Buffer.from(data).toString('utf8'));
  return isExactObject(value) ? value : {};
};

const mergeAll = (loaded: readonly Loaded[]): Uint8Array => {
  const [only] = loaded;
  if (loaded.length === 1 && only !== undefined) return only.data;
  const merged = loaded.reduce<ExactObject>((before, { data }) => {
    const step = mergeExact(before, objectOf(data));
    if ('conflict' in step) {
      throw new PolicyError('DATA_INVALID', `two of the paths have data at ${step.conflict}`);
    }
    return step.merged;
  }, {});
  return Buffer.from(JSON.stringify(merged));
};

/**
 * Everything at the named paths (directories, bundle files, .rego, .json and .yaml files), and the data files beside
 * them, as one set of sources.
 */
export const loadSources = async (
  session: Session,
  paths: readonly string[],
  dataFiles: readonly string[] = [],
): Promise<LoadedSources> => {
  const loaded: Loaded[] = [];
  for (const file of paths) loaded.push(await load(session, file));
  for (const file of dataFiles) loaded.push(await loadData(session, file));
  const modules = new Map(loaded.flatMap((one) => one.modules).map((module) => [module.path, module]));
  return {
    modules: [...modules.values()],
    data: mergeAll(loaded),
    regoVersions: Object.fromEntries(loaded.flatMap((one) => one.versions)),
    ...(paths.length === 1 && loaded[0]?.schemas !== undefined ? { schemas: loaded[0].schemas } : {}),
  };
};
