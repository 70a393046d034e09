import { pointerSteps, valueFromJson } from '../canonical/index.ts';
import type { ActiveVersion, PolicyRef, Resolution } from '../decision/model.ts';
import type {
  ExplainLevel,
  InputRead,
  RegoFile,
  RegoSources,
  RegoStep,
  RegoValue,
  RegoVersion,
  Toolchain,
} from '../rego/index.ts';
import { RegoError, regoJson } from '../rego/index.ts';
import type { ReadBundle } from './build/prepared.ts';
import { preparedOf, readArchiveAside } from './build/upload.ts';
import { readBuildInfo } from './content/build-info.ts';
import { joinDataAside } from './link/joined-aside.ts';
import { PolicyError, type PolicyStore, type VersionInfo } from './model.ts';
import { unlimited } from './versions/restore.ts';

/** The circumstances of a decision that was recorded. */
export interface RecordedCase {
  /** The versions that it was made from. */
  readonly policies: readonly PolicyRef[];
  /** What its evaluation took for now, nanoseconds since 1970. */
  readonly nowNs: bigint;
  /** `nd_builtin_cache`, if the record has one. */
  readonly calls?: unknown;
  /** JSON Pointers in the input of what the record does not have as it was: masked, or gone. */
  readonly missing: readonly string[];
}

export interface ExplainQuestion {
  /** Decoded segments below `data`. */
  readonly path: readonly string[];
  /** Absent: undefined. */
  readonly input?: RegoValue;
  readonly strictErrors: boolean;
  readonly level: ExplainLevel;
  /** Asks for OPA's `explanation` instead of the trace's text; `pretty` makes it lines. */
  readonly explanation?: { readonly pretty: boolean };
  /** Absent: what is active now. */
  readonly recorded?: RecordedCase;
  /** Throws when the caller may not see this bundle's sources and data. */
  readonly checkBundle: (name: string) => void;
}

export interface Explanation {
  readonly policy: PolicyRef;
  /** The rule's value; absent when it is undefined. */
  readonly result?: RegoValue;
  /** No rule is asked about such an input: the schemas of the rule's METADATA refuse it, for this reason. */
  readonly refused?: string;
  readonly trace?: string;
  readonly explanation?: readonly unknown[];
  /** The rules that were tried, outermost first. */
  readonly steps?: readonly RegoStep[];
  /** There was more of the steps, the trace or the explanation than is shown. */
  readonly cut?: boolean;
  /** Lines that the policy printed. */
  readonly printed?: string;
}

/** Evaluates a rule again in OPA's interpreter, on the toolchain's thread, and says how it came about. */
export type Explain = (question: ExplainQuestion) => Promise<Explanation>;

const DEADLINE_MS = 10_000;
/** The toolchain does one thing at a time: pushes wait behind these. */
const MOST_WAITING = 4;

const impossible = (why: string): PolicyError => new PolicyError('EXPLAIN_IMPOSSIBLE', why);

const versionOf = (resolution: Resolution, path: string): ActiveVersion => {
  if (resolution.kind === 'unknown') throw impossible(`no active version has a rule at ${path}`);
  if (resolution.kind === 'data') throw impossible(`${path} is data: no rule made it`);
  if (resolution.kind === 'composite') throw impossible(`${path} is above several documents: name one of them`);
  const { version } = resolution.target;
  if (version.opaque)
    throw impossible(
      `${version.name}@${version.version} is opaque: its rules are not in its sources, so nobody can follow them`,
    );
  return version;
};

/** The versions whose sources and data answer a question: the one asked, and those that it is linked with. */
interface Asked {
  readonly own: PolicyRef;
  readonly links: readonly PolicyRef[];
}

