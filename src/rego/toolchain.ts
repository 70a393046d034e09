import { opaVersion } from './builtin-names.ts';
import {
  type CallOptions,
  type Compiled,
  type NetworkAnswer,
  type NetworkCall,
  type NetworkOptions,
  RegoError,
  type RegoEvaluation,
  type RegoInspection,
  type RegoSources,
  type TestReport,
  type Toolchain,
  ToolchainError,
} from './model.ts';
import { defaultMemoryBytes, moduleDigest } from './module-file.ts';
import { problemsByPlace } from './problems.ts';
import { decodeReply, encodeRequest, type Reply, type Request } from './request.ts';
import { RegoObject, type RegoValue } from './value.ts';
import { BinaryReader } from './value-binary.ts';
import { workerHost } from './worker-host.ts';

export interface ToolchainOptions {
  /** Maximum of the module's memory, bytes; default 256 MiB. */
  readonly memoryBytes?: number;
  /** For calls that name none: milliseconds from the moment at which a call's turn has come. Default: no deadline. */
  readonly defaultDeadlineMs?: number;
}

const bindingsOf = (solutions: Uint8Array): RegoEvaluation['bindings'] => {
  const list = new BinaryReader(solutions).value() as readonly RegoValue[];
  return list.map((solution) => {
    const entries = solution instanceof RegoObject ? solution.entries : [];
    return Object.fromEntries(entries.map(([name, value]) => [String(name), value]));
  });
};

/** Calls of the network for one operation, which begins anew after each: others fail. */
const mostNetworkCalls = 100;

const noSources: RegoSources = { modules: [] };

/**
 * OPA's toolchain. Nothing is loaded before the first call; then its module is compiled (once per process) and runs
 * in a worker thread of its own, which does not keep the process alive between calls.
 */
export const openToolchain = (options: ToolchainOptions = {}): Toolchain => {
  const host = workerHost({
    memoryBytes: options.memoryBytes ?? defaultMemoryBytes,
    defaultDeadlineMs: options.defaultDeadlineMs,
  });

  const ask = async (request: Request, call: CallOptions = {}): Promise<Reply> => {
    const reply = decodeReply(await host.run(encodeRequest(request), call));
    if (reply.crash !== undefined) {
      // OPA panicked, and nobody knows in which state that left it.
      host.replace();
      const [first] = reply.crash.split('\n', 1);
      throw new ToolchainError('TOOLCHAIN_CRASHED', `OPA crashed (${first})`, { cause: reply.crash });
    }
    if (reply.problems !== undefined) throw new RegoError(problemsByPlace(reply.problems, request.sources.modules));
    return reply;
  };

  /** Asks, makes the calls of the network that the answer waits for, and asks again, until it waits for none. */
  const askOnline = async (request: Request, call: (CallOptions & NetworkOptions) | undefined): Promise<Reply> => {
    const made: (NetworkCall & NetworkAnswer)[] = [];
    if (call?.network === undefined) return ask(request, call);
    for (;;) {
      const closed = made.length >= mostNetworkCalls;
      const reply = await ask({ ...request, network: made, closed }, call);
      if (reply.wanted === undefined || closed) return reply;
      const isMade = (wanted: NetworkCall): boolean =>
        made.some(({ builtin, operand }) => builtin === wanted.builtin && operand === wanted.operand);
      for (const wanted of reply.wanted) if (!isMade(wanted)) made.push({ ...wanted, ...(await call.network(wanted)) });
    }
  };

  const compile = async (request: Request, call: CallOptions | undefined): Promise<Compiled> => {
    const { result, attachment } = await ask(request, call);
    return { wasm: attachment, ...(result as Omit<Compiled, 'wasm'>) };
  };

  return {
    get version() {
      return { opa: opaVersion, digest: moduleDigest() };
    },
    check: async (sources, call) =>
      (await ask({ op: 'check', sources, strict: call?.strict ?? false }, call)).result as RegoInspection,
    compile: (sources, entrypoints, call) => {
      const { reasons = false, regrouping } = call ?? {};
      const how = { reasons, ...(regrouping === undefined ? {} : { regrouping }) };
      return compile({ op: 'compile', sources, entrypoints, ...how }, call);
    },
    compileQuery: (sources, query, call) => compile({ op: 'compileQuery', sources, query }, call),
    test: async (sources, call) => {
      const asked = { coverage: call?.coverage ?? false, run: call?.run ?? '' };
      const { result, wanted } = await askOnline({ op: 'test', sources, ...asked }, call);
      return { ...(result as TestReport), ...(wanted && { refused: wanted }) };
    },
    format: async (file, call) => {
      const sources = { ...noSources, modules: [file], regoVersion: call?.regoVersion ?? 1 };
      return (await ask({ op: 'format', sources }, call)).result as string;
    },
    evaluate: async (sources, query, call) => {
      const { input, context, strictErrors, trace, steps, calls, explain } = call ?? {};
      const optional = {
        ...(input !== undefined && { input }),
        ...(context !== undefined && { context }),
        ...(calls !== undefined && { calls }),
        ...(explain !== undefined && { explain: explain.level, pretty: explain.pretty }),
      };
      const asked = { query, strict: strictErrors ?? false, trace: trace ?? false, steps: steps ?? false };
      const reply = await askOnline({ op: 'evaluate', sources, ...asked, ...optional }, call);
      const { attachment, result, wanted } = reply;
      const refused = wanted && { refused: wanted };
      return { bindings: bindingsOf(attachment), ...(result as Omit<RegoEvaluation, 'bindings'>), ...refused };
    },
    restarts: () => host.restarts(),
    close: () => host.close(),
  };
};
