import { receiveMessageOnPort } from 'node:worker_threads';
import { decodeTerms, encodeTerms } from '../../rego/index.ts';
import type { CallCost } from '../builtins/model.ts';
import { BuiltinError } from '../builtins/model.ts';
import { EvaluationFailure } from '../failure.ts';
import type { HostBuiltin } from '../host-builtins.ts';
import type { NetworkAnswer, NetworkCall, NetworkLine } from '../network/model.ts';
import { networkNames } from '../network/model.ts';

const cost: CallCost = { call: 20_000, byte: 10 };

// The rest is for the evaluation itself: a worker that misses its deadline is ended.
const shareOfDeadline = 0.9;

/** http.send and net.lookup_ip_addr for an evaluation worker: the network thread does it, this thread waits. */
export class NetworkBuiltins {
  private readonly line: NetworkLine;
  private evaluation = 0;
  private calls = 0;
  private endMs = 0;

  constructor(line: NetworkLine) {
    this.line = line;
    // Answers are taken while this thread waits for them: no listener, and nothing that keeps it alive.
    line.port.unref();
  }

  /** A new evaluation, which has so many milliseconds. */
  begin(deadlineMs: number): void {
    this.evaluation++;
    this.endMs = performance.now() + deadlineMs * shareOfDeadline;
  }

  builtin(name: string): HostBuiltin | undefined {
    if (!networkNames.has(name)) return undefined;
    return {
      name,
      nonDeterministic: true,
      cost,
      run: (scope, operands) => {
        scope.markVolatile();
        const answer = this.ask(name, encodeTerms(operands));
        if (answer.kind === 'error') throw new BuiltinError(answer.message);
        return decodeTerms(answer.value)[0];
      },
    };
  }

  private ask(builtin: string, operands: Uint8Array): NetworkAnswer {
    const { port, signal } = this.line;
    const { evaluation } = this;
    const id = ++this.calls;
    Atomics.store(signal, 0, 0);
    const call: NetworkCall = { id, evaluation, builtin, operands, limitMs: this.endMs - performance.now() };
    port.postMessage(call);
    for (;;) {
      const received = receiveMessageOnPort(port) as { readonly message: NetworkAnswer } | undefined;
      // An answer that came too late for an earlier call is nobody's.
      if (received !== undefined && received.message.id === id) return received.message;
      const leftMs = this.endMs - performance.now();
      if (leftMs <= 0) throw new EvaluationFailure('deadline_exceeded', `${builtin}: no answer in time`);
      if (received === undefined && Atomics.wait(signal, 0, 0, leftMs) !== 'timed-out') Atomics.store(signal, 0, 0);
    }
  }
}
