import type { PolicyImage, Task } from '../instance.ts';
import type { Evaluation } from '../model.ts';
import type { NetworkLine } from '../network/model.ts';

/** What a worker is started with. */
export interface WorkerStart {
  /** OPA's toolchain module, compiled, where some version needs its builtins. */
  readonly rego?: WebAssembly.Module;
  /** Where http.send and net.lookup_ip_addr are answered; absent while policies have no network. */
  readonly network?: NetworkLine;
}

export type ToWorker =
  /** What the worker was not started with. Comes before the first version that needs it. */
  | { readonly kind: 'go'; readonly rego: WebAssembly.Module }
  | { readonly kind: 'load'; readonly version: number; readonly image: PolicyImage }
  | { readonly kind: 'unload'; readonly version: number }
  | { readonly kind: 'evaluate'; readonly version: number; readonly task: Task; readonly deadlineMs: number };

export type FromWorker =
  | { readonly kind: 'ready' }
  /** The answer to the one evaluation that was asked for. */
  | { readonly kind: 'evaluated'; readonly evaluation: Evaluation };
