import type { CallOptions, RegoProblem, RuleIndex, Toolchain } from '../rego/index.ts';
import { renamedProblems } from '../rego/index.ts';
import { isTest } from './archive/names.ts';
import type { CheckedEntrypoint } from './build/caching.ts';
import { checkedEntrypoints } from './build/caching.ts';
import { cutEntrypoints } from './build/entrypoints.ts';
import { networkWarnings, runtimeWarnings } from './build/network-builtins.ts';
import { refuseReserved, withConflictingData } from './build/ownership.ts';
import type { JoinedParts, SourcePart } from './build/parts.ts';
import { inspectionOf, problemInParts, renamedError } from './build/parts.ts';
import type { ExternalReference, Inspected } from './build/references.ts';
import { checkSources } from './build/references.ts';
import type { Review } from './build/review.ts';
import { referenceNotes, reviewBundle } from './build/review.ts';
import { callToolchain } from './build/toolchain-call.ts';
import { foreignReferences, leadsNowhere } from './build/unprovided.ts';
import { readBuildInfo } from './content/build-info.ts';
import type { JsonNode } from './content/json-text.ts';
import { isOwned } from './content/roots.ts';
import { PolicyError } from './model.ts';
import { opaqueRunnable } from './versions/opaque.ts';

export interface CheckOptions extends CallOptions {
  readonly toolchain: Toolchain;
  /** Refuses also what OPA's strict mode refuses. */
  readonly strict?: boolean;
}

/** What is known of sources that a build of them would take. */
export interface SourcesCheck {
  readonly packages: readonly string[];
  readonly rules: readonly string[];
  readonly tests: number;
  readonly warnings: readonly RegoProblem[];
  /** Sentences on what only other bundles can answer. */
  readonly notes: readonly string[];
  /** Where these sources answer, in order of path; none when rules of other bundles are needed to compile them. */
  readonly entrypoints: readonly CheckedEntrypoint[];
  /** Absent when nothing was compiled. */
  readonly index?: RuleIndex;
}

type Reviewed = { readonly part: SourcePart; readonly review: Review };

/** Undefined for a bundle whose rules only its module has: a push takes it as it is. */
const reviewPart = (part: SourcePart, all: Inspected, data: JsonNode): Reviewed | undefined => {
  const { prepared, nameOf, isWhole } = part;
  const { manifest } = prepared.document;
  const inspection = inspectionOf(part, all);
  try {
    refuseReserved(manifest.roots);
    const cut = readBuildInfo(manifest.metadata) === undefined ? cutEntrypoints(inspection, manifest.wasm) : [];
    if (cut.length > 0) {
      refuseReserved(opaqueRunnable(prepared, inspection, cut).roots);
      return undefined;
    }
    const review = reviewBundle(prepared, inspection, { isWhole, data });
    refuseReserved(review.manifest.roots);
    return { part, review };
  } catch (error) {
    throw error instanceof PolicyError ? renamedError(error, nameOf) : error;
  }
};

/** What the parts answer at: where one names its entrypoints, the files beside it add none. */
const entrypointsOf = (reviewed: readonly Reviewed[]): string[] => {
  const isNamed = reviewed.some(({ part, review }) => part.isWhole && review.entrypoints.named);
  const found = reviewed
    .filter(({ part }) => part.prepared.sources.served.modules.length > 0 && (part.isWhole || !isNamed))
    .flatMap(({ review }) => review.entrypoints.paths);
  return [...new Set(found)].sort();
};

/** References of one part that the roots of none have room for. */
const outsideAll = (reviewed: readonly Reviewed[], roots: readonly string[]): ExternalReference[] =>
  reviewed.flatMap(({ review }) => review.references).filter(({ path }) => !isOwned(path, roots));

/** What whole bundles refer to, in rules and tests, that none of the others has: each with its place. */
const foreignIn = (
  { part, review }: Reviewed,
  all: Inspected,
  roots: readonly string[],
  data: JsonNode,
): RegoProblem[] => {
  const { testReferences } = inspectionOf(part, all);
  const references = [...review.references, ...testReferences].filter(
    ({ path }) => !isOwned(path, review.manifest.roots),
  );
  const { modules } = part.prepared.sources.all;
  return foreignReferences(all, references, { modules, data, roots });
};

/**
 * Refuses what a build or a push of these sources would refuse, tests aside. Several parts are compiled as one; each is
 * held to its own manifest and schemas, and what a single file refers to outside itself is not asked for.
 */
export const checkParts = async (
  { parts, sources, data }: JoinedParts & { readonly parts: readonly SourcePart[] },
  { toolchain, ...call }: CheckOptions,
): Promise<SourcesCheck> => {
  const schemas = Object.assign({}, ...parts.map(({ prepared }) => prepared.sources.all.schemas ?? {}));
  const typed = { ...sources, schemas };
  const inspection = await callToolchain(checkSources(typed, toolchain.check, call)).catch((error: unknown) => {
    throw withConflictingData(error, (path, what) => problemInParts(parts, path, what));
  });
  const reviewed = parts.flatMap((part) => reviewPart(part, inspection, data) ?? []);
  const served = { ...sources, modules: sources.modules.filter(({ path }) => !isTest(path)) };
  const entrypoints = entrypointsOf(reviewed);
  const roots = reviewed.flatMap(({ review }) => review.manifest.roots);
  const outside = outsideAll(reviewed, roots);
  // Functions of other bundles are not here: what calls them is compiled when it is linked.
  const isCompiled = entrypoints.length > 0 && !outside.some((reference) => reference.call === true);
  const compiled = isCompiled
    ? await callToolchain(toolchain.compile(served, entrypoints, { ...call, reasons: true }))
    : undefined;
  const { packages, rules, tests, warnings } = inspection;
  // A module without sources may provide anything; a single file is not asked what stands beside it.
  const isTold = ({ isWhole }: SourcePart): boolean => isWhole && reviewed.length === parts.length;
  const own = reviewed.flatMap((one) => {
    const problems = [...one.review.warnings, ...(isTold(one.part) ? foreignIn(one, inspection, roots, data) : [])];
    return renamedProblems({ message: '', problems }, one.part.nameOf).problems;
  });
  const isMissing = leadsNowhere(inspection, data);
  const noted = reviewed.flatMap((one) =>
    outsideAll([one], roots).filter((reference) => !(isTold(one.part) && isMissing(reference))),
  );
  return {
    packages,
    rules,
    tests,
    warnings: [...warnings, ...own, ...networkWarnings(served), ...runtimeWarnings(served)],
    notes: referenceNotes(noted),
    entrypoints: checkedEntrypoints(
      compiled?.entrypoints ?? [],
      reviewed.flatMap(({ review }) => review.marks),
    ),
    ...(compiled?.index === undefined ? {} : { index: compiled.index }),
  };
};
