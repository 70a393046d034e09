import { hint, nearestName } from '../../canonical/index.ts';
import type { RegoFile, RegoProblem, RegoReference } from '../../rego/index.ts';
import { isTest } from '../archive/names.ts';
import type { JsonNode } from '../content/json-text.ts';
import { nodeAt } from '../content/json-text.ts';
import { problemIn } from '../content/places.ts';
import { isOwned, isUnder, segmentsOf } from '../content/roots.ts';
import { dotted } from './ownership.ts';
import type { Inspected } from './references.ts';

type Path = readonly string[];

/** Where a bundle's own references can lead. */
export interface Provided {
  readonly modules: readonly RegoFile[];
  readonly data: JsonNode;
  /** Of the bundle whose references they are, or of all that are looked at together. */
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

interface Place extends RegoReference {
  readonly missing: Missing;
  /** How many other places refer to it. */
  readonly others: number;
}

/** The first place for each name that does not stand where it is looked for. */
const missingPlaces = (
  references: readonly RegoReference[],
  { data, rules }: { readonly data: JsonNode; readonly rules: readonly Path[] },
): Place[] => {
  const found = references.flatMap((reference) => {
    const missing = missingAt(reference.path, data, rules);
    return missing === undefined ? [] : [{ ...reference, missing }];
  });
  return [...Map.groupBy(found, ({ missing }) => missing.at.join('\0')).values()].flatMap(([first, ...others]) =>
    first === undefined ? [] : [{ ...first, others: others.length }],
  );
};

const problemAt = (modules: readonly RegoFile[], { file, row, col, others }: Place, message: string): RegoProblem => {
  const text = modules.find((module) => module.path === file)?.text ?? '';
  const more = others === 0 ? '' : ` (and at ${others} more ${others === 1 ? 'place' : 'places'})`;
  const what = { code: 'verdict_reference_warning', message: `${message}${more}`, place: { row, col } };
  return problemIn({ file, text }, what);
};

const rulesOf = ({ rules, packages }: Inspected): Path[] => [...rules, ...packages].map(segmentsOf);

/**
 * References into a bundle's own roots where neither a rule nor data of it stands: nothing else may stand there, so they
 * are undefined for ever, in tests as elsewhere. OPA says nothing of them. A bundle that owns everything may still be
 * given data.
 */
export const unprovidedReferences = (inspection: Inspected, { modules, data, roots }: Provided): RegoProblem[] => {
  const owned = roots.filter((root) => root !== '');
  const own = [...inspection.dataReferences.filter(({ file }) => !isTest(file)), ...inspection.testReferences].filter(
    ({ path }) => isOwned(path, owned),
  );
  return missingPlaces(own, { data, rules: rulesOf(inspection) }).map((place) => {
    const { at, hint: meant } = place.missing;
    const why = 'this bundle owns the place, and no rule and no data of it stands there';
    return problemAt(modules, place, `${dotted(at)} is always undefined: ${why}${meant}`);
  });
};

/** True for a reference where nothing of all that is looked at together stands. */
export const leadsNowhere =
  (inspection: Inspected, data: JsonNode) =>
  ({ path }: RegoReference): boolean =>
    missingAt(path, data, rulesOf(inspection)) !== undefined;

/** The same as problems: another bundle may be what is missing. */
export const foreignReferences = (
  inspection: Inspected,
  references: readonly RegoReference[],
  { modules, data, roots }: Provided,
): RegoProblem[] =>
  missingPlaces(references, { data, rules: rulesOf(inspection) }).map((place) => {
    const { at, hint: meant } = place.missing;
    const isTheirs = meant === '' && !isOwned(at, roots);
    const beside = isTheirs ? ': where another bundle does, name its folder, too' : meant;
    return problemAt(modules, place, `nothing here provides ${dotted(at)}${beside}`);
  });
