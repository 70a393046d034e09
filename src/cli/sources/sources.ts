import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '../../canonical/index.ts';
import {
  type BundleFiles,
  defaultArchiveLimits,
  ignoredNote,
  isBundle,
  type JoinedParts,
  joinParts,
  PolicyError,
  prepareBundle,
  readArchive,
  readDirectory,
  renamedError,
  type SourcePart,
} from '../../policy/index.ts';
import { renamedProblems } from '../../rego/index.ts';
import { CliError, ServerError } from '../report.ts';
import { regoProblemsOf } from '../screen/problem.ts';
import type { Session } from '../session.ts';

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

const readFiles = async (session: Session, file: string): Promise<BundleFiles> => {
  if (file !== '-' && (await isDirectory(session, file)))
    return readDirectory(session.resolve(file), defaultArchiveLimits);
  const bytes = await readNamed(session, file);
  return readArchive(bytes, defaultArchiveLimits).catch((error: unknown) => {
    if (!(error instanceof PolicyError)) throw error;
    throw new PolicyError(error.code, `${file === '-' ? 'stdin' : file}: ${error.message}`, { cause: error });
  });
};

/** The files of a directory or of an archive; one without rules and data is a slip, whatever it is wanted for. */
export const readBundle = async (session: Session, file: string): Promise<BundleFiles> => {
  const bundle = await readFiles(session, file);
  if (isBundle(bundle.files.keys())) return bundle;
  throw new CliError('FILE_UNUSABLE', `${file === '-' ? 'stdin' : file}: there is no Rego and no data`);
};

/** Everything that was named, as one set of sources, and as the bundles and files that it came from. */
export interface LoadedSources extends JoinedParts {
  readonly parts: readonly SourcePart[];
  /** Sentences on files that were not read. */
  readonly notes: readonly string[];
}

/** What a bundle's folder or archive holds that is not read, named as the person knows it. */
export const leftOut = (file: string, { ignored = [] }: BundleFiles, isRead = (_: string) => false): string[] =>
  ignoredNote({ ignored: ignored.map((name) => displayed(file, name)).filter((name) => !isRead(name)) });

/** Gives the file of each problem, found here or by a server, the name under which the person knows it. */
export const withNames = (error: unknown, nameOf: (file: string) => string): unknown => {
  if (error instanceof PolicyError) return renamedError(error, nameOf);
  if (error instanceof ServerError) {
    const { message, problems } = renamedProblems({ message: error.message, problems: regoProblemsOf(error) }, nameOf);
    return new ServerError(error.code, message, { status: error.status, problems });
  }
  return error;
};

/**
 * As withNames, for the files below one directory. Those of other bundles, which a server names `name@version:file`,
 * lie in no folder here.
 */
export const withRoot = (root: string, error: unknown): unknown =>
  withNames(error, (file) => (/^[a-z][a-z0-9-]*@\d+:/.test(file) ? file : displayed(root, file)));

const partOf = (files: BundleFiles, nameOf: SourcePart['nameOf'], isWhole: boolean): SourcePart => {
  try {
    return { prepared: prepareBundle(files), nameOf, isWhole };
  } catch (error) {
    throw withNames(error, nameOf);
  }
};

/** A file by any name counts as one of this name at the top of a bundle. */
const filePart = async (session: Session, file: string, name: string): Promise<SourcePart> =>
  partOf({ files: new Map([[name, await readNamed(session, file)]]) }, () => displayed('', file), false);

/** What is not called .json is read as YAML. */
const dataPart = (session: Session, file: string): Promise<SourcePart> =>
  filePart(session, file, file.endsWith('.json') ? 'data.json' : 'data.yaml');

/** As a server says it of a bundle at a path that it reads itself: what is wrong there is for it to tell. */
export const leftOutOf = async (session: Session, file: string): Promise<string[]> =>
  ignoredNote(await readFiles(session, file).catch((): BundleFiles => ({ files: new Map() })));

interface Loaded {
  readonly part: SourcePart;
  readonly notes: readonly string[];
}

const load = async (session: Session, file: string, isRead: (file: string) => boolean): Promise<Loaded> => {
  if (!(await isDirectory(session, file))) {
    if (file.endsWith('.rego')) return { part: await filePart(session, file, path.basename(file)), notes: [] };
    if (/\.(json|ya?ml)$/.test(file)) return { part: await dataPart(session, file), notes: [] };
  }
  const bundle = await readBundle(session, file);
  return { part: partOf(bundle, (name) => displayed(file, name), true), notes: leftOut(file, bundle, isRead) };
};

/**
 * Everything at the named paths (directories, bundle files, .rego, .json and .yaml files), and the data files beside
 * them, as one set of sources. What is read besides, such as an input, is not told as left out.
 */
export const loadSources = async (
  session: Session,
  paths: readonly string[],
  dataFiles: readonly string[] = [],
  alsoRead: readonly string[] = [],
): Promise<LoadedSources> => {
  const named = new Set([...paths, ...dataFiles, ...alsoRead].map((file) => session.resolve(file)));
  const parts: SourcePart[] = [];
  const notes: string[] = [];
  for (const file of paths) {
    const loaded = await load(session, file, (other) => named.has(session.resolve(other)));
    parts.push(loaded.part);
    notes.push(...loaded.notes);
  }
  for (const file of dataFiles) parts.push(await dataPart(session, file));
  return { parts, notes, ...joinParts(parts) };
};
