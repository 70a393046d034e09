import type { JsonNode } from './json-text.ts';

/** `a/b` as segments; the root that owns everything has none. */
export const segmentsOf = (path: string): readonly string[] => (path === '' ? [] : path.split('/'));

/** True when `path` is `root` or lies below it. */
export const isUnder = (path: readonly string[], root: readonly string[]): boolean =>
  root.length <= path.length && root.every((segment, at) => segment === path[at]);

export const isOwned = (path: readonly string[], roots: readonly string[]): boolean =>
  roots.some((root) => isUnder(path, segmentsOf(root)));

export const overlap = (a: string, b: string): boolean =>
  isUnder(segmentsOf(a), segmentsOf(b)) || isUnder(segmentsOf(b), segmentsOf(a));

/** Roots that one bundle may name: each is compared with every other, of its own and of other bundles. */
export const MOST_ROOTS = 1_000;

/** Roots without those that lie below another, sorted. */
export const minimalRoots = (roots: Iterable<string>): string[] => {
  const all = new Set(roots);
  const isBelow = (root: string): boolean =>
    segmentsOf(root).some((_, at, segments) => all.has(segments.slice(0, at).join('/')));
  return [...all].filter((root) => !isBelow(root)).sort((a, b) => (a < b ? -1 : 1));
};

/** The first path of a data document that no root owns, or undefined. */
export const unownedData = (
  node: JsonNode,
  roots: readonly string[],
  at: readonly string[] = [],
): readonly string[] | undefined => {
  if (isOwned(at, roots)) return undefined;
  const leadsToRoot = roots.some((root) => isUnder(segmentsOf(root), at));
  if (node.kind !== 'object' || !leadsToRoot) return at;
  for (const [key, item] of node.members) {
    const found = unownedData(item, roots, [...at, key]);
    if (found !== undefined) return found;
  }
  return undefined;
};

/** Roots that belong to bundles which configuration names: who answers them could change who may do what here. */
const reserved = ['verdict', 'system'];

/** The reserved root that `root` is, lies in or contains, or undefined. The root that owns everything contains none by name. */
export const reservedRoot = (root: string): string | undefined => {
  const first = segmentsOf(root)[0];
  return first !== undefined && reserved.includes(first) ? first : undefined;
};

export const isReserved = (path: readonly string[]): boolean => path[0] !== undefined && reserved.includes(path[0]);

/** Paths without those that are or lie below another, in order. */
export const minimalPaths = (paths: readonly (readonly string[])[]): (readonly string[])[] => {
  const kept: (readonly string[])[] = [];
  for (const path of [...paths].sort((a, b) => a.length - b.length)) {
    if (!kept.some((other) => isUnder(path, other))) kept.push(path);
  }
  return kept.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
};
