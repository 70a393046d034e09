import { sha256Hex } from '../../canonical/index.ts';
import type { PolicyRef } from '../../decision/model.ts';
import type { Engine, LoadedModule } from '../../engine/index.ts';
import type { RegoFile, RegoProblem, RegoSources, RegoVersion, Toolchain } from '../../rego/index.ts';
import { refuseNetwork } from '../build/network-builtins.ts';
import { callToolchain } from '../build/toolchain-call.ts';
import { PolicyError } from '../model.ts';
import type { PolicySettings } from '../settings.ts';
import { loadModule } from '../versions/loaded-module.ts';
import type { Runnable } from '../versions/runnable.ts';
import { runTests } from '../versions/tests.ts';
import { joinDataAside } from './joined-aside.ts';
import type { JoinAnswer } from './joined-data.ts';
import type { Member, Members, Plan } from './plan.ts';
import { planLinks, refuseAbsent, refuseLinks } from './plan.ts';

/** A member of the active set with the module that answers for it there. */
export interface Linked {
  readonly member: Member;
  readonly module: LoadedModule;
  /**
   * SHA-256 over what the module was made of beside the version's own files: the rules it was compiled with and the
   * data it reads of others. Empty for a version that keeps to itself.
   */
  readonly linkedDigest: string;
  /** The versions that it rests on beside its own, in order of name. */
  readonly links: readonly PolicyRef[];
  /** What a relink is needed for when it changes. */
  readonly key: string;
  readonly code: Code;
  /** What was taken of the data of others. */
  readonly taken: JoinAnswer['reads'];
}

type Code = Pick<Runnable, 'wasm' | 'reach' | 'reads'> & { readonly key: string };

const codeOfOwn = ({ wasm, reach, reads }: Runnable, key: string): Code => ({
  key,
  ...(wasm === undefined ? {} : { wasm }),
  ...(reach === undefined ? {} : { reach }),
  ...(reads === undefined ? {} : { reads }),
});

export interface LinkParts {
  readonly engine: Engine;
  readonly toolchain: Toolchain;
  readonly settings: PolicySettings;
}

/** How one member is linked. */
export interface LinkRequest {
  readonly members: Members;
  readonly member: Member;
  /** What answers for the bundle now: taken over as it is where nothing that it was made of changes. */
  readonly present?: Linked;
  /** Runs the version's tests with what it is linked with. */
  readonly tested: boolean;
}

export interface LinkResult {
  readonly linked: Linked;
  /** True when the module was loaded for this. */
  readonly isNew: boolean;
  readonly testsPassed: number;
}

const nameOf = ({ info }: Member): string => `${info.name}@${info.version}`;

