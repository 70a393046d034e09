import type { ActivePolicy, ActiveVersion, InputCheck, Resolution, RuleTarget } from '../decision/model.ts';
import type { InputRead } from '../rego/index.ts';
import type { RuleMarks } from './build/annotations.ts';
import type { IndexedJson, JsonPlace } from './content/indexed-json.ts';
import { membersOf, placeAt, textOf } from './content/indexed-json.ts';
import { isUnder, segmentsOf } from './content/roots.ts';

/** One active version with what it takes to find the answer to a path. */
export interface Served {
  readonly version: ActiveVersion;
  readonly roots: readonly string[];
  readonly entrypoints: ReadonlySet<string>;
  /** Paths of all rules, served or not, and paths above them; absent for opaque versions, whose sources do not say. */
  readonly rules?: { readonly at: ReadonlySet<string>; readonly above: ReadonlySet<string> };
  readonly marks: readonly RuleMarks[];
  /** By entrypoint, where one has a schema. */
  readonly inputChecks?: ReadonlyMap<string, InputCheck>;
  /** What each entrypoint can read of the input; absent when nobody knows. */
  readonly reads?: ReadonlyMap<string, readonly InputRead[]>;
  /** Never read as a whole: each path takes its part. */
  readonly data: IndexedJson;
}

export interface ActiveSet {
  readonly epoch: number;
  readonly served: ReadonlyMap<string, Served>;
  /** The bundle that answers AuthZEN when a request names none. */
  readonly authzenBundle?: string;
}

type Path = readonly string[];
type Part = { readonly at: Path; readonly part: Resolution };

const unknown: Resolution = { kind: 'unknown' };
const MEMO_ENTRIES = 4096;
const MEMO_TEXT = 65_536;

/** Texts of `path` and of all paths above it, shortest first. A segment with a slash in it belongs to no rule. */
const prefixes = (path: Path): string[] => {
  const texts: string[] = [];
  let text = '';
  for (const segment of path) {
    if (segment === '' || segment.includes('/')) break;
    text = text === '' ? segment : `${text}/${segment}`;
    texts.push(text);
  }
  return texts;
};

const isBelow = (text: string, path: Path): boolean => path.length === 0 || text.startsWith(`${path.join('/')}/`);

const targetOf = (served: Served, entrypoint: string, below: Path): RuleTarget => {
  const { version, marks, inputChecks, reads: all, rules } = served;
  const isPackage = rules?.above.has(entrypoint) === true && !rules.at.has(entrypoint);
  const own = marks.filter(({ path, scope }) => path === entrypoint && scope !== 'subpackages');
  const inputCheck = inputChecks?.get(entrypoint);
  const ttls = own.flatMap(({ ttlMs }) => ttlMs ?? []);
  const points = own.flatMap(({ instructions }) => instructions ?? []);
  const reads = all?.get(entrypoint);
  return {
    version,
    entrypoint,
    below,
    ...(isPackage ? { isPackage } : {}),
    isResult: below.length === 0 && own.some(({ isResult }) => isResult === true),
    ...(ttls.length === 0 ? {} : { ttlMs: Math.min(...ttls) }),
    ...(points.length === 0 ? {} : { instructions: Math.min(...points) }),
    ...(inputCheck === undefined ? {} : { inputCheck }),
    ...(reads === undefined ? {} : { reads }),
  };
};

const rule = (served: Served, entrypoint: string, below: Path): Resolution => ({
  kind: 'rule',
  target: targetOf(served, entrypoint, below),
});

const dataPart = ({ version }: Served, place: JsonPlace): Resolution => ({
  kind: 'data',
  version,
  json: textOf(place),
});

/** Places, relative to the path that is asked, which data must be split around. */
interface Places {
  /** Where rules answer: the module merges the data there itself. */
  readonly rules: readonly Path[];
  /** What the version owns: above it, other versions have their parts. */
  readonly roots: readonly Path[];
}

/** Data in parts that meet no other part: whole where nothing else lies below, member by member otherwise. */
const dataParts = (served: Served, place: JsonPlace, at: Path, places: Places): Part[] => {
  const { rules, roots } = places;
  if (rules.some((rule) => isUnder(at, rule))) return [];
  const isShared = rules.some((rule) => isUnder(rule, at)) || !roots.some((root) => isUnder(at, root));
  const members = isShared ? membersOf(place) : undefined;
  if (members === undefined) return [{ at, part: dataPart(served, place) }];
  return [...members].flatMap(({ key, place: inner }) => dataParts(served, inner, [...at, key], places));
};

/** What one version holds below `path`: its uppermost entrypoints there, and its data where they are not. */
const partsBelow = (served: Served, path: Path): Part[] => {
  const below = [...served.entrypoints].filter((text) => isBelow(text, path)).sort();
  const all = new Set(below);
  const uppermost = below.filter((text) => !prefixes(segmentsOf(text).slice(0, -1)).some((other) => all.has(other)));
  const rules = uppermost.map((text) => ({ text, at: segmentsOf(text).slice(path.length) }));
  const own = served.roots.map(segmentsOf);
  const roots = own.some((root) => isUnder(path, root))
    ? [[]]
    : own.filter((root) => isUnder(root, path)).map((root) => root.slice(path.length));
  const place = placeAt(served.data, path);
  const data = place === undefined ? [] : dataParts(served, place, [], { rules: rules.map(({ at }) => at), roots });
  return [...rules.map(({ text, at }) => ({ at, part: rule(served, text, []) })), ...data];
};

