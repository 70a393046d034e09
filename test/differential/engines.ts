import { createRequire } from 'node:module';
import { isDeepStrictEqual } from 'node:util';
import type { Answer, Decisions } from '../../src/decision/index.ts';
import { createDecisions, defaultCacheSettings } from '../../src/decision/index.ts';
import type { ActivePolicy, ActiveVersion } from '../../src/decision/model.ts';
import type { Engine, Evaluation, LoadedModule } from '../../src/engine/index.ts';
import { checkJson, defaultEngineSettings, engineOptions, openEngine } from '../../src/engine/index.ts';
import type { Compiled, InputRead } from '../../src/rego/index.ts';
import { stillClock } from '../engine/workbench.ts';
import { ask, memoryAudit } from '../support/decision.ts';

const checkedInput = (text: string | null) => (text === null ? {} : { input: checkJson(Buffer.from(text)).json });

export const openTestEngine = (): Engine => {
  const { budget, workers } = engineOptions(defaultEngineSettings);
  return openEngine({ budget: { ...budget, deadlineMs: 30_000 }, clock: stillClock, workers });
};

const textOf = (evaluation: Evaluation): string => {
  if (evaluation.kind === 'defined') return evaluation.json;
  return evaluation.kind === 'failed' ? `failed:${evaluation.code}` : 'undefined';
};

/** A module's own answer. */
export const evaluated = async (module: LoadedModule, entrypoint: string, input: string | null): Promise<string> =>
  textOf(await module.evaluate({ entrypoint, below: [], strictErrors: false, ...checkedInput(input) }));

/** The module as it is served: behind the cache, with what its rules read as its keys. */
export const served = (module: LoadedModule, { entrypoints }: Compiled): Decisions => {
  const reads = new Map<string, readonly InputRead[]>(entrypoints.map((one) => [one.path, one.reads]));
  const own = { name: 'all', version: 1, digest: 'd', revision: '', dataRevision: '', linkedDigest: '', links: [] };
  const version: ActiveVersion = { ...own, module, opaque: false };
  const active: ActivePolicy = {
    epoch: 1,
    versions: new Map([['all', version]]),
    resolve: (path) => {
      const entrypoint = path.join('/');
      const read = reads.get(entrypoint);
      if (read === undefined) return { kind: 'unknown' };
      return { kind: 'rule', target: { version, entrypoint, below: [], isResult: false, reads: read } };
    },
    authzenPath: () => undefined,
  };
  return createDecisions({
    policy: { current: active, onChange: () => {} },
    audit: memoryAudit().log,
    clock: stillClock,
    settings: { cache: defaultCacheSettings, onFailure: 'refuse' },
  });
};

export const decided = async (decisions: Decisions, path: string, input: string | null) => {
  const { verdict, cache }: Answer = await ask(decisions, path, input === null ? {} : { input });
  const text =
    verdict.kind === 'decided'
      ? verdict.result
      : verdict.kind === 'failed'
        ? `failed:${verdict.error.code}`
        : 'undefined';
  return { text, cache };
};

interface Sdk {
  setData(data: unknown): void;
  evaluate(input: unknown, entrypoint: string): readonly { readonly result?: unknown }[];
}

const { loadPolicy } = createRequire(import.meta.url)('@open-policy-agent/opa-wasm') as {
  loadPolicy(wasm: Uint8Array): Promise<Sdk>;
};

/** npm's own host with the same module. */
export interface SdkHost {
  /** JSON, `undefined` or `failed`; nothing where the module needs a builtin that the host does not have. */
  answer(path: string, input: string | null): string | undefined;
}

export const openSdk = async (wasm: Uint8Array, data: Uint8Array): Promise<SdkHost> => {
  const policy = await loadPolicy(wasm);
  policy.setData(JSON.parse(Buffer.from(data).toString()));
  return {
    answer: (path, input) => {
      try {
        const [found] = policy.evaluate(input === null ? undefined : JSON.parse(input), path);
        return found === undefined ? 'undefined' : JSON.stringify(found.result);
      } catch (thrown) {
        const message = String((thrown as { readonly message?: unknown }).message);
        return message.startsWith('not implemented: built-in function') ? undefined : 'failed';
      }
    },
  };
};

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

/** A value without the order of lists, since sets are lists then, and of members, also where it is a member's name. */
const unordered = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map((item) => JSON.stringify(unordered(item))).sort();
  if (typeof value !== 'object' || value === null) return value;
  const name = (text: string): string =>
    /^[-[{\d]/.test(text) && isJson(text) ? JSON.stringify(unordered(JSON.parse(text))) : text;
  const members = Object.entries(value).map(([key, item]) => [name(key), unordered(item)] as const);
  return Object.fromEntries(members.sort(([a], [b]) => (a < b ? -1 : 1)));
};

/** Whether npm's host means the same: it gives sets in any order, its numbers are JavaScript's, its failures have no codes. */
export const isSdkSame = (own: string, sdk: string): boolean => {
  const plain = (text: string): boolean => text === 'undefined' || text.startsWith('failed');
  if (plain(own) || plain(sdk)) return own.split(':')[0] === sdk;
  return isDeepStrictEqual(unordered(JSON.parse(own)), unordered(JSON.parse(sdk)));
};
