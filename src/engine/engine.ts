import type { Clock } from '../canonical/index.ts';
import { messageOf } from '../canonical/index.ts';
import { compileRegoModule, goBuiltins, opaVersion } from '../rego/index.ts';
import { typescriptBuiltins } from './builtins/index.ts';
import type { BuiltinTable } from './builtins/model.ts';
import { shared } from './data-image.ts';
import { failureOf } from './failure.ts';
import type { PolicyImage } from './instance.ts';
import { PolicyInstance } from './instance.ts';
import { LoadedVersion } from './loaded-module.ts';
import { hostBuiltins, LocalEvaluator } from './local-evaluator.ts';
import type {
  Budget,
  CheckedJson,
  Engine,
  EvaluationPlaces,
  LoadedModule,
  ModuleSource,
  WorkerStats,
} from './model.ts';
import { ModuleError } from './model.ts';
import { AllowedHosts } from './network/allowed.ts';
import type { NetworkCounts, NetworkSettings } from './network/model.ts';
import { networkNames } from './network/model.ts';
import { NetworkThread } from './network/network-thread.ts';
import type { WorkerOptions } from './settings.ts';
import type { PolicyModule } from './wasm/policy-module.ts';
import { compilePolicy } from './wasm/policy-module.ts';
import type { Original } from './workers/image-thread.ts';
import { inlineBytes, loadDataImage } from './workers/image-thread.ts';
import { WorkerPool } from './workers/worker-pool.ts';

export interface EngineOptions {
  readonly budget: Budget;
  readonly clock: Clock;
  readonly workers: WorkerOptions;
  /**
   * Milliseconds after the first module was loaded at which a worker is started, needed or not, where spares are to be
   * kept. Default: none starts before it is needed.
   */
  readonly aheadMs?: number;
  /** What policies may reach; default: nothing. */
  readonly network?: NetworkSettings;
  /** Whether evaluations may be asked for now; while not, large data is read where it is loaded. Default: once a module is loaded. */
  readonly isServing?: () => boolean;
  /** Builtins on the deciding thread; default: the TypeScript ones, which evaluation workers use in any case. */
  readonly builtins?: BuiltinTable;
}

const defaultQueued = 1_000;

/** Bundles that are counted each by itself; names come from whoever pushes. */
const mostCounted = 1_000;

