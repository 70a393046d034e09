import { createRequire } from 'node:module';
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

/** What npm's own host answers with the same module: it has faults of its own, so it only says whose a difference is. */
export const sdkAnswer = async (
  wasm: Uint8Array,
  data: Uint8Array,
  path: string,
  input: string | null,
): Promise<string> => {
  try {
    const policy = await loadPolicy(wasm);
    policy.setData(JSON.parse(Buffer.from(data).toString()));
    const [found] = policy.evaluate(input === null ? undefined : JSON.parse(input), path);
    return found === undefined ? 'undefined' : JSON.stringify(found.result);
  } catch (thrown) {
    return `failed:${thrown instanceof Error ? thrown.message : String(thrown)}`;
  }
};
