// What every wire that decides does alike: how much it takes, whom it knows, how it refuses, how it reads an input and
// a path, how it answers a batch, where it may listen. A wire adds its own dialect, and nothing of this.
export type { BatchQuestion } from './batch.ts';
export { batchBounds, batchOf, decideItem, inSlices } from './batch.ts';
export { stopListening, UNASKED_MS } from './closing.ts';
export type { RequestErrorCode } from './errors.ts';
export { decisionErrors, RequestError, requestErrors } from './errors.ts';
export { checkDocument, elementsOf, jsonLimits, memberText, objectOf, refuseReserved, reopen } from './input.ts';
export type { RequestLimits } from './limits.ts';
export { count, defaultsOf, requestLimitSchemas } from './limits.ts';
export type { ListenAddress } from './listen.ts';
export { bracketed, listen } from './listen.ts';
export { mergerOver } from './merge.ts';
export { boundPath, refText, segmentsOf } from './path.ts';
export type { Readiness, WireOptions, WireService } from './service.ts';
export { ANYONE, peerText, refusalOf, wireService } from './service.ts';
