import { type LoadResult, load, type Received } from '../../test/load/client.ts';
import type { Question } from '../scenario.ts';
import { type GrpcRequest, loadGrpc } from './grpc-load.ts';

/** What came back for one request. */
export interface Told {
  /** In the order of its questions. */
  readonly permits: readonly boolean[];
  /** Where the answer came from, as far as the server says so. */
  readonly cache?: string;
}

export interface AskOptions {
  readonly connections: number;
  /** The questions of the n-th request, or undefined when there are no more. */
  readonly next: (n: number) => Asked | undefined;
  /** Called with every answer; leaving it out saves the reading. */
  readonly onTold?: (told: Told, asked: Asked) => void;
}

/** One way to ask one server. */
export interface Lane {
  readonly server: string;
  readonly wire: Wire;
  /** True where the server answers a question that it has seen before from a cache. */
  readonly remembers: boolean;
  /** Rejects when a request fails. */
  ask(options: AskOptions): Promise<LoadResult>;
}

export const wires = ['http', 'grpc'] as const;
export type Wire = (typeof wires)[number];

/** The questions of one request: the same array again is the same request again. */
export interface Asked {
  readonly questions: readonly Question[];
  /** True for a batch: an array of one question is asked as one question otherwise. */
  readonly isBatch: boolean;
}

/** Bytes are made once for a request that is asked again. */
const remembered = <Bytes>(encode: (asked: Asked) => Bytes): ((asked: Asked) => Bytes) => {
  const known = new WeakMap<Asked, Bytes>();
  return (asked) => {
    const found = known.get(asked) ?? encode(asked);
    known.set(asked, found);
    return found;
  };
};

/** `next` as requests in bytes, and which questions the n-th of them asked. */
const numbered = <Bytes>(next: AskOptions['next'], encode: (asked: Asked) => Bytes) => {
  const asked = new Map<number, Asked>();
  return {
    request: (n: number): Bytes | undefined => {
      const one = next(n);
      if (one === undefined) return undefined;
      asked.set(n, one);
      return encode(one);
    },
    take: (n: number): Asked => {
      const one = asked.get(n) as Asked;
      asked.delete(n);
      return one;
    },
  };
};

export interface HttpLane {
  readonly server: string;
  readonly remembers?: boolean;
  readonly port: number;
  readonly encode: (asked: Asked) => Buffer;
  readonly read: (answer: Received, asked: Asked) => Told;
}

export const httpLane = ({ server, remembers = false, port, encode, read }: HttpLane): Lane => {
  const bytesOf = remembered(encode);
  return {
    server,
    remembers,
    wire: 'http',
    ask: async ({ connections, next, onTold }) => {
      const { request, take } = numbered(next, bytesOf);
      let refused: Received | undefined;
      const result = await load({
        port,
        connections,
        request: (n) => (refused === undefined ? request(n) : undefined),
        onAnswer: (answer, n) => {
          const asked = take(n);
          if (answer.status !== 200) refused = answer;
          else onTold?.(read(answer, asked), asked);
        },
      });
      if (refused !== undefined) throw new Error(`${server}: status ${refused.status}: ${refused.body.slice(0, 500)}`);
      if (result.unanswered > 0) throw new Error(`${server} left ${result.unanswered} requests unanswered`);
      return result;
    },
  };
};

export interface GrpcLane {
  readonly server: string;
  readonly remembers?: boolean;
  readonly port: number;
  readonly encode: (asked: Asked) => GrpcRequest;
  readonly read: (message: Buffer, asked: Asked) => Told;
}

export const grpcLane = ({ server, remembers = false, port, encode, read }: GrpcLane): Lane => {
  const bytesOf = remembered(encode);
  return {
    server,
    remembers,
    wire: 'grpc',
    ask: ({ connections, next, onTold }) => {
      const { request, take } = numbered(next, bytesOf);
      const onAnswer = (message: Buffer, n: number): void => {
        const asked = take(n);
        onTold?.(read(message, asked), asked);
      };
      return loadGrpc({ port, connections, request, onAnswer });
    },
  };
};
