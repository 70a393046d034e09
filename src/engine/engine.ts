import type { Clock } from '../canonical/index.ts';
import { messageOf } from '../canonical/index.ts';
import { compileRegoModule, goBuiltins, opaVersion } from '../rego/index.ts';
import { typescriptBuiltins } from './builtins/index.ts';
import type { BuiltinTable } from './builtins/model.ts';
import { failureOf } from './failure.ts';
import type { PolicyImage } from './instance.ts';
import { LoadedVersion } from './loaded-module.ts';
import { hostBuiltins, LocalEvaluator } from './local-evaluator.ts';
import type { Budget, Engine, LoadedModule, ModuleSource, WorkerStats } from './model.ts';
import { ModuleError } from './model.ts';
import type { WorkerOptions } from './settings.ts';
import { compilePolicy } from './wasm/policy-module.ts';
import { loadDataImage } from './workers/image-thread.ts';
import { WorkerPool } from './workers/worker-pool.ts';

export interface EngineOptions {
  readonly budget: Budget;
  readonly clock: Clock;
  readonly workers: WorkerOptions;
  /** Builtins on the deciding thread; default: the TypeScript ones, which evaluation workers use in any case. */
  readonly builtins?: BuiltinTable;
}

const defaultQueued = 1_000;

/** Bundles that are counted each by itself; names come from whoever pushes. */
const mostCounted = 1_000;

// They need the network, which no evaluation has.
const notProvided: ReadonlySet<string> = new Set(['http.send', 'net.lookup_ip_addr']);

/** Refuses builtins that neither the table nor OPA's own code has, by name. */
const checkBuiltins = (source: ModuleSource, names: readonly string[], table: BuiltinTable): void => {
  for (const name of names) {
    if (table.has(name)) continue;
    if (notProvided.has(name)) {
      throw new ModuleError('MODULE_BUILTIN_UNKNOWN', `${source.name}: the builtin ${name} is not provided yet`);
    }
    if (!goBuiltins.has(name)) {
      throw new ModuleError('MODULE_BUILTIN_UNKNOWN', `${source.name}: ${name} is no builtin of OPA ${opaVersion}`);
    }
  }
};

interface Inside {
  readonly builtins: readonly string[];
  readonly entrypoints: ReadonlyMap<string, number>;
}

/** Makes the first instance and looks inside: a module that cannot even start is refused. */
const firstInstance = async (local: LocalEvaluator): Promise<Inside> => {
  try {
    const { builtinNames, entrypoints } = await local.open();
    return { builtins: builtinNames.filter((name) => name !== undefined), entrypoints };
  } catch (thrown) {
    if (thrown instanceof ModuleError) throw thrown;
    const why = `the module does not start: ${failureOf(thrown).message}`;
    throw new ModuleError('MODULE_FOREIGN', why, { cause: thrown });
  }
};

/** The entrypoints that can reach a builtin which the deciding thread does not have. */
const onWorkers = (source: ModuleSource, inside: Inside, table: BuiltinTable): ReadonlySet<string> => {
  const far = inside.builtins.filter((name) => !table.has(name));
  const needsWorker = (entrypoint: string): boolean => {
    const reached = source.reach?.get(entrypoint);
    return far.some((name) => reached === undefined || reached.includes(name));
  };
  return new Set([...inside.entrypoints.keys()].filter(needsWorker));
};

class WasmEngine implements Engine {
  private readonly options: EngineOptions;
  private readonly table: BuiltinTable;
  private readonly modules = new Set<LoadedModule>();
  private pool: Promise<WorkerPool> | undefined;
  private started: WorkerPool | undefined;
  private readonly used = new Map<string, number>();
  private versions = 0;
  private closed = false;

  constructor(options: EngineOptions) {
    this.options = options;
    this.table = options.builtins ?? typescriptBuiltins;
  }

  async load(source: ModuleSource): Promise<LoadedModule> {
    const { budget, clock } = this.options;
    const policy = await compilePolicy(source.wasm);
    const image: PolicyImage = { policy, data: await loadDataImage(policy, source.data), budget };
    const local = new LocalEvaluator(image, hostBuiltins(this.table));
    const inside = await firstInstance(local);
    checkBuiltins(source, inside.builtins, this.table);
    const onWorker = onWorkers(source, inside, this.table);
    const threads = onWorker.size === 0 ? undefined : await this.workerPool(source);
    if (this.closed) throw new ModuleError('MODULE_INVALID', `${source.name}: the engine is closed`);
    const version = this.versions++;
    threads?.load(version, image);
    const loaded: LoadedModule = new LoadedVersion({
      ...inside,
      ...(threads === undefined ? {} : { threads }),
      clock,
      local,
      onWorker,
      version,
      budget,
      used: (points) => this.count(source.name.replace(/@.*/, ''), points),
      closed: () => this.modules.delete(loaded),
    });
    this.modules.add(loaded);
    return loaded;
  }

  points(): ReadonlyMap<string, number> {
    return this.used;
  }

  workers(): WorkerStats {
    return this.started?.stats() ?? { threads: 0, waiting: 0, replaced: 0 };
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.modules].map((loaded) => loaded.close()));
    const pool = await this.pool?.catch(() => undefined);
    await pool?.close();
  }

  private count(bundle: string, points: number): void {
    const name = this.used.has(bundle) || this.used.size < mostCounted ? bundle : 'other';
    this.used.set(name, (this.used.get(name) ?? 0) + points);
  }

  private async workerPool(source: ModuleSource): Promise<WorkerPool> {
    this.pool ??= this.startPool();
    try {
      return await this.pool;
    } catch (thrown) {
      this.pool = undefined;
      const why = `${source.name}: it needs builtins that run in OPA's own code, which is not at hand`;
      throw new ModuleError('MODULE_BUILTIN_UNKNOWN', `${why}: ${messageOf(thrown)}`, { cause: thrown });
    }
  }

  private async startPool(): Promise<WorkerPool> {
    const rego = await compileRegoModule();
    const pool = new WorkerPool(rego, { queued: defaultQueued, ...this.options.workers });
    await pool.started();
    this.started = pool;
    return pool;
  }
}

/** Opens an engine. Nothing runs until a module is loaded, and no worker starts until a module needs one. */
export const openEngine = (options: EngineOptions): Engine => new WasmEngine(options);
