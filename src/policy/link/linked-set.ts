import type { LoadedModule } from '../../engine/index.ts';
import { renamedProblems } from '../../rego/index.ts';
import { PolicyError } from '../model.ts';
import type { Linked, LinkParts } from './link.ts';
import { link } from './link.ts';
import type { Member } from './plan.ts';

/** A version on the way to be active. */
export interface Candidate extends Member {
  /** Runs its tests, when it refers to other bundles. */
  readonly tested: boolean;
}

export interface LinkedSet {
  readonly linked: ReadonlyMap<string, Linked>;
  readonly testsPassed: ReadonlyMap<string, number>;
  /** Modules that nothing but this set uses. */
  readonly loaded: readonly LoadedModule[];
}

export const closeAll = async (modules: Iterable<LoadedModule>): Promise<void> => {
  await Promise.all([...modules].map((module) => module.close()));
};

/** Says which bundle it is that cannot be linked, where that is not the one that was asked for. */
const linkFailure = ({ info }: Member, error: unknown): unknown => {
  if (!(error instanceof PolicyError)) return error;
  const name = `${info.name}@${info.version}`;
  const { message, problems } = renamedProblems(error, (file) => (file.includes('@') ? file : `${name}:${file}`));
  return new PolicyError(error.code, `${name} cannot be linked: ${message}`, { cause: error, problems });
};

/** Every member of the set, linked; what was loaded on the way is closed when one cannot be. */
export const linkSet = async (
  serving: ReadonlyMap<string, Linked>,
  candidates: readonly Candidate[],
  parts: LinkParts,
): Promise<LinkedSet> => {
  const byName = new Map(candidates.map((candidate) => [candidate.info.name, candidate] as const));
  const members = new Map<string, Member>([...serving].map(([name, { member }]) => [name, member] as const));
  for (const [name, { info, runnable }] of byName) members.set(name, { info, runnable });
  const linked = new Map<string, Linked>();
  const testsPassed = new Map<string, number>();
  const loaded: LoadedModule[] = [];
  try {
    // Candidates first: what is wrong with one of them is said of it, and not of those who refer to it.
    for (const name of new Set([...byName.keys(), ...members.keys()])) {
      const member = members.get(name);
      if (member === undefined) continue;
      const candidate = byName.get(name);
      const present = serving.get(name);
      const request = {
        members,
        member,
        tested: candidate?.tested === true,
        ...(present === undefined ? {} : { present }),
      };
      const result = await link(request, parts).catch((error: unknown) => {
        throw candidate !== undefined && candidates.length === 1 ? error : linkFailure(member, error);
      });
      linked.set(name, result.linked);
      if (result.isNew) loaded.push(result.linked.module);
      if (candidate !== undefined) testsPassed.set(name, result.testsPassed);
    }
  } catch (error) {
    await closeAll(loaded);
    throw error;
  }
  return { linked, testsPassed, loaded };
};
