import type { Compiled, RegoSources, Toolchain } from '../../rego/index.ts';
import { problemsSentence } from '../../rego/index.ts';
import { isPolicy, isSource, MANIFEST, MODULE } from '../archive/names.ts';
import { filesDigest, writeArchive } from '../archive/write.ts';
import type { BuildInfo } from '../content/build-info.ts';
import { buildFlags, buildInfoNode, sourcesDigest } from '../content/build-info.ts';
import type { DataDocument } from '../content/data.ts';
import { mergeData } from '../content/data.ts';
import { nodeAt } from '../content/json-text.ts';
import type { ManifestDocument } from '../content/manifest.ts';
import { readManifest, writeManifest } from '../content/manifest.ts';
import { packageClause } from '../content/packages.ts';
import { regoSources } from '../content/rego-sources.ts';
import type { BuiltBundle, BundleFiles, Manifest } from '../model.ts';
import { PolicyError, refuseProblems } from '../model.ts';
import type { SchemaBook } from '../schema/book.ts';
import { refuseSchemas } from '../schema/book.ts';
import type { SchemaFile } from '../schema/files.ts';
import { readSchemas } from '../schema/files.ts';
import { markProblems, readMarks } from './annotations.ts';
import { chooseEntrypoints } from './entrypoints.ts';
import { refuseNetwork } from './network-builtins.ts';
import { checkOwnership, dotted, externalReferences, narrowRoots, withConflictingData } from './ownership.ts';
import type { ExternalReference, Inspected } from './references.ts';
import { checkSources } from './references.ts';
import { callToolchain } from './toolchain-call.ts';

export interface BuildOptions {
  readonly toolchain: Toolchain;
  /** Stands for the manifest's. */
  readonly revision?: string;
  /** Stand for the manifest's. */
  readonly entrypoints?: readonly string[];
  /** Deadline of each call of the compiler, milliseconds. */
  readonly compileMs?: number;
}

/** A bundle's files, read as far as that needs no compiler. */
export interface PreparedBundle {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly document: ManifestDocument;
  readonly data: DataDocument;
  readonly schemas: ReadonlyMap<string, SchemaFile>;
  readonly sources: { readonly all: RegoSources; readonly served: RegoSources };
}

export interface Build extends BuiltBundle {
  /** What the archive holds. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly digest: string;
  readonly manifest: Manifest;
  readonly info: BuildInfo;
  readonly schemas: SchemaBook;
  /** Absent when the bundle has no rules. */
  readonly wasm?: Uint8Array;
  /** What its author should know. */
  readonly notes: readonly string[];
}

const nothing: Inspected = {
  packages: [],
  rules: [],
  annotations: [],
  dataReferences: [],
  tests: 0,
  warnings: [],
  calls: [],
};

export const prepareBundle = (bundle: BundleFiles): PreparedBundle => {
  const document = readManifest(bundle);
  const data = mergeData(bundle);
  const sources = regoSources(bundle, document.manifest, data.json);
  return { files: bundle.files, document, data, schemas: readSchemas(bundle.files), sources };
};

const deadline = ({ compileMs }: BuildOptions): { deadlineMs?: number } =>
  compileMs === undefined ? {} : { deadlineMs: compileMs };

export const inspect = async ({ files, sources }: PreparedBundle, options: BuildOptions): Promise<Inspected> =>
  sources.all.modules.length === 0
    ? nothing
    : callToolchain(checkSources(sources.all, options.toolchain.check, deadline(options))).catch((error: unknown) => {
        throw withConflictingData(error, files);
      });

/** A sentence on what a bundle is not made of, if there was any. */
export const ignoredNote = ({ ignored }: BundleFiles): string[] =>
  ignored === undefined || ignored.length === 0
    ? []
    : [`left out, as OPA loads no such files: ${ignored.slice(0, 5).join(', ')}${ignored.length > 5 ? ', ...' : ''}`];

interface Parts {
  readonly prepared: PreparedBundle;
  readonly inspection: Inspected;
  readonly roots: readonly string[];
  readonly info: BuildInfo;
  readonly wasm: Uint8Array | undefined;
}

const assemble = ({ prepared, roots, info, wasm }: Parts): Map<string, Uint8Array> => {
  const sequence = nodeAt(prepared.document.metadata, ['verdict', 'sequence']);
  const files = new Map([...prepared.files].filter(([name]) => isSource(name)));
  files.set(MANIFEST, writeManifest(prepared.document, roots, buildInfoNode(info, sequence)));
  if (wasm !== undefined) files.set(MODULE, wasm);
  return files;
};

