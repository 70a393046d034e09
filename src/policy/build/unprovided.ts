import type { RegoFile, RegoProblem } from '../../rego/index.ts';
import { isTest } from '../archive/names.ts';
import type { JsonNode } from '../content/json-text.ts';
import { nodeAt } from '../content/json-text.ts';
import { problemIn } from '../content/places.ts';
import { isOwned, isUnder, segmentsOf } from '../content/roots.ts';
import { hint, nearestName } from './nearest.ts';
import { dotted } from './ownership.ts';
import type { Inspected } from './references.ts';

type Path = readonly string[];

/** Where a bundle's own references can lead. */
export interface Provided {
  readonly modules: readonly RegoFile[];
  readonly data: JsonNode;
  /** Of the bundle whose references they are. */
  readonly roots: readonly string[];
}

/** The names that stand below a place: members of the data, packages and rules. */
const namesBelow = (path: Path, data: JsonNode, rules: readonly Path[]): Set<string> => {
  const node = nodeAt(data, path);
  const members = node?.kind === 'object' ? [...node.members.keys()] : [];
  const below = rules.filter((rule) => rule.length > path.length && isUnder(rule, path));
  return new Set([...members, ...below.flatMap((rule) => rule[path.length] ?? [])]);
};

export interface Missing {
  /** The path up to the first name that does not stand there. */
  readonly at: Path;
  /** `; did you mean data.x?`, or nothing. */
  readonly hint: string;
}

/** Where a path leads to no value of the data, and to no rule or package at it or below; undefined where it does. */
export const missingAt = (path: Path, data: JsonNode, rules: readonly Path[]): Missing | undefined => {
  if (nodeAt(data, path) !== undefined || rules.some((rule) => isUnder(rule, path))) return undefined;
  const depth = path.findIndex((_, at) => {
    const upTo = path.slice(0, at + 1);
    return nodeAt(data, upTo) === undefined && !rules.some((rule) => isUnder(rule, upTo));
  });
  const above = path.slice(0, depth);
  const meant = nearestName(path[depth] ?? '', namesBelow(above, data, rules));
  return {
    at: path.slice(0, depth + 1),
    hint: hint(meant === undefined ? undefined : dotted([...above, meant])),
  };
};

/**
 * References into a bundle's own roots where neither a rule nor data of it stands: nothing else may stand there, so they
 * are undefined for ever. OPA says nothing of them. A bundle that owns everything may still be given data.
 */
export const unprovidedReferences = (inspection: Inspected, { modules, data, roots }: Provided): RegoProblem[] => {
  const rules = [...inspection.rules, ...inspection.packages].map(segmentsOf);
  const texts = new Map(modules.map(({ path, text }) => [path, text] as const));
  const owned = roots.filter((root) => root !== '');
  return inspection.dataReferences.flatMap(({ path, file, row, col }): RegoProblem[] => {
    if (isTest(file) || !isOwned(path, owned)) return [];
    const missing = missingAt(path, data, rules);
    if (missing === undefined) return [];
    const message =
      `${dotted(missing.at)} is always undefined: this bundle owns the place, and no rule and no data of it ` +
      `stands there${missing.hint}`;
    return [
      problemIn(
        { file, text: texts.get(file) ?? '' },
        { code: 'verdict_reference_warning', message, place: { row, col } },
      ),
    ];
  });
};
