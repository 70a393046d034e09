import type { MessagePort } from 'node:worker_threads';

/** `engine.network`: what policies may reach with http.send and net.lookup_ip_addr. */
export interface NetworkSettings {
  /** Host names, addresses and ranges (`10.0.0.0/8`). Empty: policies have no network. */
  readonly hosts: readonly string[];
  /** Bytes of one response's body. */
  readonly responseBytes: number;
  /** Requests of one evaluation, each redirect and each further attempt counted. */
  readonly requests: number;
  /** Bytes of responses that are kept for later evaluations. */
  readonly cacheBytes: number;
  /** Files of certificates and keys that http.send may be told to use. */
  readonly tlsFiles: readonly string[];
}

/** What happens to requests of http.send: `cache_hit` is one that needed none. */
export const networkEvents = ['answered', 'failed', 'refused', 'reused', 'cache_hit'] as const;
export type NetworkEvent = (typeof networkEvents)[number];
export type NetworkCounts = { readonly [event in NetworkEvent]: number };

/** What the network thread is started with: `counts` has a place for each of the events above. */
export interface NetworkThreadData {
  readonly settings: NetworkSettings;
  readonly counts: BigUint64Array;
}

/** The builtins of OPA that need the network. */
export const networkNames: ReadonlySet<string> = new Set(['http.send', 'net.lookup_ip_addr']);

/** A thread that waits for answers: where it asks, and what wakes it. */
export interface NetworkLine {
  readonly port: MessagePort;
  readonly signal: Int32Array;
}

/** What the network thread is told: a line to serve, or a bundle whose responses nobody wants any more. */
export type ToNetwork = NetworkLine | { readonly forget: string };

/** An evaluation, as the network thread has to know it. */
export interface CallingEvaluation {
  /** Whose responses it may use again. */
  readonly bundle: string;
  readonly nowNs: bigint;
}

export interface NetworkCall extends CallingEvaluation {
  readonly id: number;
  /** Calls of one evaluation share their answers. */
  readonly evaluation: number;
  readonly builtin: string;
  /** The operands, as `encodeTerms` writes them. */
  readonly operands: Uint8Array;
  /** Milliseconds after which nobody waits any more. */
  readonly limitMs: number;
}

export type NetworkAnswer =
  /** `endMs`: milliseconds since 1970 until which an answer that rests on it may be used again. */
  | { readonly id: number; readonly kind: 'value'; readonly value: Uint8Array; readonly endMs?: number | undefined }
  /** A BuiltinError for whoever asked. */
  | { readonly id: number; readonly kind: 'error'; readonly message: string };
