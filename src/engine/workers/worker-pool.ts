import { messageOf } from '../../canonical/index.ts';
import type { PolicyImage, Task } from '../instance.ts';
import type { Evaluation, EvaluationErrorCode, WorkerStats } from '../model.ts';
import type { NetworkThread } from '../network/network-thread.ts';
import { EvaluationScope } from '../scope.ts';
import type { WorkerOptions } from '../settings.ts';
import { EvaluationThread } from './evaluation-thread.ts';

const awaited = (): PromiseWithResolvers<void> => {
  const first = Promise.withResolvers<void>();
  // Whoever asks is told; a pool that nobody asks yet fails in silence.
  first.promise.catch(() => {});
  return first;
};

/** Milliseconds that a job may wait for a worker, and that it may run. */
export interface Deadlines {
  readonly waitMs: number;
  readonly runMs: number;
}

interface Job {
  readonly version: number;
  readonly task: Task;
  readonly deadlines: Deadlines;
  readonly done: (evaluation: Evaluation) => void;
  /** Ends it: first while it waits, then while it runs. */
  timer?: NodeJS.Timeout;
}

interface Member {
  readonly thread: EvaluationThread;
  ready: boolean;
  job?: Job;
}

const failed = (task: Task, code: EvaluationErrorCode, message: string): Evaluation => ({
  kind: 'failed',
  code,
  message,
  basis: new EvaluationScope(task.nowNs).basis(0),
});

/**
 * Worker threads for evaluations that the deciding thread must not run. At most `count` evaluate one version at a time;
 * `spare` more are kept ready, for another version, and to take the place of a terminated one without a start. Where
 * nobody wants all at once, they start one after the other, and none beside an evaluation, unless a job waits for it: a
 * start takes as long as a hostile evaluation, and on few cores from it. Jobs of one version run in order of arrival.
 */
export class WorkerPool {
  private rego: WebAssembly.Module | undefined;
  private readonly network: NetworkThread | undefined;
  private readonly options: Required<WorkerOptions>;
  private readonly members = new Set<Member>();
  private readonly images = new Map<number, PolicyImage>();
  private readonly waiting: Job[] = [];
  private closed = false;
  private replaced = 0;
  private readonly idle = new Set<() => void>();
  private first = awaited();

  constructor(options: Required<WorkerOptions>, network?: NetworkThread) {
    this.network = network;
    this.options = options;
  }

  /** Resolves once a worker is ready; rejects when none can start. */
  started(): Promise<void> {
    if (this.members.size === 0) this.fill();
    return this.first.promise;
  }

  /** Starts all threads at once; resolves once one is ready, rejects when none can start. */
  full(): Promise<void> {
    while (!this.closed && this.members.size < this.size) this.start();
    return this.first.promise;
  }

  /** Gives every worker, present and future, OPA's Go builtins. */
  provide(rego: WebAssembly.Module): void {
    if (this.rego !== undefined) return;
    this.rego = rego;
    for (const { thread } of this.members) thread.post({ kind: 'go', rego });
  }

  /** Makes a version known to every worker, present and future. */
  load(version: number, image: PolicyImage): void {
    this.images.set(version, image);
    for (const { thread } of this.members) thread.post({ kind: 'load', version, image });
  }

  unload(version: number): void {
    this.images.delete(version);
    for (const { thread } of this.members) thread.post({ kind: 'unload', version });
  }

  /** Never rejects. The wait counts from when the first worker is ready. */
  evaluate(version: number, task: Task, deadlines: Deadlines): Promise<Evaluation> {
    return new Promise((done) => {
      if (this.closed) return done(failed(task, 'engine_error', 'the engine is closed'));
      if (this.waiting.length >= this.options.queued && !this.makeRoom(version)) {
        return done(failed(task, 'engine_error', `${this.waiting.length} evaluations wait for a worker already`));
      }
      const job: Job = { version, task, deadlines, done };
      this.waiting.push(job);
      const limitWait = (): void => {
        if (this.waiting.includes(job)) job.timer = setTimeout(() => this.giveUp(job), deadlines.waitMs);
      };
      this.started().then(limitWait, limitWait);
      this.dispatch();
      this.fill();
    });
  }

  /** Resolves once no job of the version runs or waits. */
  async settled(version: number): Promise<void> {
    const busy = (): boolean =>
      this.waiting.some((job) => job.version === version) ||
      [...this.members].some(({ job }) => job?.version === version);
    while (busy()) await new Promise<void>((resolve) => this.idle.add(resolve));
  }

  stats(): WorkerStats {
    return { threads: this.members.size, waiting: this.waiting.length, replaced: this.replaced };
  }

  /** Ends all threads; what runs or waits fails. */
  async close(): Promise<void> {
    this.closed = true;
    const members = [...this.members];
    this.members.clear();
    for (const member of members) this.finish(member, 'engine_error', 'the engine is closed');
    this.failWaiting('the engine is closed');
    await Promise.all(members.map(({ thread }) => thread.end()));
  }

