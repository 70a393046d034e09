import { setImmediate as othersDone } from 'node:timers/promises';
import type { Clock } from '../canonical/index.ts';
import { isTwin } from './builtins/natives/index.ts';
import type { Task } from './instance.ts';
import { checkJson } from './json/check.ts';
import type { LocalEvaluator } from './local-evaluator.ts';
import type { Budget, CheckedJson, Evaluation, EvaluationPlaces, EvaluationRequest, LoadedModule } from './model.ts';
import { EvaluationScope } from './scope.ts';
import { SlowEntrypoints } from './slow-entrypoints.ts';
import type { WorkerPool } from './workers/worker-pool.ts';

/** What a loaded version is made of. */
export interface LoadedParts {
  readonly clock: Clock;
  readonly local: LocalEvaluator;
  /** Paths and their numbers in the module. */
  readonly entrypoints: ReadonlyMap<string, number>;
  readonly builtins: readonly string[];
  /** The pool, which knows the version from then on. Called once, when something is to be evaluated there. */
  readonly threads: () => WorkerPool;
  /** The entrypoints that only workers can evaluate. */
  readonly onWorker: ReadonlySet<string>;
  /** Those of them that reach the network: nobody asks it for the sake of warmth. */
  readonly online: ReadonlySet<string>;
  /** The version's number in the pool. */
  readonly version: number;
  readonly budget: Budget;
  /** Told what each evaluation used. */
  readonly used: (points: number) => void;
  /** Told where each evaluation ended, and which were moved. */
  readonly placed: (place: keyof EvaluationPlaces) => void;
  /** Told once no evaluation of it runs any more. */
  readonly closed: () => void;
}

const warmInput = checkJson(Buffer.from('{"subject":{"id":"a","roles":[]},"action":"b","resource":{"id":"c"}}')).json;
const warmRounds = 3;

/** Points of one evaluation that warms, and of all of a module: some 2 ms, and 0.1 s. */
const warmPoints = 2_000_000;
const allWarmPoints = 100_000_000;

/** Deadlines that an evaluation may run which its points bound: a machine that is busy decides nothing. */
const patience = 10;

// Posting a part of a larger buffer would copy the whole of it.
const ownBytes = (input: CheckedJson): CheckedJson => Uint8Array.from(input) as CheckedJson;

/** A version that answers: here while that is short, and otherwise on a worker. */
export class LoadedVersion implements LoadedModule {
  readonly entrypoints: readonly string[];
  readonly builtins: readonly string[];
  private readonly parts: LoadedParts;
  private readonly slow: SlowEntrypoints;
  private threads: WorkerPool | undefined;
  private open = true;

  constructor(parts: LoadedParts) {
    this.parts = parts;
    this.slow = new SlowEntrypoints(parts.clock);
    this.entrypoints = [...parts.entrypoints.keys()].sort();
    this.builtins = parts.builtins.filter((name) => !isTwin(name)).sort();
  }

  evaluate(request: EvaluationRequest): Evaluation | Promise<Evaluation> {
    const { clock, entrypoints, onWorker, budget } = this.parts;
    const nowNs = clock.nowNs();
    const entrypoint = entrypoints.get(request.entrypoint);
    if (entrypoint === undefined || !this.open) {
      const message = this.open ? 'the module has no such entrypoint' : 'the module is closed';
      return { kind: 'failed', code: 'engine_error', message, basis: new EvaluationScope(nowNs).basis(0) };
    }
    const { below, input, strictErrors } = request;
    const own = request.instructions;
    const instructions = own === undefined ? budget.instructions : Math.min(own, budget.mostInstructions);
    const asked = { entrypoint, below, strictErrors, nowNs, instructions };
    const task: Task = input === undefined ? asked : { ...asked, input };
    if (onWorker.has(request.entrypoint)) return this.onThread(task, budget.deadlineMs);
    const endMs = budget.deadlineMs * patience;
    if (instructions <= budget.decidingInstructions) return this.here(task);
    if (this.slow.has(request.entrypoint)) return this.onThread(task, endMs);
    const tried = this.here({ ...task, instructions: budget.decidingInstructions });
    if (tried.kind !== 'failed') return tried;
    if (tried.code !== 'budget_exceeded' && tried.code !== 'memory_exceeded') return tried;
    this.slow.add(request.entrypoint);
    // More points would give it no more memory.
    if (tried.code === 'memory_exceeded') return tried;
    // Nothing of the try stays: neither what it drew at random nor the tokens that it saw.
    this.parts.placed('moved');
    return this.onThread(task, endMs);
  }

  private here(task: Task): Evaluation {
    const { local, placed, used } = this.parts;
    const evaluation = local.evaluate(task);
    placed('deciding');
    used(evaluation.basis.instructions);
    return evaluation;
  }

  private async onThread(task: Task, runMs: number): Promise<Evaluation> {
    const { budget, placed, threads, used, version } = this.parts;
    this.threads ??= threads();
    const posted = task.input === undefined ? task : { ...task, input: ownBytes(task.input) };
    const evaluation = await this.threads.evaluate(version, posted, { waitMs: budget.deadlineMs, runMs });
    placed('worker');
    used(evaluation.basis.instructions);
    return evaluation;
  }

  async warm(): Promise<void> {
    const { decidingInstructions, instructions: most } = this.parts.budget;
    const instructions = Math.min(warmPoints, decidingInstructions, most);
    let room = allWarmPoints;
    for (const entrypoint of this.entrypoints) {
      if (this.parts.online.has(entrypoint)) continue;
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
    const { closed, local, version } = this.parts;
    local.close();
    await this.threads?.settled(version);
    this.threads?.unload(version);
    closed();
  }
}
