import type { RegoProblem } from '../../rego/index.ts';
import { dotted } from '../build/ownership.ts';
import type { ExternalReference } from '../build/references.ts';
import { problemIn } from '../content/places.ts';
import { isUnder, minimalPaths, segmentsOf } from '../content/roots.ts';
import type { VersionInfo } from '../model.ts';
import { refuseProblems } from '../model.ts';
import type { Runnable } from '../versions/runnable.ts';

export type Path = readonly string[];

/** A version of the set that is to be active. */
export interface Member {
  readonly info: Pick<VersionInfo, 'name' | 'version' | 'digest' | 'revision' | 'roots'>;
  readonly runnable: Runnable;
}

/** What a version reads of another's data. */
export interface Reading {
  readonly member: Member;
  /** None lies below another. */
  readonly paths: readonly Path[];
  /** Places at which data must be, since no rule stands there; with who wants them. */
  readonly wanted: readonly { readonly path: Path; readonly reference: ExternalReference }[];
}

/** What a version is linked with, in order of name. */
export interface Plan {
  /** Versions whose rules it refers to, itself or through others. */
  readonly rules: readonly Member[];
  readonly reads: readonly Reading[];
}

export type Members = ReadonlyMap<string, Member>;

const meets = (a: Path, b: Path): boolean => isUnder(a, b) || isUnder(b, a);

const rulesOf = ({ runnable }: Member): readonly string[] => runnable.rules ?? runnable.entrypoints;

/** True when a reference can mean a rule of the version. */
const meetsRule = (member: Member, { path, call }: ExternalReference): boolean =>
  call === true || rulesOf(member).some((rule) => meets(segmentsOf(rule), path));

/** The root that owns a path, when the version has rules below it too: then a missing place is a misspelt rule. */
const mixedRoot = ({ info, runnable }: Member, path: Path): Path | undefined => {
  const root = info.roots.map(segmentsOf).find((own) => isUnder(path, own));
  if (root === undefined || runnable.opaque) return undefined;
  return rulesOf({ info, runnable }).some((rule) => isUnder(segmentsOf(rule), root)) ? root : undefined;
};

const problemAt = (self: Member, { path, file, row, col }: ExternalReference, why: string): RegoProblem => {
  const text = self.runnable.sources?.all.modules.find((module) => module.path === file)?.text;
  const what = { code: 'verdict_reference_error', message: `${dotted(path)} ${why}` };
  return text === undefined ? { ...what, file, row, col } : problemIn({ file, text }, { ...what, place: { row, col } });
};

const UNPROVIDED = 'is provided by no active bundle';

/** Refuses with the place of each problem. */
export const refuseLinks = (problems: readonly RegoProblem[]): void => refuseProblems('REFERENCE_UNPROVIDED', problems);

/** What is found not to be there when the data is read. */
export const refuseAbsent = (self: Member, references: readonly ExternalReference[]): void =>
  refuseLinks(references.map((reference) => problemAt(self, reference, UNPROVIDED)));

/** Those whose places a reference can mean, the version that makes it left out. */
const providersOf = (set: Members, from: Member, path: Path): Member[] =>
  [...set.values()].filter(
    (member) => member.info.name !== from.info.name && member.info.roots.some((root) => meets(segmentsOf(root), path)),
  );

const isOwner = ({ info }: Member, path: Path): boolean => info.roots.some((root) => isUnder(path, segmentsOf(root)));

/** Why a reference of the version cannot be linked, as far as rules and roots tell. */
const problemOf = (set: Members, self: Member, reference: ExternalReference): RegoProblem | undefined => {
  const { path, call } = reference;
  const providers = providersOf(set, self, path);
  const hasOwnBelow = self.info.roots.some((root) => isUnder(segmentsOf(root), path));
  const isProvided = call === true ? providers.some((member) => isOwner(member, path)) : providers.length > 0;
  // All of `data` is always there.
  if (!isProvided && !hasOwnBelow && path.length > 0) return problemAt(self, reference, UNPROVIDED);
  if (self.runnable.opaque) return undefined;
  const opaque = providers.find((member) => member.runnable.opaque && meetsRule(member, reference));
  if (opaque === undefined) return undefined;
  return problemAt(
    self,
    reference,
    `is a rule of ${opaque.info.name}, whose sources are cut: nothing can be linked with it`,
  );
};

/** The versions whose rules the version reaches, and every reference on the way with the version that makes it. */
const closureOf = (set: Members, self: Member) => {
  const rules = new Map<string, Member>();
  const references: { readonly from: Member; readonly reference: ExternalReference }[] = [];
  const waiting = [self];
  for (let from = waiting.pop(); from !== undefined; from = waiting.pop()) {
    for (const reference of from.runnable.references) {
      references.push({ from, reference });
      // A module that runs as it came takes no rules in.
      if (self.runnable.opaque) continue;
      for (const member of providersOf(set, from, reference.path)) {
        const { name } = member.info;
        if (member.runnable.opaque || name === self.info.name || rules.has(name)) continue;
        if (!meetsRule(member, reference)) continue;
        rules.set(name, member);
        waiting.push(member);
      }
    }
  }
  return { rules, references };
};

const byName = (a: Member, b: Member): number => (a.info.name < b.info.name ? -1 : 1);

/**
 * What a version is linked with in a set that it is part of. Throws REFERENCE_UNPROVIDED, with the place of every
 * reference of its own that nothing in the set can answer. Data of a version whose rules are linked is taken whole,
 * since those rules read it; of others, what is referred to.
 */
export const planLinks = (set: Members, self: Member): Plan => {
  refuseLinks(self.runnable.references.flatMap((reference) => problemOf(set, self, reference) ?? []));
  const { rules, references } = closureOf(set, self);
  const reads = new Map<Member, { paths: Path[]; wanted: { path: Path; reference: ExternalReference }[] }>();
  const readingOf = (member: Member) => {
    const known = reads.get(member) ?? { paths: [], wanted: [] };
    reads.set(member, known);
    return known;
  };
  for (const member of rules.values()) readingOf(member).paths.push([]);
  for (const { from, reference } of references) {
    if (reference.call === true) continue;
    for (const member of providersOf(set, from, reference.path)) {
      if (member.info.name === self.info.name) continue;
      const reading = readingOf(member);
      reading.paths.push(reference.path);
      const root = from === self && !meetsRule(member, reference) ? mixedRoot(member, reference.path) : undefined;
      if (root !== undefined) reading.wanted.push({ path: reference.path.slice(0, root.length + 1), reference });
    }
  }
  return {
    rules: [...rules.values()].sort(byName),
    reads: [...reads]
      .map(([member, { paths, wanted }]) => ({ member, paths: minimalPaths(paths), wanted }))
      .sort((a, b) => byName(a.member, b.member)),
  };
};
