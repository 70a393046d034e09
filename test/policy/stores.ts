// A policy store on a temporary folder, with the real toolchain and the real engine.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../src/canonical/index.ts';
import { systemClock } from '../../src/canonical/index.ts';
import type { Engine, Evaluation, LoadedModule } from '../../src/engine/index.ts';
import { openEngine } from '../../src/engine/index.ts';
import type { LocalPolicyStore, PolicySettings, PolicyStoreOptions } from '../../src/policy/index.ts';
import { defaultPolicySettings, openPolicyStore } from '../../src/policy/index.ts';
import type { Toolchain } from '../../src/rego/index.ts';
import { openToolchain } from '../../src/rego/index.ts';
import type { Contents } from './archives.ts';
import { archiveOf } from './archives.ts';

const budget = {
  instructions: 10_000_000,
  decidingInstructions: 2_000_000,
  mostInstructions: 10_000_000,
  memoryBytes: 16_777_216,
  resultBytes: 1_048_576,
  argumentBytes: 1_048_576,
  deadlineMs: 5_000,
};

export const clock: Clock = { ...systemClock, nowMs: () => Date.parse('2026-01-02T03:04:05Z') };

export const testToolchain = (): Toolchain => openToolchain({ defaultDeadlineMs: 50_000 });

/** A toolchain that must not be needed. */
export const brokenToolchain = (version: Toolchain['version']): Toolchain =>
  new Proxy({ version } as Toolchain, {
    get: (target, name) => {
      if (name === 'version') return target.version;
      throw new Error(`the toolchain was asked to ${String(name)}`);
    },
  });

export interface Bench {
  readonly engine: Engine;
  readonly toolchain: Toolchain;
  /** Opens the store of a folder; stores and folders are gone after `end`. */
  open(options?: Partial<PolicyStoreOptions>): Promise<LocalPolicyStore>;
  readonly dir: string;
  readonly database: DatabaseSync;
  /** Another folder and catalog, as on a new machine. */
  fresh(): Promise<void>;
  end(): Promise<void>;
}

export const bench = (): Bench => {
  const engine = openEngine({ budget, clock, workers: { count: 1, spare: 0 } });
  const toolchain = testToolchain();
  const stores: LocalPolicyStore[] = [];
  const made: { dir: string; database: DatabaseSync }[] = [];
  const last = (): { dir: string; database: DatabaseSync } => made.at(-1)!;
  const fresh = async (): Promise<void> => {
    const dir = await mkdtemp(path.join(tmpdir(), 'verdict-store-'));
    made.push({ dir, database: new DatabaseSync(path.join(dir, 'catalog.db')) });
  };
  return {
    engine,
    toolchain,
    get dir() {
      return last().dir;
    },
    get database() {
      return last().database;
    },
    fresh,
    open: async (options = {}) => {
      const { dir, database } = last();
      const defaults = { dir, catalog: database, settings: defaultPolicySettings, toolchain, engine, clock };
      const store = await openPolicyStore({ ...defaults, ...options });
      stores.push(store);
      return store;
    },
    end: async () => {
      for (const store of stores) await store.close();
      for (const { dir, database } of made) {
        database.close();
        await rm(dir, { recursive: true, force: true });
      }
      await engine.close();
      await toolchain.close();
    },
  };
};

export const settings = (own: Partial<PolicySettings>): PolicySettings => ({ ...defaultPolicySettings, ...own });

export const push = async (store: LocalPolicyStore, name: string, contents: Contents, activate = true) =>
  store.push(name, await archiveOf(contents), { by: 'alice', activate });

/** The answer of a path that one rule answers, as JSON; `undefined` for undefined. */
export const ask = async (store: LocalPolicyStore, ...path: string[]): Promise<unknown> => {
  const found = store.current.resolve(path);
  if (found.kind === 'data') return JSON.parse(found.json);
  if (found.kind !== 'rule') return found.kind;
  const { version, entrypoint, below } = found.target;
  const answer = await evaluate(version.module, entrypoint, below);
  return answer.kind === 'defined' ? JSON.parse(answer.json) : answer.kind;
};

const evaluate = (module: LoadedModule, entrypoint: string, below: readonly string[]): Promise<Evaluation> =>
  Promise.resolve(module.evaluate({ entrypoint, below, strictErrors: false }));
