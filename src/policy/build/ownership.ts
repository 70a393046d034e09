import type { RegoProblem } from '../../rego/index.ts';
import { problemsSentence } from '../../rego/index.ts';
import { isTest, MANIFEST } from '../archive/names.ts';
import type { DataDocument } from '../content/data.ts';
import { problemInData } from '../content/data.ts';
import { nodeAt } from '../content/json-text.ts';
import type { PackageClause } from '../content/packages.ts';
import { placeIn, problemIn } from '../content/places.ts';
import {
  isOwned,
  isReserved,
  MOST_ROOTS,
  minimalRoots,
  reservedRoot,
  segmentsOf,
  unownedData,
} from '../content/roots.ts';
import { PolicyError, refuseProblems } from '../model.ts';
import type { ExternalReference, Inspected } from './references.ts';

export interface Contents {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly packages: readonly PackageClause[];
  readonly data: DataDocument;
  readonly inspection: Inspected;
}

/** A path as Rego writes it. */
export const dotted = (path: readonly string[]): string => ['data', ...path].join('.');

/**
 * The roots of a bundle that names none: its packages (tests too, or OPA would not load it) and the keys of its data.
 * A bundle whose data has more keys than a bundle may have roots keeps the root that owns everything.
 */
export const narrowRoots = ({ packages, data }: Pick<Contents, 'packages' | 'data'>): string[] => {
  const own = [...packages.map(({ path }) => path), ...[...data.root.members.keys()].map((key) => [key])];
  // A key with a slash in it cannot be said as a root.
  if (own.some((path) => path.some((part) => part === '' || part.includes('/')))) return [''];
  const roots = minimalRoots(own.map((path) => path.join('/')));
  return roots.length > MOST_ROOTS ? [''] : roots;
};

type Files = Contents['files'];

const problemInFile = (
  files: Files,
  { file, row, col = 1 }: { readonly file: string; readonly row: number; readonly col?: number },
  what: { readonly code: string; readonly message: string },
): RegoProblem =>
  problemIn({ file, text: Buffer.from(files.get(file) ?? []).toString('utf8') }, { ...what, place: { row, col } });

/** What the rules, tests left out, refer to that is other bundles': refused where nobody may refer to it. */
export const externalReferences = (
  { files, inspection }: Pick<Contents, 'files' | 'inspection'>,
  roots: readonly string[],
): ExternalReference[] => {
  const { calls, dataReferences } = inspection;
  const missing = calls.filter(({ path }) => isOwned(path, roots));
  refuseProblems(
    'REGO_INVALID',
    missing.map((call) =>
      problemInFile(files, call, { code: 'rego_type_error', message: `undefined function ${dotted(call.path)}` }),
    ),
  );
  const all = [...dataReferences, ...calls].filter(({ file }) => !isTest(file));
  const reserved = all.filter(({ path }) => isReserved(path));
  refuseProblems(
    'REFERENCE_OUTSIDE_ROOTS',
    reserved.map((reference) => {
      const message = `${dotted(reference.path)} is kept for the bundles that configuration names`;
      return problemInFile(files, reference, { code: 'verdict_reference_error', message });
    }),
  );
  return all.filter(({ path }) => !isOwned(path, roots));
};

/** The roots, and where the manifest names them: it is hidden, and easily copied along with another's files. */
const rootsSentence = (files: Contents['files'], roots: readonly string[]): string => {
  const bytes = files.get(MANIFEST);
  const named = roots.join(', ');
  if (bytes === undefined) return `the bundle's roots (${named})`;
  const { row, col } = placeIn(MANIFEST, Buffer.from(bytes).toString(), ['roots']);
  return `the bundle's roots (${named}), which ${MANIFEST}:${row}:${col} names`;
};

const checkPackages = ({ files, packages }: Contents, roots: readonly string[]): void => {
  const outside = packages.filter(({ path }) => !isOwned(path, roots));
  const problems = outside.map((clause) => {
    const message = `package ${clause.path.join('.')} lies outside ${rootsSentence(files, roots)}`;
    return problemInFile(files, clause, { code: 'verdict_roots_error', message });
  });
  refuseProblems('ROOTS_CONFLICT', problems);
};

type FindInData = (path: readonly string[], what: { readonly code: string; readonly message: string }) => RegoProblem;

const dataWhereRule = (find: FindInData, path: string): RegoProblem =>
  find(segmentsOf(path), {
    code: 'verdict_data_error',
    message: `the data has a value at ${path}, where a rule stands`,
  });

const CONFLICT = /^conflicting rule for data path (.+) found$/;

/** OPA names the rule that stands where data is; this adds where the data is. */
export const withConflictingData = (error: unknown, find: FindInData): unknown => {
  if (!(error instanceof PolicyError)) return error;
  const problems = error.problems.flatMap((problem): RegoProblem[] => {
    const path = CONFLICT.exec(problem.message)?.[1];
    return path === undefined ? [problem] : [problem, dataWhereRule(find, path)];
  });
  if (problems.length === error.problems.length) return error;
  return new PolicyError(error.code, problemsSentence(problems), { cause: error, problems });
};

/** Refuses packages and data outside the roots, and rules that stand where data is. */
export const checkOwnership = (contents: Contents, roots: readonly string[]): void => {
  const { files, data, inspection } = contents;
  checkPackages(contents, roots);
  const outside = unownedData(data.root, roots);
  if (outside !== undefined && data.root.members.size > 0) {
    const message = `${dotted(outside)} lies outside ${rootsSentence(files, roots)}`;
    refuseProblems('ROOTS_CONFLICT', [problemInData(files, outside, { code: 'verdict_roots_error', message })]);
  }
  const covered = inspection.rules.find((rule) => nodeAt(data.root, segmentsOf(rule)) !== undefined);
  if (covered !== undefined) {
    refuseProblems('DATA_INVALID', [dataWhereRule((path, what) => problemInData(files, path, what), covered)]);
  }
};

/** Roots by which a policy would decide who may do what in Verdict itself. */
export const refuseReserved = (roots: readonly string[]): void => {
  const root = roots.find((found) => reservedRoot(found) !== undefined);
  if (root === undefined) return;
  const message = `the root ${root} decides who may do what in Verdict itself: no bundle may own it here`;
  throw new PolicyError('ROOTS_CONFLICT', message);
};