const storedVersion = (policy: PolicyStore, { name, version, digest }: PolicyRef): VersionInfo => {
  const known = ((): VersionInfo | undefined => {
    try {
      return policy.version(name, version);
    } catch (error) {
      if (error instanceof PolicyError) return undefined;
      throw error;
    }
  })();
  if (known === undefined || known.digest !== digest)
    throw impossible(`the version that answered, ${name}@${version} (${digest.slice(0, 12)}), is not stored here`);
  if (known.opaque)
    throw impossible(`${name}@${version} is opaque: its rules are not in its sources, so nobody can follow them`);
  return known;
};

/** Which versions a recorded decision was made from, as long as they are stored as they were. */
const recordedVersions = (policy: PolicyStore, { policies }: RecordedCase): Asked => {
  const owners = policies.filter(({ linked }) => linked !== true);
  const [own] = owners;
  if (own === undefined) throw impossible('no version answered this question');
  if (owners.length > 1) throw impossible('several bundles answered: ask again for the document of one of them');
  for (const ref of policies) storedVersion(policy, ref);
  return { own, links: policies.filter((ref) => ref !== own) };
};

/** OPA's lines as a text, which says where it was cut. */
const traceOf = (lines: readonly unknown[], isCut: boolean): string =>
  [...lines, ...(isCut ? ['... the trace is longer: this is its beginning'] : [])]
    .filter((line) => line !== '')
    .map((line) => `${line}\n`)
    .join('');

type ReadVersion = (ref: PolicyRef) => Promise<ReadBundle>;

/** The sources and data of a version and of those that it is linked with, which own other roots. */
const sourcesOf = async (read: ReadVersion, own: ReadBundle, links: readonly PolicyRef[]): Promise<RegoSources> => {
  const { regoVersion } = own.sources.served;
  const modules: RegoFile[] = [...own.sources.served.modules];
  const regoVersions: { [path: string]: RegoVersion } = { ...own.sources.served.regoVersions };
  const reads: {
    readonly data: Uint8Array;
    readonly paths: readonly (readonly string[])[];
    readonly wanted: readonly [];
  }[] = [];
  for (const linked of links) {
    const { sources, data } = await read(linked);
    for (const { path, text } of sources.served.modules) {
      const place = `/${linked.name}@${linked.version}/${path}`;
      modules.push({ path: place, text });
      regoVersions[place] = sources.served.regoVersions?.[path] ?? sources.served.regoVersion ?? 1;
    }
    reads.push({ data: data.json, paths: [[]], wanted: [] });
  }
  const data = reads.length === 0 ? own.data.json : (await joinDataAside({ own: own.data.json, reads })).json;
  return { modules, regoVersions, data, ...(regoVersion === undefined ? {} : { regoVersion }) };
};

/** Whether a rule that reads one place would see that another is not as it was. A shape is not changed from within. */
const touches = (pointer: readonly string[], { path, shape }: InputRead): boolean =>
  (shape !== true || pointer.length <= path.length) &&
  pointer.every((step, at) => at >= path.length || path[at] === step);

/** Refuses a record that lacks something which the rule can read: another input would explain another answer. */
const refuseMissing = (missing: readonly string[], own: ReadBundle, { path, links }: Place): void => {
  if (missing.length === 0) return;
  // Rules of other bundles may read more than these.
  const all = links.length > 0 ? {} : (readBuildInfo(own.document.manifest.metadata)?.reads ?? {});
  const text = path.join('/');
  const [entrypoint] = Object.keys(all)
    .filter((each) => text === each || text.startsWith(`${each}/`))
    .sort((a, b) => b.length - a.length);
  const reads = entrypoint === undefined ? undefined : all[entrypoint];
  const needed = missing.filter((pointer) => reads?.some((read) => touches(pointerSteps(pointer), read)) ?? true);
  if (needed.length === 0) return;
  const places = needed.map((pointer) => `/input${pointer}`).join(', ');
  throw impossible(`the record does not have all that the rule can read as it was: ${places}`);
};

interface Place extends Asked {
  readonly path: readonly string[];
  readonly refused?: string;
}

