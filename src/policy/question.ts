import { valueFromJson } from '../canonical/index.ts';
import type { CallOptions, RegoInspection, Toolchain } from '../rego/index.ts';
import { isTest } from './archive/names.ts';
import { readMarks } from './build/annotations.ts';
import { dotted } from './build/ownership.ts';
import type { JoinedParts, SourcePart } from './build/parts.ts';
import { inspectionOf } from './build/parts.ts';
import type { Inspected } from './build/references.ts';
import { checkSources } from './build/references.ts';
import { missingAt } from './build/unprovided.ts';
import { packageClause, segmentsOfClause } from './content/packages.ts';
import { isUnder, segmentsOf } from './content/roots.ts';
import { PolicyError } from './model.ts';
import { schemaBook } from './schema/book.ts';
import { inputChecks } from './schema/inputs.ts';

export interface LocalQuestion {
  readonly query: string;
  /** JSON text. */
  readonly input?: string;
  /** The query has no value. */
  readonly isUndefined: boolean;
}

const PATH = /^data(?:\.[A-Za-z_]\w*|\["(?:[^"\\\n]|\\.)*"\])+$/;

type Path = readonly string[];

/** The rule that a path leads to or into; otherwise all that lies below it is asked. */
const askedAt = (path: Path, { rules }: RegoInspection): string => {
  const into = rules.filter((rule) => isUnder(path, segmentsOf(rule)));
  return into.reduce((longest, rule) => (rule.length > longest.length ? rule : longest), '') || path.join('/');
};

const refusalBy = (part: SourcePart, all: Inspected, path: Path, input: unknown): string | undefined => {
  const { rules, packages, annotations } = inspectionOf(part, all);
  const asked = askedAt(path, all);
  const marked = { entrypoints: [asked], rules, packages, annotations: readMarks(annotations) };
  try {
    const check = inputChecks(marked, schemaBook(part.prepared.schemas)).get(asked);
    return check?.(() => input)?.message;
  } catch (error) {
    // A schema that is none, or that lies elsewhere: what checks the sources tells it.
    if (error instanceof PolicyError) return undefined;
    throw error;
  }
};

/**
 * What a server that serves these sources would say of a question, and an evaluation of them does not: that METADATA's
 * schemas refuse the input, and that nothing stands where a path leads. Of other queries, and of sources that do not
 * check, it has nothing to say.
 */
export const questionRemarks = async (
  { parts, sources, data }: JoinedParts & { readonly parts: readonly SourcePart[] },
  { query, input, isUndefined }: LocalQuestion,
  { toolchain, ...call }: CallOptions & { readonly toolchain: Toolchain },
): Promise<string[]> => {
  if (!PATH.test(query)) return [];
  const path = segmentsOfClause(query.slice('data'.length));
  const inspection = await checkSources(sources, toolchain.check, call).catch(() => undefined);
  if (inspection === undefined) return [];
  const remarks: string[] = [];
  const value = input === undefined ? undefined : valueFromJson(input);
  for (const part of parts) {
    const refusal = refusalBy(part, inspection, path, value);
    if (refusal !== undefined) remarks.push(`a server refuses this (input_invalid): ${refusal}`);
  }
  const rules = inspection.rules.map(segmentsOf);
  const tests = sources.modules
    .filter((module) => isTest(module.path))
    .flatMap((module) => packageClause(module) ?? []);
  const isElsewhere = [...rules, ...tests.map((clause) => clause.path)].some((place) => isUnder(path, place));
  const missing = isUndefined && !isElsewhere ? missingAt(path, data, rules) : undefined;
  if (missing !== undefined) remarks.push(`nothing here provides ${dotted(missing.at)}${missing.hint}`);
  return remarks;
};
