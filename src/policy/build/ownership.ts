import type { RegoInspection, RegoProblem, RegoReference } from '../../rego/index.ts';
import { isTest } from '../archive/names.ts';
import type { DataDocument } from '../content/data.ts';
import { nodeAt } from '../content/json-text.ts';
import type { PackageClause } from '../content/packages.ts';
import { isOwned, isReserved, isUnder, MOST_ROOTS, minimalRoots, segmentsOf, unownedData } from '../content/roots.ts';
import { PolicyError } from '../model.ts';

export interface Contents {
  readonly packages: readonly PackageClause[];
  readonly data: DataDocument;
  readonly inspection: RegoInspection;
}

const served = ({ dataReferences }: RegoInspection): RegoReference[] =>
  dataReferences.filter(({ file }) => !isTest(file));

const dotted = (path: readonly string[]): string => ['data', ...path].join('.');

/**
 * The roots of a bundle that names none: its packages (tests too, or OPA would not load it) and the keys of its data.
 * A rule that reads a place above some of them (`data.app[name]`) owns that place; one that reads all of `data` keeps
 * the root that owns everything, and so does a bundle whose data has more keys than a bundle may have roots.
 */
export const narrowRoots = ({ packages, data, inspection }: Contents): string[] => {
  const own = [...packages.map(({ path }) => path), ...[...data.root.members.keys()].map((key) => [key])];
  const readAbove = served(inspection)
    .map(({ path }) => path)
    .filter((path) => own.some((root) => path.length < root.length && isUnder(root, path)));
  // A key with a slash in it cannot be said as a root.
  if ([...own, ...readAbove].some((path) => path.some((part) => part === '' || part.includes('/')))) return [''];
  const roots = minimalRoots([...own, ...readAbove].map((path) => path.join('/')));
  return roots.length > MOST_ROOTS ? [''] : roots;
};

const refuseReferences = (problems: readonly RegoProblem[]): void => {
  const [first] = problems;
  if (first === undefined) return;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  const message = `${first.file}:${first.row}:${first.col}: ${first.message}${more}`;
  throw new PolicyError('REFERENCE_OUTSIDE_ROOTS', message, { problems });
};

const checkReferences = (inspection: RegoInspection, roots: readonly string[]): void => {
  const problems: RegoProblem[] = [];
  for (const { path, file, row, col } of served(inspection)) {
    const why = isReserved(path)
      ? 'is kept for the bundles that configuration names'
      : isOwned(path, roots)
        ? undefined
        : `lies outside the bundle's roots (${roots.join(', ')})`;
    if (why === undefined) continue;
    problems.push({ code: 'verdict_reference_error', message: `${dotted(path)} ${why}`, file, row, col });
  }
  refuseReferences(problems);
};

const checkPackages = (packages: readonly PackageClause[], roots: readonly string[]): void => {
  const outside = packages.filter(({ path }) => !isOwned(path, roots));
  const [first] = outside;
  if (first === undefined) return;
  const problems = outside.map(({ path, file, row }) => ({
    code: 'verdict_roots_error',
    message: `package ${path.join('.')} lies outside the bundle's roots (${roots.join(', ')})`,
    file,
    row,
    col: 1,
  }));
  throw new PolicyError('ROOTS_CONFLICT', `${first.file}:${first.row}:1: ${problems[0]?.message}`, { problems });
};

/** Refuses packages, data and references outside the roots, and rules that stand where data is. */
export const checkOwnership = ({ packages, data, inspection }: Contents, roots: readonly string[]): void => {
  checkPackages(packages, roots);
  const outside = unownedData(data.root, roots);
  if (outside !== undefined && data.root.members.size > 0) {
    throw new PolicyError('ROOTS_CONFLICT', `${dotted(outside)} lies outside the bundle's roots (${roots.join(', ')})`);
  }
  const covered = inspection.rules.find((rule) => nodeAt(data.root, segmentsOf(rule)) !== undefined);
  if (covered !== undefined) {
    throw new PolicyError('DATA_INVALID', `the data has a value at ${covered}, where a rule stands`);
  }
  checkReferences(inspection, roots);
};