/** Where the answer comes from, and what the schemas of an active rule say to the input. */
const placeOf = (policy: PolicyStore, { path, input, recorded }: ExplainQuestion): Place => {
  if (recorded !== undefined) return { path, ...recordedVersions(policy, recorded) };
  const resolution = policy.current.resolve(path);
  const own = versionOf(resolution, path.join('/'));
  const check = resolution.kind === 'rule' ? resolution.target.inputCheck : undefined;
  const refused = check?.(() => (input === undefined ? undefined : valueFromJson(regoJson(input))));
  return { path, own, links: own.links, ...(refused === undefined ? {} : { refused: refused.message }) };
};

// The same for every call: a record does not have the seed, and what chance gave is among its calls.
const SEED = new Uint8Array(32);

const refOf = ({ name, version, digest, revision, dataRevision }: PolicyRef): PolicyRef => ({
  name,
  version,
  digest,
  revision,
  dataRevision,
});

/** An evaluation that fails says why itself, with the values at fault, for those who may see them. */
const failing = (error: unknown): unknown => {
  if (!(error instanceof RegoError)) return error;
  const { problems } = error;
  const [code] = problems.map((problem) => problem.code).filter((each) => each.startsWith('eval_'));
  if (code === undefined) return error;
  const failed = code === 'eval_conflict_error' ? 'EVALUATION_CONFLICT' : 'EVALUATION_FAILED';
  return new PolicyError(failed, `the evaluation fails: ${error.message}`, { cause: error, problems });
};

interface ExplainParts {
  readonly policy: PolicyStore;
  readonly toolchain: Toolchain;
  /** Longest time for one; default: 10 seconds. */
  readonly deadlineMs?: number;
}

export const createExplain = ({ policy, toolchain, deadlineMs = DEADLINE_MS }: ExplainParts): Explain => {
  let waiting = 0;
  const read: ReadVersion = async ({ name, version }) =>
    preparedOf(await readArchiveAside(await policy.archive(name, version), unlimited));

  const explain = async (question: ExplainQuestion): Promise<Explanation> => {
    const { input, strictErrors, level, explanation: wanted, recorded, checkBundle } = question;
    const place = placeOf(policy, question);
    for (const { name } of [place.own, ...place.links]) checkBundle(name);
    if (place.refused !== undefined) return { policy: refOf(place.own), refused: place.refused };
    const own = await read(place.own);
    refuseMissing(recorded?.missing ?? [], own, place);
    const query = `data${place.path.map((segment) => `[${JSON.stringify(segment)}]`).join('')}`;
    const isTrace = level !== 'steps' && wanted === undefined;
    const found = await toolchain.evaluate(await sourcesOf(read, own, place.links), query, {
      ...(input === undefined ? {} : { input }),
      ...(recorded === undefined ? {} : { context: { nowNs: recorded.nowNs, seed: SEED } }),
      ...(recorded?.calls === undefined ? {} : { calls: recorded.calls }),
      ...(level === 'steps' ? {} : { explain: { level, pretty: wanted?.pretty ?? true } }),
      strictErrors,
      steps: level === 'steps',
      deadlineMs,
    });
    const { bindings, explanation, steps, cut: isCut, printed } = found;
    const result = bindings[0]?.result;
    return {
      policy: refOf(place.own),
      ...(result === undefined ? {} : { result }),
      ...(isTrace ? { trace: traceOf(explanation ?? [], isCut === true) } : {}),
      ...(wanted === undefined || explanation === undefined ? {} : { explanation }),
      ...(steps === undefined ? {} : { steps }),
      ...(isCut === true ? { cut: true } : {}),
      ...(printed === undefined || printed === '' ? {} : { printed }),
    };
  };

  return async (question) => {
    if (waiting >= MOST_WAITING)
      throw new PolicyError('EXPLAIN_BUSY', `${waiting} explanations are under way: try again in a moment`);
    waiting += 1;
    try {
      return await explain(question);
    } catch (error) {
      throw failing(error);
    } finally {
      waiting -= 1;
    }
  };
};
