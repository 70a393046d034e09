import type { RegoProblem } from '../../rego/index.ts';
import { MANIFEST } from '../archive/names.ts';
import type { JsonNode } from '../content/json-text.ts';
import { nodeAt } from '../content/json-text.ts';
import { metadataTexts, unreadMetadata } from '../content/metadata.ts';
import { packageClause } from '../content/packages.ts';
import { placeIn, problemIn } from '../content/places.ts';
import type { Manifest } from '../model.ts';
import { refuseProblems } from '../model.ts';
import type { SchemaBook } from '../schema/book.ts';
import { refuseSchemas, schemaBook } from '../schema/book.ts';
import type { RuleMarks } from './annotations.ts';
import { markProblems, readMarks, unknownKeys } from './annotations.ts';
import type { Entrypoints } from './entrypoints.ts';
import { chooseEntrypoints } from './entrypoints.ts';
import { checkOwnership, dotted, externalReferences, narrowRoots } from './ownership.ts';
import type { PreparedBundle } from './prepared.ts';
import type { ExternalReference, Inspected } from './references.ts';
import { schemaSlips } from './schema-slips.ts';
import { unknownMembers } from './unknown-members.ts';
import { unprovidedReferences } from './unprovided.ts';

export interface ReviewOptions {
  /** Entrypoints that stand for the manifest's. */
  readonly named?: readonly string[];
  /** False for a single file: schemas and data that it refers to may stand beside it. */
  readonly isWhole?: boolean;
  /** As in BuildOptions. */
  readonly mostInstructions?: number;
  /** All data that its rules see; absent: its own. */
  readonly data?: JsonNode;
}

/** What a bundle says of itself, once nothing is wrong with it that shows before it is compiled. */
export interface Review {
  /** With the roots that it owns. */
  readonly manifest: Manifest;
  /** True when it names no roots. */
  readonly isNarrowed: boolean;
  readonly schemas: SchemaBook;
  readonly marks: readonly RuleMarks[];
  readonly references: readonly ExternalReference[];
  readonly entrypoints: Entrypoints;
  readonly warnings: readonly RegoProblem[];
}

const MOST_SHOWN = 5;

/** Says what other bundles have to provide. */
export const referenceNotes = (references: readonly ExternalReference[]): string[] => {
  const places = [...new Set(references.map(({ path }) => dotted(path)))].sort();
  if (places.length === 0) return [];
  const more = places.length > MOST_SHOWN ? ', ...' : '';
  return [`refers to what other bundles provide: ${places.slice(0, MOST_SHOWN).join(', ')}${more}`];
};

/** A problem at the first place of the manifest that names the path. */
const problemInManifest = (
  { files, document }: PreparedBundle,
  path: string,
  what: { readonly code: string; readonly message: string },
): RegoProblem => {
  const text = Buffer.from(files.get(MANIFEST) ?? []).toString('utf8');
  const list = nodeAt(document.metadata, ['verdict', 'entrypoints']);
  const items = list?.kind === 'array' ? list.items : [];
  const own = items.findIndex((item) => item.kind === 'scalar' && JSON.parse(item.text) === path);
  const at = own === -1 ? ['wasm'] : ['metadata', 'verdict', 'entrypoints', String(own)];
  return problemIn({ file: MANIFEST, text }, { ...what, place: placeIn(MANIFEST, text, at) });
};

/**
 * Refuses METADATA, schemas, roots, references and entrypoints that cannot be: the same for a check, a build and a push.
 */
export const reviewBundle = (
  prepared: PreparedBundle,
  inspection: Inspected,
  { named, isWhole = true, mostInstructions, data: all }: ReviewOptions,
): Review => {
  const { files, document, data, sources } = prepared;
  const { annotations } = inspection;
  const texts = metadataTexts(sources.all.modules);
  refuseProblems('REGO_INVALID', markProblems(annotations, texts, mostInstructions));
  const schemas = isWhole ? refuseSchemas(prepared.schemas, annotations, texts) : schemaBook(prepared.schemas);
  const given = document.manifest;
  const packages = sources.all.modules.flatMap((module) => packageClause(module) ?? []);
  const contents = { files, packages, data, inspection };
  const isDefault = given.roots.length === 1 && given.roots[0] === '';
  const roots = isDefault ? narrowRoots(contents) : given.roots;
  checkOwnership(contents, roots);
  const references = externalReferences(contents, roots);
  const marks = readMarks(annotations);
  const wanted = named ?? given.entrypoints;
  const entrypoints = chooseEntrypoints(inspection, {
    marks,
    roots,
    ...(wanted === undefined ? {} : { named: wanted }),
    problemOf: (path, message) => {
      const what = { code: 'verdict_entrypoint_error', message };
      if (named !== undefined) return what;
      if (wanted !== undefined) return problemInManifest(prepared, path, what);
      const marked = annotations.find((one) => one.path === path && one.annotations.entrypoint === true);
      return marked === undefined ? what : texts.problemAt(marked, ['entrypoint'], what);
    },
  });
  return {
    manifest: { ...given, roots },
    isNarrowed: isDefault && roots[0] !== '',
    schemas,
    marks,
    references,
    entrypoints,
    warnings: [
      ...unknownKeys(annotations, texts),
      ...unreadMetadata(sources.all.modules),
      ...unknownMembers(files),
      ...schemaSlips(prepared.schemas),
      ...(isWhole
        ? unprovidedReferences(inspection, { modules: sources.all.modules, data: all ?? data.root, roots })
        : []),
    ],
  };
};
