/** Where a request stands in a trace (W3C Trace Context, level 1): lower-case hexadecimal, never all zeros. */
export interface TraceContext {
  /** 32 digits. */
  readonly traceId: string;
  /** 16 digits: the span that the request was sent from. */
  readonly spanId: string;
  /** Whoever began the trace records it. */
  readonly sampled: boolean;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NO_TRACE = '0'.repeat(32);
const NO_SPAN = '0'.repeat(16);
// What a later version may add is bounded by what a header may be; nothing that we know is longer than 55.
const LONGEST = 512;

/**
 * Reads a `traceparent`. Undefined for anything malformed: the request then stands in no trace. A version above 00 may
 * have more behind the flags; version ff and ids of zeros mean nothing.
 */
export const parseTraceparent = (text: string): TraceContext | undefined => {
  if (text.length < 55 || text.length > LONGEST) return undefined;
  const [, version, traceId, spanId, flags, more] = TRACEPARENT.exec(text) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (traceId === NO_TRACE || spanId === NO_SPAN) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
};
