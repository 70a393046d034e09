import { parentPort, workerData } from 'node:worker_threads';
import { instantiate } from './instance.ts';
import { type Progress, ToolchainError, type ToolchainErrorCode } from './model.ts';

/** What the worker is started with. */
export interface WorkerSettings {
  readonly module: WebAssembly.Module;
  readonly memoryBytes: number;
}

export type WorkerMessage =
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'reply'; readonly bytes: Uint8Array; readonly memoryBytes: number }
  | { readonly kind: 'crash'; readonly code: ToolchainErrorCode; readonly message: string };

const post = (message: WorkerMessage): void => parentPort?.postMessage(message);

const crash = (thrown: unknown): void => {
  if (!(thrown instanceof ToolchainError)) throw thrown;
  post({ kind: 'crash', code: thrown.code, message: thrown.message });
};

const start = ({ module, memoryBytes }: WorkerSettings): void => {
  const instance = instantiate(module, { memoryBytes, onProgress: (progress) => post({ kind: 'progress', progress }) });
  parentPort?.on('message', (request: Uint8Array) => {
    try {
      const bytes = instance.ask('operate', request, (answer) => Uint8Array.from(answer));
      post({ kind: 'reply', bytes, memoryBytes: instance.memoryBytes });
    } catch (thrown) {
      crash(thrown);
    }
  });
};

try {
  start(workerData as WorkerSettings);
} catch (thrown) {
  crash(thrown);
}
