import type { RegoProblem } from '../../rego/index.ts';
import type { JsonNode } from '../content/json-text.ts';
import { packageClause } from '../content/packages.ts';
import type { Manifest } from '../model.ts';
import { refuseProblems } from '../model.ts';
import type { SchemaBook } from '../schema/book.ts';
import { refuseSchemas, schemaBook } from '../schema/book.ts';
import type { RuleMarks } from './annotations.ts';
import { markProblems, readMarks } from './annotations.ts';
import type { Entrypoints } from './entrypoints.ts';
import { chooseEntrypoints } from './entrypoints.ts';
import { checkOwnership, dotted, externalReferences, narrowRoots } from './ownership.ts';
import type { PreparedBundle } from './prepared.ts';
import type { ExternalReference, Inspected } from './references.ts';
import { unprovidedReferences } from './unprovided.ts';

export interface ReviewOptions {
  /** Entrypoints that stand for the manifest's. */
  readonly named?: readonly string[];
  /** False for a single file: schemas and data that it refers to may stand beside it. */
  readonly isWhole?: boolean;
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

/**
 * Refuses METADATA, schemas, roots, references and entrypoints that cannot be: the same for a check, a build and a push.
 */
export const reviewBundle = (
  prepared: PreparedBundle,
  inspection: Inspected,
  { named, isWhole = true, ...beside }: ReviewOptions,
): Review => {
  const { files, document, data, sources } = prepared;
  refuseProblems('REGO_INVALID', markProblems(inspection.annotations));
  const schemas = isWhole ? refuseSchemas(prepared.schemas, inspection.annotations) : schemaBook(prepared.schemas);
  const given = document.manifest;
  const packages = sources.all.modules.flatMap((module) => packageClause(module) ?? []);
  const contents = { files, packages, data, inspection };
  const isDefault = given.roots.length === 1 && given.roots[0] === '';
  const roots = isDefault ? narrowRoots(contents) : given.roots;
  checkOwnership(contents, roots);
  const references = externalReferences(inspection, roots);
  const marks = readMarks(inspection.annotations);
  const wanted = named ?? given.entrypoints;
  const entrypoints = chooseEntrypoints(inspection, {
    marks,
    roots,
    ...(wanted === undefined ? {} : { named: wanted }),
  });
  return {
    manifest: { ...given, roots },
    isNarrowed: isDefault && roots[0] !== '',
    schemas,
    marks,
    references,
    entrypoints,
    warnings: isWhole
      ? unprovidedReferences(inspection, { modules: sources.all.modules, data: beside.data ?? data.root, roots })
      : [],
  };
};
