import { receiveMessageOnPort } from 'node:worker_threads';
import { decodeTerms, encodeTerms } from '../../rego/index.ts';
import type { CallCost } from '../builtins/model.ts';
import { BuiltinError } from '../builtins/model.ts';
import { EvaluationFailure } from '../failure.ts';
import type { HostBuiltin } from '../host-builtins.ts';
import type { CallingEvaluation, NetworkAnswer, NetworkCall, NetworkLine } from '../network/model.ts';
import { networkNames } from '../network/model.ts';

const cost: CallCost = { call: 20_000, byte: 10 };

// The rest is for the evaluation itself: a worker that misses its deadline is ended.
const shareOfDeadline = 0.9;

/** The end of an answer, after now in any case: what is past bounds no answer, and this one is to end at once. */
const endNs = (endMs: number, nowNs: bigint): bigint => {
  const end = Number.isFinite(endMs) ? BigInt(endMs) * 1_000_000n : 0n;
  return end > nowNs ? end : nowNs + 1n;
};

/** http.send and net.lookup_ip_addr for an evaluation worker: the network thread does it, this thread waits. */
export class NetworkBuiltins {
  private readonly line: NetworkLine;
  private evaluation = 0;
  private calls = 0;
  private endMs = 0;
  private calling: CallingEvaluation = { bundle: '', nowNs: 0n };

  constructor(line: NetworkLine) {
    this.line = line;
    // Answers are taken while this thread waits for them: no listener, and nothing that keeps it alive.
    line.port.unref();
  }

  /** A new evaluation, which has so many milliseconds. */
  begin(calling: CallingEvaluation, deadlineMs: number): void {
    this.evaluation++;
    this.calling = calling;
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
        // A ttl that METADATA declares does not outlive what the response says of itself.
        if (answer.endMs !== undefined) scope.addBoundary(endNs(answer.endMs, scope.nowNs));
        return decodeTerms(answer.value)[0];
      },
    };
  }

  private ask(builtin: string, operands: Uint8Array): NetworkAnswer {
    const { port, signal } = this.line;
    const { calling, evaluation } = this;
    const id = ++this.calls;
    Atomics.store(signal, 0, 0);
    const limitMs = this.endMs - performance.now();
    const call: NetworkCall = { ...calling, id, evaluation, builtin, operands, limitMs };
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
