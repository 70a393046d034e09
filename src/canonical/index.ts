export type { Clock } from './clock.ts';
export { systemClock } from './clock.ts';
export { sha256, sha256Hex } from './digest.ts';
export { messageOf, VerdictError } from './error.ts';
export { uuidv7, uuidv7Ms } from './id.ts';
export type { Json } from './json.ts';
export { canonicalJson } from './json.ts';
export type { TraceContext } from './trace-context.ts';
export { parseTraceparent } from './trace-context.ts';