/** Refuses builtins that neither the table nor OPA's own code has, by name. */
const checkBuiltins = (source: ModuleSource, names: readonly string[], table: BuiltinTable, online: boolean): void => {
  for (const name of names) {
    if (table.has(name)) continue;
    if (networkNames.has(name) && !online) {
      const why = 'needs the network, and engine.network.hosts allows no host';
      throw new ModuleError('MODULE_BUILTIN_UNKNOWN', `${source.name}: ${name} ${why}`);
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

/** Asks once, and then no longer keeps what is asked. */
const once = <Made>(make: () => Made): (() => Made) => {
  let pending: (() => Made) | undefined = make;
  let made: Made | undefined;
  return () => {
    made ??= pending?.();
    pending = undefined;
    return made as Made;
  };
};

/** What a module was loaded from: all that can be used again for the version that follows it. */
interface Origin {
  readonly wasm: Uint8Array;
  readonly policy: PolicyModule;
  readonly original: () => Original;
}

interface Started {
  readonly image: () => PolicyImage;
  readonly local: LocalEvaluator;
  readonly inside: Inside;
  readonly origin: Origin;
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

/** The entrypoints that can reach one of these builtins. */
const reaching = (source: ModuleSource, inside: Inside, isOne: (name: string) => boolean): ReadonlySet<string> => {
  const wanted = inside.builtins.filter(isOne);
  const reachesOne = (entrypoint: string): boolean => {
    const reached = source.reach?.get(entrypoint);
    return wanted.some((name) => reached === undefined || reached.includes(name));
  };
  return new Set([...inside.entrypoints.keys()].filter(reachesOne));
};

class WasmEngine implements Engine {
  private readonly options: EngineOptions;
  private readonly table: BuiltinTable;
  private readonly modules = new Set<LoadedModule>();
  private readonly origins = new WeakMap<LoadedModule, Origin>();
  private pool: WorkerPool | undefined;
  private ahead: NodeJS.Timeout | undefined;
  private readonly placed = { deciding: 0, worker: 0, moved: 0 };
  private readonly lines: NetworkThread | undefined;
  private readonly allowed: AllowedHosts;
  private readonly used = new Map<string, number>();
  private readonly versionsOf = new Map<string, number>();
  private versions = 0;
  private closed = false;

  constructor(options: EngineOptions) {
    this.options = options;
    this.table = options.builtins ?? typescriptBuiltins;
    const { network } = options;
    this.allowed = new AllowedHosts(network?.hosts ?? []);
    this.lines = network === undefined || network.hosts.length === 0 ? undefined : new NetworkThread(network);
  }

  get network(): boolean {
    return this.lines !== undefined;
  }

  networkCounts(): NetworkCounts {
    return this.lines?.counts() ?? { answered: 0, failed: 0, refused: 0, reused: 0, cache_hit: 0 };
  }

  allowsHost(host: string): boolean {
    return this.allowed.allows(host);
  }

  async load(source: ModuleSource): Promise<LoadedModule> {
    const { budget, clock } = this.options;
    const bundle = source.name.replace(/@.*/, '');
    const { image, local, inside, origin } = await this.start(source, bundle);
    checkBuiltins(source, inside.builtins, this.table, this.network);
    const onWorker = reaching(source, inside, (name) => !this.table.has(name));
    const online = reaching(source, inside, (name) => networkNames.has(name));
    if (onWorker.size > 0) await this.startGo(source);
    if (this.closed) throw new ModuleError('MODULE_INVALID', `${source.name}: the engine is closed`);
    const version = this.versions++;
    const loaded: LoadedModule = new LoadedVersion({
      ...inside,
      threads: () => {
        const pool = this.workerPool();
        pool.load(version, image());
        return pool;
      },
      clock,
      local,
      onWorker,
      online,
      version,
      budget,
      used: (points) => this.count(bundle, points),
      placed: (place) => {
        this.placed[place]++;
      },
      closed: () => {
        this.modules.delete(loaded);
        this.leave(bundle);
      },
    });
    this.modules.add(loaded);
    this.startAhead();
    this.origins.set(loaded, origin);
    this.versionsOf.set(bundle, (this.versionsOf.get(bundle) ?? 0) + 1);
    return loaded;
  }

  /** Makes what is loaded of the version that it replaces, as far as the two have it in common. */
  private async start(source: ModuleSource, bundle: string): Promise<Started> {
    const { wasm, data, replaces } = source;
    const known = replaces === undefined ? undefined : this.origins.get(replaces);
    const same = known !== undefined && Buffer.compare(known.wasm, wasm) === 0 ? known : undefined;
    const policy = same?.policy ?? (await compilePolicy(wasm));
    const isServing = this.options.isServing?.() ?? this.modules.size > 0;
    if (same === undefined && !isServing && data.length > inlineBytes) {
      // Of one that cannot even start, loading it as usual says why.
      const read = await this.readAlone(wasm, policy, data, bundle).catch(() => undefined);
      if (read !== undefined) return read;
    }
    const over = async (original?: Original): Promise<Started> => {
      const made = await loadDataImage({ policy, data, ...(original === undefined ? {} : { original }) });
      const whole: PolicyImage = { bundle, policy, data: made.image, budget: this.options.budget };
      const image = (): PolicyImage => whole;
      const local = new LocalEvaluator(image, hostBuiltins(this.table));
      return { image, local, inside: await firstInstance(local), origin: { wasm, policy, original: () => made } };
    };
    // What cannot be changed in place is loaded whole, and refused for what is wrong with it, if anything is.
    return same === undefined ? over() : over(same.original()).catch(() => over());
  }

  /**
   * The instance that evaluates first reads large data itself: a thread for that takes longer to start, and gives back
   * what has to be copied twice. For as long as nobody waits for an answer of this thread.
   */
  private async readAlone(
    wasm: Uint8Array,
    policy: PolicyModule,
    data: CheckedJson,
    bundle: string,
  ): Promise<Started | undefined> {
    const builtins = hostBuiltins(this.table);
    const read = PolicyInstance.reading({ bundle, policy, budget: this.options.budget }, data, builtins);
    if (read === undefined) return undefined;
    const image = once(read.image);
    const local = new LocalEvaluator(image, builtins, read.instance);
    const original = once((): Original => ({ image: image().data, text: shared(data) }));
    return { image, local, inside: await firstInstance(local), origin: { wasm, policy, original } };
  }

  points(): ReadonlyMap<string, number> {
    return this.used;
  }

  workers(): WorkerStats {
    return this.pool?.stats() ?? { threads: 0, waiting: 0, replaced: 0 };
  }

  places(): EvaluationPlaces {
    return this.placed;
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.ahead);
    await Promise.all([...this.modules].map((loaded) => loaded.close()));
    await this.pool?.close();
    await this.lines?.close();
  }

  /** Responses are kept from one version of a bundle to the next, and go with its last one. */
  private leave(bundle: string): void {
    const left = (this.versionsOf.get(bundle) ?? 1) - 1;
    if (left > 0) {
      this.versionsOf.set(bundle, left);
      return;
    }
    this.versionsOf.delete(bundle);
    this.lines?.forget(bundle);
  }

  private count(bundle: string, points: number): void {
    const name = this.used.has(bundle) || this.used.size < mostCounted ? bundle : 'other';
    this.used.set(name, (this.used.get(name) ?? 0) + points);
  }

  /** So that the first evaluation that is moved does not wait for a thread to start. */
  private startAhead(): void {
    const { aheadMs, workers } = this.options;
    if (aheadMs === undefined || workers.spare === 0) return;
    // Whoever needs the thread is told why none starts.
    this.ahead ??= setTimeout(
      () =>
        void this.workerPool()
          .started()
          .catch(() => {}),
      aheadMs,
    ).unref();
  }

  private workerPool(): WorkerPool {
    this.pool ??= new WorkerPool({ queued: defaultQueued, ...this.options.workers }, this.lines);
    return this.pool;
  }

  private async startGo(source: ModuleSource): Promise<void> {
    try {
      const rego = await compileRegoModule();
      const pool = this.workerPool();
      pool.provide(rego);
      // Nothing of Go is interrupted: another version is not to wait for a thread to start meanwhile.
      await pool.full();
    } catch (thrown) {
      const why = `${source.name}: it needs builtins that run in OPA's own code, which is not at hand`;
      throw new ModuleError('MODULE_BUILTIN_UNKNOWN', `${why}: ${messageOf(thrown)}`, { cause: thrown });
    }
  }
}

/** Opens an engine. Nothing runs until a module is loaded, and no worker starts until a module needs one. */
export const openEngine = (options: EngineOptions): Engine => new WasmEngine(options);
