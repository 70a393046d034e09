import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../canonical/index.ts';
import type { RegoValue } from '../../rego/index.ts';
import { decodeTerms, encodeTerms } from '../../rego/index.ts';
import { BuiltinError } from '../builtins/model.ts';
import { AllowedHosts } from './allowed.ts';
import type { Answered } from './http-send.ts';
import { httpSend } from './http-send.ts';
import { lookupIpAddr } from './lookup.ts';
import type { NetworkAnswer, NetworkCall, NetworkLine, NetworkSettings } from './model.ts';

const settings = workerData as NetworkSettings;
const allowed = new AllowedHosts(settings.hosts);

/** What the calls of one evaluation share. */
interface Evaluation {
  readonly id: number;
  readonly answered: Answered;
  readonly names: Map<string, Promise<RegoValue>>;
  requests: number;
}

const run = (call: NetworkCall, evaluation: Evaluation, signal: AbortSignal): Promise<RegoValue> => {
  const [operand] = decodeTerms(call.operands);
  if (call.builtin === 'net.lookup_ip_addr') {
    const key = String(operand);
    const found = evaluation.names.get(key) ?? lookupIpAddr(allowed, operand);
    evaluation.names.set(key, found);
    return found;
  }
  const count = (): void => {
    if (++evaluation.requests <= settings.requests) return;
    throw new BuiltinError(`an evaluation may send ${settings.requests} requests: engine.network.requests`);
  };
  return httpSend(operand, evaluation.answered, { allowed, responseBytes: settings.responseBytes, count, signal });
};

const answerTo = async (call: NetworkCall, evaluation: Evaluation, closed: AbortSignal): Promise<NetworkAnswer> => {
  const { id, limitMs } = call;
  try {
    const signal = AbortSignal.any([closed, AbortSignal.timeout(Math.max(1, Math.floor(limitMs)))]);
    return { id, kind: 'value', value: encodeTerms([await run(call, evaluation, signal)]) };
  } catch (error) {
    return { id, kind: 'error', message: messageOf(error) };
  }
};

const serve = ({ port, signal }: NetworkLine): void => {
  const closed = new AbortController();
  let evaluation: Evaluation | undefined;
  // The thread at the other end is gone: nobody waits for what is under way.
  port.on('close', () => closed.abort());
  port.on('message', (call: NetworkCall) => {
    if (evaluation?.id !== call.evaluation) {
      evaluation = { id: call.evaluation, answered: new Map(), names: new Map(), requests: 0 };
    }
    void answerTo(call, evaluation, closed.signal).then((answer) => {
      port.postMessage(answer);
      Atomics.store(signal, 0, 1);
      Atomics.notify(signal, 0);
    });
  });
};

parentPort?.on('message', serve);