/** True when a rule stands at the path, above it or below it. */
const touchesRule = ({ rules }: Served, path: Path, texts: readonly string[]): boolean => {
  if (rules === undefined || texts.some((text) => rules.at.has(text))) return true;
  return texts.length === path.length && rules.above.has(path.join('/'));
};

/** The answer of the version that owns the path. */
const resolveOwned = (served: Served, path: Path): Resolution => {
  const texts = prefixes(path);
  const exact = texts.length === path.length ? texts.at(-1) : undefined;
  if (exact !== undefined && served.entrypoints.has(exact)) return rule(served, exact, []);
  if (touchesRule(served, path, texts)) {
    const nearest = texts.findLast((text) => served.entrypoints.has(text));
    if (nearest !== undefined) return rule(served, nearest, path.slice(segmentsOf(nearest).length));
    const hasBelow = [...served.entrypoints].some((text) => isBelow(text, path));
    if (hasBelow) return { kind: 'composite', parts: partsBelow(served, path) };
  }
  const place = placeAt(served.data, path);
  return place === undefined ? unknown : dataPart(served, place);
};

const resolveIn = (all: readonly Served[], path: Path): Resolution => {
  const owner = all.find(({ roots }) => roots.some((root) => isUnder(path, segmentsOf(root))));
  if (owner !== undefined && path.length > 0) return resolveOwned(owner, path);
  const parts = all.flatMap((served) => partsBelow(served, path));
  return parts.length === 0 && path.length > 0 ? unknown : { kind: 'composite', parts };
};

/** Only what callers cannot make many of is remembered: tails below an entrypoint and unknown paths are theirs. */
const isMemorable = (found: Resolution): boolean =>
  found.kind === 'composite' ||
  (found.kind === 'rule' && found.target.below.length === 0) ||
  (found.kind === 'data' && found.json.length <= MEMO_TEXT);

const authzenPathOf = (set: ActiveSet, resolve: ActivePolicy['resolve'], bundle?: string): Path | undefined => {
  const only = set.served.size === 1 ? [...set.served.keys()][0] : undefined;
  const name = bundle ?? set.authzenBundle ?? only;
  const served = name === undefined ? undefined : set.served.get(name);
  if (served === undefined) return undefined;
  const answers = (path: Path): boolean => {
    const found = resolve(path);
    return found.kind === 'rule' && found.target.version === served.version;
  };
  const marked = served.marks.find(({ authzen }) => authzen?.evaluation === true);
  if (marked !== undefined) return answers(segmentsOf(marked.path)) ? segmentsOf(marked.path) : undefined;
  // Data and test packages have roots of their own: the only root is the only one that answers.
  const answering = served.roots.filter((root) =>
    [...served.entrypoints].some((text) => isUnder(segmentsOf(text), segmentsOf(root))),
  );
  const path = answering.length === 1 ? [...segmentsOf(answering[0] ?? ''), 'allow'] : undefined;
  return path !== undefined && answers(path) ? path : undefined;
};

/** Rule paths as `Served` has them. */
export const rulePlaces = (rules: readonly string[]): NonNullable<Served['rules']> => ({
  at: new Set(rules),
  above: new Set(rules.flatMap((text) => prefixes(segmentsOf(text).slice(0, -1)))),
});

/** Builds what a request reads: everything in it is frozen but the memory of paths already found. */
export const activePolicy = (set: ActiveSet): ActivePolicy => {
  const all = [...set.served.values()];
  const memory = new Map<string, Resolution>();
  // The same list of segments comes again with every request for a path: found without making a text of it.
  const lists = new WeakMap<Path, Resolution>();
  const resolve = (path: Path): Resolution => {
    const same = lists.get(path);
    if (same !== undefined) return same;
    const found = search(path);
    if (isMemorable(found)) lists.set(path, found);
    return found;
  };
  const search = (path: Path): Resolution => {
    // The joining character could stand in a segment: such a path is found anew each time.
    const key = path.some((segment) => segment.includes('\0')) ? undefined : path.join('\0');
    const known = key === undefined ? undefined : memory.get(key);
    if (known !== undefined) return known;
    const found = resolveIn(all, path);
    if (key !== undefined && isMemorable(found)) {
      if (memory.size >= MEMO_ENTRIES) memory.clear();
      memory.set(key, found);
    }
    return found;
  };
  const answering = new Map<string | undefined, Path | undefined>();
  const authzenPath: ActivePolicy['authzenPath'] = (bundle) => {
    if (bundle !== undefined && !set.served.has(bundle)) return undefined;
    if (!answering.has(bundle)) answering.set(bundle, authzenPathOf(set, resolve, bundle));
    return answering.get(bundle);
  };
  return Object.freeze({
    epoch: set.epoch,
    versions: new Map([...set.served].map(([name, { version }]) => [name, version])),
    resolve,
    authzenPath,
  });
};
