// What was decided, as an append-only log. A record's text has two parts: facts of the answer (record/head.ts), and
// what was asked and answered, masked once for all answers that share it (record/content.ts). queue.ts gathers the
// records of a turn; store/ writes, checks and finds them; search/ reads pages of them on a thread of its own.
// docs/reference/audit-log.md is the format, byte by byte.

export type { AuditReader, FollowedRecords, RecordFilter, RecordPage } from './search/model.ts';
export type { SearchBounds } from './search/reader.ts';
export type { SegmentLog, SegmentLogOptions } from './segment-log.ts';
export { openSegmentLog } from './segment-log.ts';
export type { AuditSettings } from './settings.ts';
export { auditDefaults, auditSchema } from './settings.ts';
export type { DamagedPlace, MissingRecords } from './store/chain.ts';
export type { LogFiles } from './store/files.ts';
export { nodeFiles } from './store/files.ts';
export type { LogMemory } from './store/memory.ts';
export { catalogMemory } from './store/memory.ts';