  /** In a full queue the version with most jobs gives way to one with fewer: its last job fails. */
  private makeRoom(version: number): boolean {
    const counts = new Map<number, number>([[version, 1]]);
    for (const job of this.waiting) counts.set(job.version, (counts.get(job.version) ?? 0) + 1);
    const most = Math.max(...counts.values());
    if (counts.get(version) === most) return false;
    const last = this.waiting.findLastIndex((job) => counts.get(job.version) === most);
    const [job] = this.waiting.splice(last, 1);
    if (job !== undefined) {
      clearTimeout(job.timer);
      job.done(failed(job.task, 'engine_error', 'the evaluations that wait for a worker were too many'));
    }
    return true;
  }

  private get size(): number {
    return this.options.count + this.options.spare;
  }

  /** Starts the next thread, if there are to be more and it is the time for it. */
  private fill(): void {
    const members = [...this.members];
    if (members.length >= this.size) return;
    if (members.some(({ ready }) => !ready)) return;
    if (this.waiting.length > 0 || members.every(({ job }) => job === undefined)) this.start();
  }

  private start(): void {
    if (this.closed) return;
    const start = {
      ...(this.rego === undefined ? {} : { rego: this.rego }),
      ...(this.network === undefined ? {} : { network: this.network.line() }),
    };
    const thread: EvaluationThread = new EvaluationThread(start, {
      ready: () => {
        member.ready = true;
        this.first.resolve();
        this.dispatch();
        this.fill();
      },
      lost: (reason) => this.lost(member, reason),
    });
    const member: Member = { thread, ready: false };
    this.members.add(member);
    for (const [version, image] of this.images) thread.post({ kind: 'load', version, image });
  }

  private dispatch(): void {
    for (const member of this.members) {
      if (!member.ready || member.job !== undefined) continue;
      const job = this.nextJob();
      if (job === undefined) return;
      this.run(member, job);
    }
  }

  /**
   * The job that may run now: the first of a version that runs nowhere, and otherwise the first of all while fewer than
   * `count` run. So a version whose every job takes its whole deadline leaves the spare to the others.
   */
  private nextJob(): Job | undefined {
    const running = [...this.members].flatMap(({ job }) => (job === undefined ? [] : [job.version]));
    const idle = this.waiting.findIndex(({ version }) => !running.includes(version));
    const at = idle >= 0 || running.length >= this.options.count ? idle : 0;
    return at < 0 ? undefined : this.waiting.splice(at, 1)[0];
  }

  private run(member: Member, job: Job): void {
    member.job = job;
    clearTimeout(job.timer);
    job.timer = setTimeout(() => this.miss(member), job.deadlines.runMs);
    const { version, task, deadlines } = job;
    const deadlineMs = deadlines.runMs;
    member.thread.evaluate({ kind: 'evaluate', version, task, deadlineMs }, (evaluation) => {
      this.release(member);
      job.done(evaluation);
      this.dispatch();
      this.fill();
    });
  }

  private release(member: Member): void {
    clearTimeout(member.job?.timer);
    delete member.job;
    this.wake();
  }

  private wake(): void {
    for (const resolve of this.idle) resolve();
    this.idle.clear();
  }

  private giveUp(job: Job): void {
    this.waiting.splice(this.waiting.indexOf(job), 1);
    const message = `no worker was free for ${job.deadlines.waitMs} ms`;
    job.done(failed(job.task, 'deadline_exceeded', message));
    this.wake();
  }

  /** Go code cannot be interrupted: the whole thread goes, and a spare takes its place. */
  private miss(member: Member): void {
    this.replaced++;
    this.members.delete(member);
    const deadline = member.job?.deadlines.runMs;
    this.finish(member, 'deadline_exceeded', `the evaluation took more than ${deadline} ms`);
    member.thread.end().catch(() => {});
    this.start();
    this.dispatch();
  }

  private lost(member: Member, reason: unknown): void {
    this.replaced++;
    this.members.delete(member);
    const memory = (reason as { readonly code?: unknown }).code === 'ERR_WORKER_OUT_OF_MEMORY';
    this.finish(
      member,
      memory ? 'memory_exceeded' : 'engine_error',
      `an evaluation worker ended: ${messageOf(reason)}`,
    );
    // A thread that ends before it is ready would end again: no new one until somebody asks.
    if (member.ready) this.start();
    else if (this.members.size === 0) {
      this.first.reject(reason);
      this.first = awaited();
      this.failWaiting(`no evaluation worker can start: ${messageOf(reason)}`);
    }
    this.dispatch();
  }

  private finish(member: Member, code: EvaluationErrorCode, message: string): void {
    const { job } = member;
    this.release(member);
    job?.done(failed(job.task, code, message));
  }

  private failWaiting(message: string): void {
    for (const job of this.waiting.splice(0)) {
      clearTimeout(job.timer);
      job.done(failed(job.task, 'engine_error', message));
    }
    this.wake();
  }
}
