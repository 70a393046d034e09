// The core: from a question to a recorded answer. `decisions.ts` is the way through it; `model.ts` holds the types in
// which all parts meet; `keys.ts`, `freshness.ts` and `store.ts` are the cache.
export { goString } from './compose.ts';
export type { DecisionsOptions, RememberingDecisions } from './decisions.ts';
export { createDecisions } from './decisions.ts';
export type { RawParts } from './keys.ts';
export { rawKey } from './keys.ts';
export type * from './model.ts';
export { AuditError } from './model.ts';
export type { CacheSettings } from './settings.ts';
export { cacheSchema, defaultCacheSettings } from './settings.ts';
export type { CacheSize } from './store.ts';
