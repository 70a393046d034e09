import type { Compiled, Toolchain } from '../../rego/index.ts';
import { problemsSentence } from '../../rego/index.ts';
import { isMistakenForData, isPolicy, isSource, MANIFEST, MODULE } from '../archive/names.ts';
import { filesDigest, writeArchive } from '../archive/write.ts';
import { INLINE_BYTES } from '../aside/aside.ts';
import type { BuildInfo } from '../content/build-info.ts';
import { buildFlags, buildInfoNode, sourcesDigest } from '../content/build-info.ts';
import { problemInData } from '../content/data.ts';
import { nodeAt, writeJson } from '../content/json-text.ts';
import { writeManifest } from '../content/manifest.ts';
import type { BuiltBundle, BundleFiles, Manifest } from '../model.ts';
import { PolicyError } from '../model.ts';
import type { SchemaBook } from '../schema/book.ts';
import { networkWarnings, refuseNetwork, runtimeWarnings } from './network-builtins.ts';
import { withOutline } from './outline.ts';
import { withConflictingData } from './ownership.ts';
import type { PreparedBundle, ReadBundle } from './prepared.ts';
import { prepareBundle } from './prepared.ts';
import type { Inspected } from './references.ts';
import { checkSources } from './references.ts';
import { referenceNotes, reviewBundle } from './review.ts';
import { callToolchain } from './toolchain-call.ts';

export interface BuildOptions {
  readonly toolchain: Toolchain;
  /** Stands for the manifest's. */
  readonly revision?: string;
  /** Stand for the manifest's. */
  readonly entrypoints?: readonly string[];
  /** The most that METADATA may name as a rule's `custom.engine.instructions`; absent: the most that there can be. */
  readonly mostInstructions?: number;
  /** False where no policy may reach the network: one that does is refused then. */
  readonly network?: boolean;
  /** Whether policies may ask this host; absent: nobody knows. */
  readonly allowsHost?: (host: string) => boolean;
  /** Deadline of each call of the compiler, milliseconds. */
  readonly compileMs?: number;
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
  /** Sentences on what other bundles have to provide; `notes` has them, too. */
  readonly references: readonly string[];
  /** What its author should know. */
  readonly notes: readonly string[];
}

const deadline = ({ compileMs }: BuildOptions): { deadlineMs?: number } =>
  compileMs === undefined ? {} : { deadlineMs: compileMs };

const inspect = async ({ files, sources }: ReadBundle, options: BuildOptions): Promise<Inspected> =>
  callToolchain(checkSources(sources.all, options.toolchain.check, deadline(options))).catch((error: unknown) => {
    throw withConflictingData(error, (path, what) => problemInData(files, path, what));
  });

/** What the compiler says of a bundle, and the bundle with as much of its data as a review and the compiler ask about. */
export interface InspectedBundle {
  readonly prepared: PreparedBundle;
  readonly inspection: Inspected;
}

/**
 * Inspects a bundle whose files were read. The compiler looks at data for values that stand where rules do and for nothing
 * else: of much data it gets the outline, since reading a million bindings takes it four seconds each time.
 */
export const inspectOutlined = async (read: ReadBundle, options: BuildOptions): Promise<InspectedBundle> => {
  if (read.data.json.length <= INLINE_BYTES) {
    const inspection = await inspect(read, options);
    return { prepared: await withOutline(read, inspection), inspection };
  }
  const over = (data: Uint8Array): ReadBundle['sources'] => ({
    all: { ...read.sources.all, data },
    served: { ...read.sources.served, data },
  });
  const prepared = await withOutline(read, await inspect({ ...read, sources: over(Buffer.from('{}')) }, options));
  const { all, served } = over(Buffer.from(writeJson(prepared.data.root)));
  const inspection = await inspect({ ...read, sources: { all, served } }, options);
  // Tests run over all of the data.
  return { prepared: { ...prepared, sources: { all: read.sources.all, served } }, inspection };
};

/** A sentence on what a bundle is not made of, if there was any. */
export const ignoredNote = ({ ignored = [] }: Pick<BundleFiles, 'ignored'>): string[] => {
  if (ignored.length === 0) return [];
  const shown = `${ignored.slice(0, 5).join(', ')}${ignored.length > 5 ? ', ...' : ''}`;
  const place = ignored.some(isMistakenForData) ? '; data is read from files called data.json or data.yaml' : '';
  return [`left out, as OPA loads no such files: ${shown}${place}`];
};

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

/** The build of a bundle whose files were read already. */
export const buildPrepared = async (
  prepared: PreparedBundle,
  inspection: Inspected,
  options: BuildOptions,
): Promise<Build> => {
  const review = reviewBundle(prepared, inspection, {
    ...(options.entrypoints === undefined ? {} : { named: options.entrypoints }),
    ...(options.mostInstructions === undefined ? {} : { mostInstructions: options.mostInstructions }),
  });
  const { schemas, marks, references, entrypoints: chosen } = review;
  const { toolchain } = options;
  const { roots } = review.manifest;
  const manifest = { ...review.manifest, revision: options.revision ?? review.manifest.revision };
  const warnings = [
    ...inspection.warnings,
    ...review.warnings,
    ...networkWarnings(prepared.sources.served, options.allowsHost),
    ...runtimeWarnings(prepared.sources.served),
  ];
  // Functions of other bundles are known when the version is linked with them: until then there is no module.
  const waits = references.some(({ call }) => call === true);
  const compiled = waits ? undefined : await compile(prepared, chosen.paths, options);
  if (options.network === false) refuseNetwork(prepared.sources.served, compiled?.entrypoints ?? []);
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
  const narrowed = review.isNarrowed ? [`the bundle names no roots: it owns ${roots.join(', ')}`] : [];
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
    warnings,
    ...(wasm === undefined ? {} : { wasm }),
    references: referenceNotes(references),
    notes: [...narrowed, ...referenceNotes(references), ...warnings.map((warning) => problemsSentence([warning]))],
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
