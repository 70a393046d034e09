import type { Clock } from '../canonical/index.ts';
import { messageOf } from '../canonical/index.ts';
import { compileRegoModule, goBuiltins, opaVersion } from '../rego/index.ts';
import { typescriptBuiltins } from './builtins/index.ts';
import type { BuiltinTable } from './builtins/model.ts';
import { failureOf } from './failure.ts';
import type { PolicyImage, Task } from './instance.ts';
import { checkJson } from './json/check.ts';
import { hostBuiltins, LocalEvaluator, warmUp } from './local-evaluator.ts';
import type { Budget, Engine, Evaluation, EvaluationRequest, LoadedModule, ModuleSource } from './model.ts';
import { ModuleError } from './model.ts';
import { EvaluationScope } from './scope.ts';
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

// They need the network, which no evaluation has.
const notProvided: ReadonlySet<string> = new Set(['http.send', 'net.lookup_ip_addr']);

const warmInput = checkJson(Buffer.from('{"subject":{"id":"a","roles":[]},"action":"b","resource":{"id":"c"}}')).json;

/** Opens an engine. Nothing runs until a module is loaded, and no worker starts until a module needs one. */
export const openEngine = (options: EngineOptions): Engine => {
  const { budget, clock, workers } = options;
  const table = options.builtins ?? typescriptBuiltins;
  const modules = new Set<LoadedModule>();
  let pool: Promise<WorkerPool> | undefined;
  let versions = 0;
  let closed = false;

  const workerPool = (): Promise<WorkerPool> => {
    pool ??= compileRegoModule().then(async (rego) => {
      const threads = new WorkerPool(rego, { queued: defaultQueued, ...workers });
      await threads.started();
      return threads;
    });
    pool.catch(() => {
      pool = undefined;
    });
    return pool;
  };

  const checkBuiltins = (source: ModuleSource, names: readonly string[]): void => {
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

  const poolFor = async (source: ModuleSource, names: readonly string[]): Promise<WorkerPool | undefined> => {
    const missing = names.filter((name) => !table.has(name));
    if (missing.length === 0) return undefined;
    try {
      return await workerPool();
    } catch (thrown) {
      const why = `${source.name}: ${missing.join(', ')} run in OPA's own code, which is not at hand: ${messageOf(thrown)}`;
      throw new ModuleError('MODULE_BUILTIN_UNKNOWN', why, { cause: thrown });
    }
  };

  const load = async (source: ModuleSource): Promise<LoadedModule> => {
    const policy = await compilePolicy(source.wasm);
    const image: PolicyImage = { policy, data: await loadDataImage(policy, source.data), budget };
    const local = new LocalEvaluator(image, hostBuiltins(table));
    const { builtinNames, entrypoints } = firstInstance(local);
    checkBuiltins(source, builtinNames);
    const threads = await poolFor(source, builtinNames);
    if (closed) throw new ModuleError('MODULE_INVALID', `${source.name}: the engine is closed`);
    const version = versions++;
    threads?.load(version, image);

    const onWorker = new Set<string>();
    for (const entrypoint of entrypoints.keys()) {
      const reached = source.reach?.get(entrypoint);
      const names = reached === undefined ? builtinNames : builtinNames.filter((name) => reached.includes(name));
      if (names.some((name) => !table.has(name))) onWorker.add(entrypoint);
    }

    const run = (entrypoint: string, task: Task): Evaluation | Promise<Evaluation> => {
      if (threads === undefined || !onWorker.has(entrypoint)) return local.evaluate(task);
      // Posting a part of a larger buffer would copy the whole of it.
      const input = task.input === undefined ? {} : { input: Uint8Array.from(task.input) as typeof task.input };
      return threads.evaluate(version, { ...task, ...input }, budget.deadlineMs);
    };

    const evaluate = (request: EvaluationRequest): Evaluation | Promise<Evaluation> => {
      const nowNs = clock.nowNs();
      const entrypoint = entrypoints.get(request.entrypoint);
      if (entrypoint === undefined || !modules.has(loaded)) {
        const message = entrypoint === undefined ? 'the module has no such entrypoint' : 'the module is closed';
        return { kind: 'failed', code: 'engine_error', message, basis: new EvaluationScope(nowNs).basis(0) };
      }
      const { below, input, strictErrors } = request;
      const task: Task = { entrypoint, below, strictErrors, nowNs, ...(input === undefined ? {} : { input }) };
      return run(request.entrypoint, task);
    };

    const loaded: LoadedModule = {
      entrypoints: [...entrypoints.keys()].sort(),
      builtins: [...builtinNames].sort(),
      evaluate,
      warm: async () => {
        const names = new Map([...entrypoints].map(([name, id]) => [id, name]));
        await warmUp(entrypoints.values(), (task) => run(names.get(task.entrypoint) ?? '', task), warmInput);
        local.refillLater();
      },
      close: async () => {
        if (!modules.delete(loaded)) return;
        local.close();
        await threads?.settled(version);
        threads?.unload(version);
      },
    };
    modules.add(loaded);
    return loaded;
  };

  return {
    load,
    close: async () => {
      closed = true;
      await Promise.all([...modules].map((loaded) => loaded.close()));
      const opened = await pool?.catch(() => undefined);
      await opened?.close();
    },
  };
};

/** Makes the first instance: a module that cannot even start is refused. */
const firstInstance = (
  local: LocalEvaluator,
): { readonly builtinNames: readonly string[]; readonly entrypoints: ReadonlyMap<string, number> } => {
  try {
    const { builtinNames, entrypoints } = local.current();
    return { builtinNames: builtinNames.filter((name) => name !== undefined), entrypoints };
  } catch (thrown) {
    if (thrown instanceof ModuleError) throw thrown;
    throw new ModuleError('MODULE_FOREIGN', `the module does not start: ${failureOf(thrown).message}`, {
      cause: thrown,
    });
  }
};