// No file of a bundle starts with a slash, so this never meets one.
const placeOf = (member: Member, file: string): string => `/${nameOf(member)}/${file}`;
const shownFile = (file: string): string => file.replace(/^\/([^/]+)\//, '$1:');

/** Sources of linked versions under names that say whose they are. */
const foreignSources = (members: readonly Member[]) => {
  const modules: RegoFile[] = [];
  const versions: { [path: string]: RegoVersion } = {};
  for (const member of members) {
    const served = member.runnable.sources?.served;
    for (const { path, text } of served?.modules ?? []) {
      const place = placeOf(member, path);
      modules.push({ path: place, text });
      versions[place] = served?.regoVersions?.[path] ?? served?.regoVersion ?? 1;
    }
  }
  return { modules, versions };
};

const withForeign = (own: RegoSources, members: readonly Member[], data?: Uint8Array): RegoSources => {
  const { modules, versions } = foreignSources(members);
  return {
    modules: [...own.modules, ...modules],
    ...(own.regoVersion === undefined ? {} : { regoVersion: own.regoVersion }),
    regoVersions: { ...own.regoVersions, ...versions },
    ...(data === undefined ? {} : { data }),
  };
};

/** Problems in the order they came, with files as people know them. */
const shownProblems = (problems: readonly RegoProblem[]): RegoProblem[] =>
  problems.map((problem) => (problem.file === undefined ? problem : { ...problem, file: shownFile(problem.file) }));

const refuseLinked = (error: unknown): never => {
  if (!(error instanceof PolicyError) || error.problems.length === 0) throw error;
  const problems = shownProblems(error.problems);
  if (problems.every(({ message }) => /^undefined function data[.[]/.test(message))) refuseLinks(problems);
  throw new PolicyError(error.code, shownFile(error.message), { cause: error, problems });
};

const compileLinked = async (
  { runnable }: Member,
  { rules }: Plan,
  key: string,
  { engine, toolchain, settings }: LinkParts,
): Promise<Code> => {
  const { sources, entrypoints } = runnable;
  if (sources === undefined || entrypoints.length === 0) return { key };
  const linked = withForeign(sources.served, rules);
  const deadlineMs = settings.compileSeconds * 1000;
  const compiled = await callToolchain(toolchain.compile(linked, entrypoints, { deadlineMs })).catch(refuseLinked);
  if (!engine.network) refuseNetwork(linked, compiled.entrypoints);
  const reach = new Map(compiled.entrypoints.map(({ path, builtins }) => [path, builtins] as const));
  const reads = new Map(compiled.entrypoints.map((entrypoint) => [entrypoint.path, entrypoint.reads] as const));
  return { key, wasm: compiled.wasm, reach, reads };
};

const codeOf = async (request: LinkRequest, plan: Plan, key: string, parts: LinkParts): Promise<Code> => {
  const { member, present } = request;
  if (present?.code.key === key) return present.code;
  if (plan.rules.length > 0) return compileLinked(member, plan, key, parts);
  return codeOfOwn(member.runnable, key);
};

const joinOf = async ({ member }: LinkRequest, plan: Plan): Promise<JoinAnswer> => {
  const answer = await joinDataAside({
    own: member.runnable.data,
    reads: plan.reads.map(({ member: read, paths, wanted }) => ({
      data: read.runnable.data,
      paths,
      wanted: wanted.map(({ path }) => path),
    })),
  });
  const absent = plan.reads.flatMap(({ wanted }, at) =>
    (answer.reads[at]?.absent ?? []).flatMap((index) => wanted[index]?.reference ?? []),
  );
  refuseAbsent(member, absent);
  return answer;
};

const refOf = ({ info, runnable }: Member): PolicyRef => ({
  name: info.name,
  version: info.version,
  digest: info.digest,
  revision: info.revision,
  dataRevision: runnable.dataRevision,
  linked: true,
});

/** Versions whose rules are in the module or whose data it holds. */
const linksOf = ({ rules, reads }: Plan, taken: JoinAnswer['reads']): PolicyRef[] => {
  const used = reads.filter(({ member }, at) => rules.includes(member) || taken[at]?.revision !== '');
  return used.map(({ member }) => Object.freeze(refOf(member)));
};

const unlinked = async ({ member, present }: LinkRequest, parts: LinkParts): Promise<LinkResult> => {
  const { info, runnable } = member;
  const key = JSON.stringify([info.digest]);
  if (present !== undefined && present.key === key) return { linked: present, isNew: false, testsPassed: 0 };
  const module = await loadModule(parts.engine, nameOf(member), runnable, present?.module);
  const linked: Linked = {
    member,
    module,
    linkedDigest: '',
    links: [],
    key,
    code: codeOfOwn(runnable, key),
    taken: [],
  };
  return { linked, isNew: true, testsPassed: 0 };
};

const testLinked = async (
  { member, tested }: LinkRequest,
  { rules }: Plan,
  data: Uint8Array,
  parts: LinkParts,
): Promise<number> => {
  const all = member.runnable.sources?.all;
  if (!tested || all === undefined || member.runnable.opaque) return 0;
  const files = new Set(all.modules.map(({ path }) => path));
  return runTests(withForeign(all, rules, data), { ...parts, files }).catch(refuseLinked);
};

/**
 * Makes the module of one member for the set that it is in: compiled with the rules that it reaches in others, over
 * its own data and what it reads of theirs. Rejects, with file:line, when something that it refers to is not there.
 */
export const link = async (request: LinkRequest, parts: LinkParts): Promise<LinkResult> => {
  const { members, member, present } = request;
  const { info, runnable } = member;
  const plan = planLinks(members, member);
  if (plan.rules.length === 0 && plan.reads.length === 0 && runnable.references.length === 0) {
    return unlinked(request, parts);
  }
  const codeKey = JSON.stringify([info.digest, plan.rules.map((linked) => [linked.info.name, linked.info.digest])]);
  const readKeys = plan.reads.map(({ member: read, paths, wanted }) => {
    return [read.info.name, read.runnable.dataRevision, paths, wanted.map(({ path }) => path)];
  });
  const key = JSON.stringify([codeKey, readKeys]);
  // Versions that changed in what this one neither runs nor reads are named anew, and that is all.
  if (present?.key === key) {
    const linked = { ...present, links: linksOf(plan, present.taken) };
    return { linked, isNew: false, testsPassed: 0 };
  }
  const { json, reads: taken } = await joinOf(request, plan);
  const links = linksOf(plan, taken);
  const linkedDigest = sha256Hex(JSON.stringify([codeKey, taken.map(({ revision }) => revision)]));
  if (present?.linkedDigest === linkedDigest) {
    return { linked: { ...present, links, key, taken }, isNew: false, testsPassed: 0 };
  }
  const code = await codeOf(request, plan, codeKey, parts);
  const testsPassed = await testLinked(request, plan, json, parts);
  const runs = { ...code, data: json, entrypoints: runnable.entrypoints };
  const module = await loadModule(parts.engine, nameOf(member), runs, present?.module);
  return { linked: { member, module, linkedDigest, links, key, code, taken }, isNew: true, testsPassed };
};