const compile = async (
  prepared: PreparedBundle,
  entrypoints: readonly string[],
  options: BuildOptions,
): Promise<Compiled | undefined> =>
  entrypoints.length === 0
    ? undefined
    : callToolchain(options.toolchain.compile(prepared.sources.served, entrypoints, deadline(options)));

const MOST_SHOWN = 5;

const referenceNotes = (references: readonly ExternalReference[]): string[] => {
  const places = [...new Set(references.map(({ path }) => dotted(path)))].sort();
  if (places.length === 0) return [];
  const more = places.length > MOST_SHOWN ? ', ...' : '';
  return [`refers to what other bundles provide: ${places.slice(0, MOST_SHOWN).join(', ')}${more}`];
};

/** The build of a bundle whose files were read already. */
export const buildPrepared = async (
  prepared: PreparedBundle,
  inspection: Inspected,
  options: BuildOptions,
): Promise<Build> => {
  refuseProblems('REGO_INVALID', markProblems(inspection.annotations));
  const schemas = refuseSchemas(prepared.schemas, inspection.annotations);
  const { toolchain } = options;
  const given = prepared.document.manifest;
  const packages = prepared.sources.all.modules.flatMap((module) => packageClause(module) ?? []);
  const contents = { files: prepared.files, packages, data: prepared.data, inspection };
  const isDefault = given.roots.length === 1 && given.roots[0] === '';
  const roots = isDefault ? narrowRoots(contents) : given.roots;
  const manifest = { ...given, roots, revision: options.revision ?? given.revision };
  checkOwnership(contents, roots);
  const references = externalReferences(inspection, roots);

  const marks = readMarks(inspection.annotations);
  const named = options.entrypoints ?? given.entrypoints;
  const chosen = chooseEntrypoints(inspection, { marks, roots, ...(named === undefined ? {} : { named }) });
  // Functions of other bundles are known when the version is linked with them: until then there is no module.
  const waits = references.some(({ call }) => call === true);
  const compiled = waits ? undefined : await compile(prepared, chosen.paths, options);
  refuseNetwork(prepared.sources.served, compiled?.entrypoints ?? []);
  const reach = [...(compiled?.entrypoints ?? [])].sort((a, b) => (a.path < b.path ? -1 : 1));
  const info: BuildInfo = {
    compiler: { opa: toolchain.version.opa, toolchain: toolchain.version.digest },
    flags: buildFlags,
    sources: sourcesDigest(prepared.files),
    entrypoints: chosen.paths,
    named: chosen.named,
    rules: [...inspection.rules].sort(),
    reach: Object.fromEntries(reach.map(({ path, builtins }) => [path, [...builtins].sort()])),
    reads: Object.fromEntries(reach.map(({ path, reads }) => [path, reads])),
    annotations: marks,
    ...(references.length === 0 ? {} : { references }),
    ...(marks.some((mark) => mark.schemas !== undefined) ? { packages: inspection.packages } : {}),
  };
  const wasm = compiled?.wasm;
  const document = { ...prepared.document, manifest };
  const files = assemble({ prepared: { ...prepared, document }, inspection, roots, info, wasm });
  const narrowed = isDefault && roots[0] !== '' ? [`the bundle names no roots: it owns ${roots.join(', ')}`] : [];
  return {
    archive: await writeArchive(files),
    files,
    digest: filesDigest(files),
    manifest,
    info,
    schemas,
    entrypoints: chosen.paths,
    builtins: [...new Set(reach.flatMap(({ builtins }) => builtins))].sort(),
    annotations: inspection.annotations,
    warnings: inspection.warnings,
    ...(wasm === undefined ? {} : { wasm }),
    notes: [
      ...narrowed,
      ...referenceNotes(references),
      ...inspection.warnings.map((warning) => problemsSentence([warning])),
    ],
  };
};

/**
 * Checks and compiles a bundle's sources into an archive that holds the module beside them. Tests stay in the archive
 * and out of the module. The same sources and options give the same bytes, and building the result again does too.
 *
 * The manifest has no `wasm` member: an OPA without a Wasm engine (the usual build) refuses to start with one, and one
 * that has an engine lacks our builtins. Without it, OPA loads the archive and runs its Rego.
 */
export const buildBundle = async (bundle: BundleFiles, options: BuildOptions): Promise<Build> => {
  if (![...bundle.files.keys()].some(isPolicy))
    throw new PolicyError('ARCHIVE_INVALID', 'there is no Rego and no data to build from');
  const prepared = prepareBundle(bundle);
  const build = await buildPrepared(prepared, await inspect(prepared, options), options);
  return { ...build, notes: [...build.notes, ...ignoredNote(bundle)] };
};
