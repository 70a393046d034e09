import { valueFromJson } from '../canonical/index.ts';
import type { EvaluationContext, NetworkAnswer, NetworkCall, RegoProblem, RegoSources } from './model.ts';
import type { TraceLevel } from './trace.ts';
import type { RegoValue } from './value.ts';
import { BinaryReader, BinaryWriter } from './value-binary.ts';

/** One authoring request, as the module takes it. */
export interface Request {
  readonly op: 'version' | 'check' | 'compile' | 'compileQuery' | 'test' | 'format' | 'evaluate';
  readonly sources: RegoSources;
  readonly query?: string;
  readonly entrypoints?: readonly string[];
  readonly strict?: boolean;
  readonly coverage?: boolean;
  readonly run?: string;
  readonly trace?: boolean;
  readonly steps?: boolean;
  readonly calls?: unknown;
  /** Calls of the network that were made for it; absent: it has none. */
  readonly network?: readonly (NetworkCall & NetworkAnswer)[];
  /** No more are made: others fail. */
  readonly closed?: boolean;
  readonly explain?: TraceLevel;
  readonly pretty?: boolean;
  readonly reasons?: boolean;
  readonly regrouping?: 'all' | 'none';
  readonly input?: RegoValue;
  readonly context?: EvaluationContext;
}

export interface Reply {
  readonly result?: unknown;
  readonly problems?: readonly RegoProblem[];
  /** OPA panicked: what it said. */
  readonly crash?: string;
  /** Calls of the network that were not made: nothing else is there while more may be made. */
  readonly wanted?: readonly NetworkCall[];
  readonly attachment: Uint8Array;
}

/** JSON first, then the attachments that it announces: data, input, seed. */
export const encodeRequest = ({ sources, input, context, ...rest }: Request): Uint8Array => {
  const version = sources.regoVersion ?? 1;
  const modules = sources.modules.map(({ path, text }) => ({
    path,
    text,
    version: sources.regoVersions?.[path] ?? version,
  }));
  const writer = new BinaryWriter();
  const { schemas } = sources;
  const header = {
    ...rest,
    ...(schemas === undefined ? {} : { schemas }),
    modules,
    version,
    data: sources.data !== undefined,
    input: input !== undefined,
  };
  const timed = { ...header, context: context !== undefined, nowNs: String(context?.nowNs ?? 0n) };
  writer.text(JSON.stringify(timed));
  if (sources.data !== undefined) writer.blob(sources.data);
  if (input !== undefined) {
    const value = new BinaryWriter();
    value.value(input);
    writer.blob(value.bytes);
  }
  if (context !== undefined) writer.blob(context.seed);
  return writer.bytes;
};

export const decodeReply = (bytes: Uint8Array): Reply => {
  const reader = new BinaryReader(bytes);
  const reply = valueFromJson(reader.text()) as Omit<Reply, 'attachment'>;
  return { ...reply, attachment: reader.blob() };
};
