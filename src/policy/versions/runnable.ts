import type { InputCheck } from '../../decision/model.ts';
import type { CheckedJson } from '../../engine/index.ts';
import type { InputRead, Toolchain } from '../../rego/index.ts';
import { MODULE } from '../archive/names.ts';
import type { RuleMarks } from '../build/annotations.ts';
import type { PreparedBundle, ReadBundle } from '../build/prepared.ts';
import type { ExternalReference } from '../build/references.ts';
import type { BuildInfo } from '../content/build-info.ts';
import { readBuildInfo, sourcesDigest } from '../content/build-info.ts';
import type { JsonIndex } from '../content/indexed-json.ts';
import type { Manifest } from '../model.ts';
import type { SchemaBook } from '../schema/book.ts';
import { schemaBook } from '../schema/book.ts';
import { inputChecks } from '../schema/inputs.ts';

/** What is run and served of a version. */
export interface Runnable {
  readonly digest: string;
  readonly revision: string;
  readonly roots: readonly string[];
  readonly entrypoints: readonly string[];
  /** Paths of all rules; absent when the sources do not say. */
  readonly rules?: readonly string[];
  readonly marks: readonly RuleMarks[];
  /** By entrypoint; absent when the sources do not say. */
  readonly inputChecks?: ReadonlyMap<string, InputCheck>;
  /** JSON text of the data document. */
  readonly data: CheckedJson;
  /** Where its large values have their members. */
  readonly dataIndex: JsonIndex;
  readonly dataRevision: string;
  readonly opaque: boolean;
  /** Absent when the bundle is data alone. */
  readonly wasm?: Uint8Array;
  readonly reach?: ReadonlyMap<string, readonly string[]>;
  /** What each entrypoint can read of the input; absent when nobody knows. */
  readonly reads?: ReadonlyMap<string, readonly InputRead[]>;
  /** What the rules refer to in other bundles. */
  readonly references: readonly ExternalReference[];
  /** What other versions are linked with; absent when the rules are in the module alone. */
  readonly sources?: PreparedBundle['sources'];
}

/** What a build of ours runs as. */
export const builtRunnable = (
  {
    files,
    digest,
    manifest,
    info,
    schemas,
  }: {
    readonly digest: string;
    readonly files: ReadonlyMap<string, Uint8Array>;
    readonly manifest: Manifest;
    readonly info: BuildInfo;
    readonly schemas: SchemaBook;
  },
  { data, sources }: ReadBundle,
): Runnable => {
  const wasm = files.get(MODULE);
  return {
    digest,
    revision: manifest.revision,
    roots: manifest.roots,
    entrypoints: info.entrypoints,
    rules: info.rules,
    marks: info.annotations,
    inputChecks: inputChecks({ ...info, packages: info.packages ?? [] }, schemas),
    data: data.json,
    dataIndex: data.index,
    dataRevision: data.revision,
    opaque: false,
    ...(wasm === undefined ? {} : { wasm }),
    reach: new Map(Object.entries(info.reach)),
    reads: new Map(Object.entries(info.reads)),
    references: info.references ?? [],
    sources,
  };
};

/** A build of this very compiler from the sources beside it, or undefined. `digest` is that of its files. */
export const ownBuild = (prepared: ReadBundle, digest: string, toolchain: Toolchain): Runnable | undefined => {
  const { files, document } = prepared;
  const { manifest } = document;
  const info = readBuildInfo(manifest.metadata);
  const { opa, digest: compiler } = toolchain.version;
  const isOurs =
    info?.compiler.opa === opa &&
    info.compiler.toolchain === compiler &&
    info.sources === sourcesDigest(files) &&
    (files.has(MODULE) || info.entrypoints.length === 0 || info.references?.some(({ call }) => call === true) === true);
  if (info === undefined || !isOurs) return undefined;
  return builtRunnable({ files, digest, manifest, info, schemas: schemaBook(prepared.schemas) }, prepared);
};
