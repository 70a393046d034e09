import type { MessagePort } from 'node:worker_threads';

/** `engine.network`: what policies may reach with http.send and net.lookup_ip_addr. */
export interface NetworkSettings {
  /** Host names, addresses and ranges (`10.0.0.0/8`). Empty: policies have no network. */
  readonly hosts: readonly string[];
  /** Bytes of one response's body. */
  readonly responseBytes: number;
  /** Requests of one evaluation, each redirect and each further attempt counted. */
  readonly requests: number;
}

/** The builtins of OPA that need the network. */
export const networkNames: ReadonlySet<string> = new Set(['http.send', 'net.lookup_ip_addr']);

/** A thread that waits for answers: where it asks, and what wakes it. */
export interface NetworkLine {
  readonly port: MessagePort;
  readonly signal: Int32Array;
}

export interface NetworkCall {
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
  | { readonly id: number; readonly kind: 'value'; readonly value: Uint8Array }
  /** A BuiltinError for whoever asked. */
  | { readonly id: number; readonly kind: 'error'; readonly message: string };
