import { Worker } from 'node:worker_threads';
import { messageOf } from '../canonical/index.ts';
import { type CallOptions, ToolchainError } from './model.ts';
import { compileRegoModule } from './module-file.ts';
import type { WorkerMessage, WorkerSettings } from './toolchain-worker.ts';

const file = import.meta.url.endsWith('.ts') ? './toolchain-worker.ts' : './toolchain-worker.js';

// A worker that took most of its memory keeps it for ever: the next call gets a new one.
const retireShare = 0.5;

/** Go's deep recursion is the thread's too. */
const stackMb = 16;

export interface WorkerHost {
  /** Runs requests one at a time, in order. Rejects with ToolchainError; the next request gets a new worker then. */
  run(request: Uint8Array, options: CallOptions): Promise<Uint8Array>;
  /** Ends the present worker; the next request starts another. */
  replace(): void;
  /** Workers that ended before the host was closed. */
  restarts(): number;
  close(): Promise<void>;
}

export const workerHost = (settings: {
  readonly memoryBytes: number;
  readonly defaultDeadlineMs: number | undefined;
}): WorkerHost => {
  const { memoryBytes } = settings;
  let worker: Worker | undefined;
  let closed = false;
  let restarts = 0;
  let last: Promise<unknown> = Promise.resolve();
  let interrupt: ((error: ToolchainError) => void) | undefined;

  const replace = (): void => {
    if (worker !== undefined) restarts++;
    void worker?.terminate();
    worker = undefined;
  };

  const present = async (): Promise<Worker> => {
    if (worker) return worker;
    const workerData: WorkerSettings = { module: await compileRegoModule(memoryBytes), memoryBytes };
    if (closed) throw new ToolchainError('TOOLCHAIN_CLOSED', 'the toolchain was closed');
    const started = new Worker(new URL(file, import.meta.url), {
      workerData,
      resourceLimits: { stackSizeMb: stackMb },
    });
    // Between calls nobody listens: a worker that ends then is simply no longer there.
    started.on('error', () => {});
    started.on('exit', () => {
      if (worker !== started) return;
      worker = undefined;
      restarts++;
    });
    started.unref();
    worker = started;
    return started;
  };

  const exchange = (target: Worker, request: Uint8Array, options: CallOptions): Promise<Uint8Array> =>
    new Promise((resolve, reject) => {
      const deadlineMs = options.deadlineMs ?? settings.defaultDeadlineMs;
      let timer: NodeJS.Timeout | undefined;
      const settle = (): void => {
        clearTimeout(timer);
        interrupt = undefined;
        target.off('message', heard).off('error', crashed).off('exit', exited);
        target.unref();
      };
      const fail = (error: ToolchainError): void => {
        settle();
        replace();
        reject(error);
      };
      const crashed = (thrown: unknown): void =>
        fail(new ToolchainError('TOOLCHAIN_CRASHED', `the worker ended (${messageOf(thrown)})`, { cause: thrown }));
      interrupt = fail;
      const exited = (code: number): void => crashed(`exit code ${code}`);
      const heard = (message: WorkerMessage): void => {
        if (message.kind === 'progress') options.onProgress?.(message.progress);
        else if (message.kind === 'crash') fail(new ToolchainError(message.code, message.message));
        else {
          settle();
          if (message.memoryBytes > memoryBytes * retireShare) replace();
          resolve(message.bytes);
        }
      };
      target.on('message', heard).on('error', crashed).on('exit', exited);
      if (deadlineMs !== undefined) {
        const missed = new ToolchainError('TOOLCHAIN_DEADLINE', `OPA did not finish within ${deadlineMs / 1000} s`);
        timer = setTimeout(() => fail(missed), deadlineMs);
      }
      target.ref();
      target.postMessage(request);
    });

  return {
    run: (request, options) => {
      const turn = async (): Promise<Uint8Array> => {
        if (closed) throw new ToolchainError('TOOLCHAIN_CLOSED', 'the toolchain was closed');
        return exchange(await present(), request, options);
      };
      const mine = last.then(turn);
      last = mine.catch(() => {});
      return mine;
    },
    replace,
    restarts: () => restarts,
    close: async () => {
      closed = true;
      const ending = worker?.terminate();
      interrupt?.(new ToolchainError('TOOLCHAIN_CLOSED', 'the toolchain was closed'));
      worker = undefined;
      await ending;
    },
  };
};
