import { hint, nearestName } from '../../canonical/index.ts';
import type { RegoInspection, RegoProblem } from '../../rego/index.ts';
import { isOwned, segmentsOf } from '../content/roots.ts';
import { refuseProblems } from '../model.ts';
import type { RuleMarks } from './annotations.ts';

export interface Entrypoints {
  /** Sorted. */
  readonly paths: readonly string[];
  /** True when somebody named them: then other rules are not served. */
  readonly named: boolean;
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Every path above `path`, itself left out. */
const above = (path: string): string[] => {
  const segments = segmentsOf(path);
  return segments.slice(1).map((_, at) => segments.slice(0, at + 1).join('/'));
};

/**
 * Paths at which the compiler finds something to plan: rules, packages with rules, and what lies above them. A package
 * that holds functions alone is none.
 */
const plannable = ({ rules }: RegoInspection): Set<string> => {
  const found = new Set<string>();
  for (const rule of rules) {
    found.add(rule);
    for (const path of above(rule)) found.add(path);
  }
  return found;
};

/**
 * What a version answers at. Named ones (argument or manifest, else METADATA `entrypoint: true`) stand alone;
 * otherwise every rule and package, and every path above packages that the bundle owns.
 */
export const chooseEntrypoints = (
  inspection: RegoInspection,
  given: {
    readonly named?: readonly string[];
    readonly marks: readonly RuleMarks[];
    readonly roots: readonly string[];
    /** A problem at the place where an entrypoint is named. */
    readonly problemOf: (path: string, message: string) => RegoProblem;
  },
): Entrypoints => {
  const possible = plannable(inspection);
  const marked = given.marks.filter(({ entrypoint }) => entrypoint === true).map(({ path }) => path);
  const named = given.named ?? (marked.length > 0 ? marked : undefined);
  if (named !== undefined) {
    const missing = named.filter((path) => !possible.has(path));
    refuseProblems(
      'MANIFEST_INVALID',
      missing.map((path) => {
        const meant = hint(nearestName(path, possible));
        return given.problemOf(path, `the entrypoint ${path} is no rule and no package of this bundle${meant}`);
      }),
    );
    return { paths: [...new Set(named)].sort(byText), named: true };
  }
  const packages = new Set(inspection.packages.flatMap((path) => [path, ...above(path)]));
  const rules = new Set(inspection.rules);
  const all = [...possible].filter(
    (path) => isOwned(segmentsOf(path), given.roots) && (rules.has(path) || packages.has(path)),
  );
  return { paths: all.sort(byText), named: false };
};

/** Entrypoints whose rule is not in the sources: what `opa build -t wasm` leaves behind of the rules it compiled. */
export const cutEntrypoints = (
  inspection: RegoInspection,
  wasm: readonly { readonly entrypoint: string }[],
): string[] => {
  const possible = plannable(inspection);
  return wasm.map(({ entrypoint }) => entrypoint).filter((path) => !possible.has(path));
};
