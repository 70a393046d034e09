import { setImmediate as othersDone } from 'node:timers/promises';
import type { Clock } from '../canonical/index.ts';
import { isTwin } from './builtins/natives/index.ts';
import type { Task } from './instance.ts';
import { checkJson } from './json/check.ts';
import type { LocalEvaluator } from './local-evaluator.ts';
import type { Budget, CheckedJson, Evaluation, EvaluationRequest, LoadedModule } from './model.ts';
import { EvaluationScope } from './scope.ts';
import type { WorkerPool } from './workers/worker-pool.ts';

/** What a loaded version is made of. */
export interface LoadedParts {
  readonly clock: Clock;
  readonly local: LocalEvaluator;
  /** Paths and their numbers in the module. */
  readonly entrypoints: ReadonlyMap<string, number>;
  readonly builtins: readonly string[];
  /** Evaluates the entrypoints in `onWorker`; absent when there are none. */
  readonly threads?: WorkerPool;
  readonly onWorker: ReadonlySet<string>;
  /** The version's number in the pool. */
  readonly version: number;
  readonly budget: Budget;
  /** Told what each evaluation used. */
  readonly used: (points: number) => void;
  readonly closed: () => void;
}

const warmInput = checkJson(Buffer.from('{"subject":{"id":"a","roles":[]},"action":"b","resource":{"id":"c"}}')).json;
const warmRounds = 3;

/** Points of one evaluation that warms, and of all of a module: some 2 ms, and 0.1 s. */
const warmPoints = 2_000_000;
const allWarmPoints = 100_000_000;

// Posting a part of a larger buffer would copy the whole of it.
const ownBytes = (input: CheckedJson): CheckedJson => Uint8Array.from(input) as CheckedJson;

/** A version that answers: here, or on a worker where the entrypoint needs one. */
export class LoadedVersion implements LoadedModule {
  readonly entrypoints: readonly string[];
  readonly builtins: readonly string[];
  private readonly parts: LoadedParts;
  private open = true;

  constructor(parts: LoadedParts) {
    this.parts = parts;
    this.entrypoints = [...parts.entrypoints.keys()].sort();
    this.builtins = parts.builtins.filter((name) => !isTwin(name)).sort();
  }

  evaluate(request: EvaluationRequest): Evaluation | Promise<Evaluation> {
    const { clock, entrypoints, local, threads, onWorker, version, budget, used } = this.parts;
    const nowNs = clock.nowNs();
    const entrypoint = entrypoints.get(request.entrypoint);
    if (entrypoint === undefined || !this.open) {
      const message = this.open ? 'the module has no such entrypoint' : 'the module is closed';
      return { kind: 'failed', code: 'engine_error', message, basis: new EvaluationScope(nowNs).basis(0) };
    }
    const { below, input, strictErrors } = request;
    const own = request.instructions;
    const instructions = own === undefined ? budget.instructions : Math.min(own, budget.mostInstructions);
    const task: Task = { entrypoint, below, strictErrors, nowNs, instructions };
    if (threads !== undefined && onWorker.has(request.entrypoint)) {
      const posted = input === undefined ? task : { ...task, input: ownBytes(input) };
      return threads.evaluate(version, posted, budget.deadlineMs).then((evaluation) => {
        used(evaluation.basis.instructions);
        return evaluation;
      });
    }
    const evaluation = local.evaluate(input === undefined ? task : { ...task, input });
    used(evaluation.basis.instructions);
    return evaluation;
  }

  async warm(): Promise<void> {
    const instructions = Math.min(warmPoints, this.parts.budget.instructions);
    let room = allWarmPoints;
    for (const entrypoint of this.entrypoints) {
      for (const input of Array.from({ length: warmRounds }, () => [undefined, warmInput]).flat()) {
        const given = input === undefined ? {} : { input };
        const request = { entrypoint, below: [], strictErrors: false, instructions, ...given };
        const { kind, basis } = await this.evaluate(request);
        room -= basis.instructions;
        if (kind === 'failed') break;
      }
      if (room <= 0) break;
      await othersDone();
    }
    this.parts.local.refillLater();
  }

  async close(): Promise<void> {
    if (!this.open) return;
    this.open = false;
    const { closed, local, threads, version } = this.parts;
    closed();
    local.close();
    await threads?.settled(version);
    threads?.unload(version);
  }
}
