import { Worker } from 'node:worker_threads';
import type { Evaluation } from '../model.ts';
import type { FromWorker, ToWorker, WorkerStart } from './protocol.ts';

const file = new URL(
  import.meta.url.endsWith('.ts') ? './evaluation-worker.ts' : './evaluation-worker.js',
  import.meta.url,
);

export interface ThreadEvents {
  ready(): void;
  /** It ended by itself, with what it said last. Not called after `end`. */
  lost(reason: unknown): void;
}

/** One worker thread. It evaluates one task at a time. */
export class EvaluationThread {
  private readonly worker: Worker;
  private done: ((evaluation: Evaluation) => void) | undefined;
  private ended = false;
  private reason: unknown;

  constructor(start: WorkerStart, events: ThreadEvents) {
    // No environment: nothing of this process's settings reaches what runs there.
    const transferList = start.network === undefined ? [] : [start.network.port];
    this.worker = new Worker(file, { workerData: start, transferList, env: {}, name: 'verdict-evaluation' });
    // An idle thread does not keep the process alive; one that starts does, since somebody may wait for it.
    this.worker.on('message', (message: FromWorker) => {
      if (this.ended) return;
      if (message.kind === 'evaluated') return this.answer(message.evaluation);
      this.worker.unref();
      events.ready();
    });
    this.worker.on('error', (thrown) => {
      this.reason = thrown;
    });
    this.worker.on('exit', (code) => {
      if (this.ended) return;
      this.ended = true;
      events.lost(this.reason ?? new Error(`an evaluation worker ended with code ${code}`));
    });
  }

  post(message: ToWorker): void {
    this.worker.postMessage(message);
  }

  /** Runs a task; `done` is called once, unless the thread ends before. */
  evaluate(message: Extract<ToWorker, { kind: 'evaluate' }>, done: (evaluation: Evaluation) => void): void {
    this.done = done;
    this.worker.ref();
    this.post(message);
  }

  async end(): Promise<void> {
    this.ended = true;
    await this.worker.terminate();
  }

  private answer(evaluation: Evaluation): void {
    const { done } = this;
    this.done = undefined;
    this.worker.unref();
    done?.(evaluation);
  }
}
