import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../canonical/index.ts';
import type { RegoValue } from '../../rego/index.ts';
import { decodeTerms, encodeTerms } from '../../rego/index.ts';
import { BuiltinError } from '../builtins/model.ts';
import { AllowedHosts } from './allowed.ts';
import { Connections } from './http/connections.ts';
import type { Answered, Sent } from './http/http-send.ts';
import { httpSend } from './http/http-send.ts';
import { ResponseCache } from './http/response-cache.ts';
import { lookupIpAddr } from './lookup.ts';
import type { NetworkAnswer, NetworkCall, NetworkEvent, NetworkLine, NetworkThreadData, ToNetwork } from './model.ts';
import { networkEvents } from './model.ts';

const { settings, counts } = workerData as NetworkThreadData;
const allowed = new AllowedHosts(settings.hosts);
const responses = new ResponseCache(settings.cacheBytes);
const connections = new Connections();

const tell = (event: NetworkEvent): void => {
  Atomics.add(counts, networkEvents.indexOf(event), 1n);
};

/** What the calls of one evaluation share. */
interface Evaluation {
  readonly id: number;
  readonly answered: Answered;
  readonly names: Map<string, Promise<RegoValue>>;
  requests: number;
}

const run = async (call: NetworkCall, evaluation: Evaluation, signal: AbortSignal): Promise<Sent> => {
  const [operand] = decodeTerms(call.operands);
  if (call.builtin === 'net.lookup_ip_addr') {
    const key = String(operand);
    const found = evaluation.names.get(key) ?? lookupIpAddr(allowed, operand);
    evaluation.names.set(key, found);
    return { value: await found };
  }
  const count = (): void => {
    if (++evaluation.requests <= settings.requests) return;
    throw new BuiltinError(`an evaluation may send ${settings.requests} requests: engine.network.requests`);
  };
  return httpSend(operand, {
    allowed,
    responseBytes: settings.responseBytes,
    tlsFiles: settings.tlsFiles,
    count,
    signal,
    answered: evaluation.answered,
    responses: responses.of(call.bundle),
    connections: connections.of(call.bundle),
    tell,
    nowMs: Number(call.nowNs / 1_000_000n),
  });
};

const answerTo = async (call: NetworkCall, evaluation: Evaluation, closed: AbortSignal): Promise<NetworkAnswer> => {
  const { id, limitMs } = call;
  try {
    const signal = AbortSignal.any([closed, AbortSignal.timeout(Math.max(1, Math.floor(limitMs)))]);
    const { value, endMs } = await run(call, evaluation, signal);
    return { id, kind: 'value', value: encodeTerms([value]), endMs };
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

parentPort?.on('message', (message: ToNetwork) => {
  if (!('forget' in message)) return serve(message);
  responses.forget(message.forget);
  connections.forget(message.forget);
});
