import type { ActivePolicy, ActiveVersion, PolicyRef, Resolution } from '../decision/model.ts';
import type { RegoFile, RegoSources, RegoValue, RegoVersion, Toolchain, TraceLevel } from '../rego/index.ts';
import { traceAt } from '../rego/index.ts';
import { readArchive } from './archive/read.ts';
import { prepareBundle } from './build/prepared.ts';
import { joinDataAside } from './link/data-thread.ts';
import { PolicyError, type PolicyStore } from './model.ts';
import { unlimited } from './versions/restore.ts';

export interface ExplainQuestion {
  /** Decoded segments below `data`. */
  readonly path: readonly string[];
  /** Absent: undefined. */
  readonly input?: RegoValue;
  readonly strictErrors: boolean;
  readonly level: TraceLevel;
  /** Throws when the caller may not see this bundle's sources and data. */
  readonly checkBundle: (name: string) => void;
}

export interface Explanation {
  readonly policy: PolicyRef;
  /** The rule's value; absent when it is undefined. */
  readonly result?: RegoValue;
  readonly trace: string;
  /** Lines that the policy printed. */
  readonly printed?: string;
}

/** Evaluates a rule again in OPA's interpreter, on the toolchain's thread, and says how it came about. */
export type Explain = (question: ExplainQuestion) => Promise<Explanation>;

const DEADLINE_MS = 10_000;
/** The toolchain does one thing at a time: pushes wait behind these. */
const MOST_WAITING = 4;
const TRACE_LENGTH = 4 << 20;

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

const cut = (trace: string): string =>
  trace.length <= TRACE_LENGTH
    ? trace
    : `${trace.slice(0, trace.lastIndexOf('\n', TRACE_LENGTH) + 1)}... the trace is longer: ${trace.length} characters\n`;

/** The sources and data of a version and of those that it is linked with, which own other roots. */
const sourcesOf = async (policy: PolicyStore, version: ActiveVersion): Promise<RegoSources> => {
  const read = async ({ name, version: number }: PolicyRef) =>
    prepareBundle(await readArchive(await policy.archive(name, number), unlimited));
  const own = await read(version);
  const modules: RegoFile[] = [...own.sources.served.modules];
  const regoVersions: { [path: string]: RegoVersion } = { ...own.sources.served.regoVersions };
  const reads: {
    readonly data: Uint8Array;
    readonly paths: readonly (readonly string[])[];
    readonly wanted: readonly [];
  }[] = [];
  for (const linked of version.links) {
    const { sources, data } = await read(linked);
    for (const { path, text } of sources.served.modules) {
      const place = `/${linked.name}@${linked.version}/${path}`;
      modules.push({ path: place, text });
      regoVersions[place] = sources.served.regoVersions?.[path] ?? sources.served.regoVersion ?? 1;
    }
    reads.push({ data: data.json, paths: [[]], wanted: [] });
  }
  const data = reads.length === 0 ? own.data.json : (await joinDataAside({ own: own.data.json, reads })).json;
  const { regoVersion } = own.sources.served;
  return { modules, regoVersions, data, ...(regoVersion === undefined ? {} : { regoVersion }) };
};

export const createExplain = (parts: { readonly policy: PolicyStore; readonly toolchain: Toolchain }): Explain => {
  const { policy, toolchain } = parts;
  let waiting = 0;

  const explain = async (question: ExplainQuestion): Promise<Explanation> => {
    const { path, input, strictErrors, level, checkBundle } = question;
    const active: ActivePolicy = policy.current;
    const version = versionOf(active.resolve(path), path.join('/'));
    for (const { name } of [version, ...version.links]) checkBundle(name);
    const query = `data${path.map((segment) => `[${JSON.stringify(segment)}]`).join('')}`;
    const { bindings, trace, printed } = await toolchain.evaluate(await sourcesOf(policy, version), query, {
      ...(input === undefined ? {} : { input }),
      strictErrors,
      trace: true,
      deadlineMs: DEADLINE_MS,
    });
    const result = bindings[0]?.result;
    const { name, version: number, digest, revision, dataRevision } = version;
    return {
      policy: { name, version: number, digest, revision, dataRevision },
      ...(result === undefined ? {} : { result }),
      trace: cut(traceAt(trace ?? '', level)),
      ...(printed === undefined || printed === '' ? {} : { printed }),
    };
  };

  return async (question) => {
    if (waiting >= MOST_WAITING)
      throw new PolicyError('EXPLAIN_BUSY', `${waiting} explanations are under way: try again in a moment`);
    waiting += 1;
    try {
      return await explain(question);
    } finally {
      waiting -= 1;
    }
  };
};
