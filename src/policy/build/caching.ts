import type { CompiledEntrypoint, PlacedRead, RegoReference, SourcePlace } from '../../rego/index.ts';
import type { RuleMarks } from './annotations.ts';

/**
 * What a call does to an answer that rests on it. `time`, `randomness` and `network`: it is not remembered; `token`: it
 * is, until the token's nbf or exp; `window`: it is, until what is made of the clock changes.
 */
export type CallEffect = 'time' | 'randomness' | 'network' | 'token' | 'window';

const effects: { readonly [builtin: string]: CallEffect } = {
  'crypto.x509.parse_and_verify_certificates': 'time',
  'crypto.x509.parse_and_verify_certificates_with_options': 'time',
  'http.send': 'network',
  'io.jwt.encode_sign': 'randomness',
  'io.jwt.encode_sign_raw': 'randomness',
  'net.lookup_ip_addr': 'network',
  'rand.intn': 'randomness',
  'time.now_ns': 'time',
  'uuid.rfc4122': 'randomness',
};

const effectOf = (builtin: string): CallEffect | undefined =>
  effects[builtin] ?? (builtin.startsWith('io.jwt.') ? 'token' : undefined);

export interface CheckedCall extends SourcePlace {
  readonly builtin: string;
  readonly effect: CallEffect;
}

/** What the answers of one entrypoint are remembered by, and what keeps them from it. */
export interface CheckedEntrypoint {
  /** Slash-separated, without `data`. */
  readonly path: string;
  /** METADATA `custom.cache.ttl`, milliseconds: answers are remembered for so long, whatever they call. */
  readonly ttlMs?: number;
  /** All of the input that the rules can read: inputs that agree on it are one question. */
  readonly reads: readonly PlacedRead[];
  readonly data: readonly RegoReference[];
  readonly calls: readonly CheckedCall[];
}

export const checkedEntrypoints = (
  compiled: readonly CompiledEntrypoint[],
  marks: readonly RuleMarks[],
): CheckedEntrypoint[] =>
  compiled
    .flatMap(({ path, caching }): CheckedEntrypoint[] => {
      if (caching === undefined) return [];
      const ttlMs = marks.find((mark) => mark.path === path && mark.ttlMs !== undefined)?.ttlMs;
      const calls = caching.calls.flatMap(({ window, ...call }) => {
        const effect = window === true ? 'window' : effectOf(call.builtin);
        return effect === undefined ? [] : [{ ...call, effect }];
      });
      return [{ path, ...(ttlMs === undefined ? {} : { ttlMs }), reads: caching.reads, data: caching.data, calls }];
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1));
