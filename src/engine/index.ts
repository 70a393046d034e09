/**
 * The Wasm host: checks bytes, runs a policy's module within its budgets, and writes answers as OPA writes them. Read
 * model.ts first, then engine.ts (where an evaluation runs) and instance.ts (how).
 */
export type { EngineOptions } from './engine.ts';
export { openEngine } from './engine.ts';
export { canonicalText } from './json/canonical.ts';
export type { CheckedDocument, MemberSpan } from './json/check.ts';
export { checkJson, defaultJsonLimits, sliceChecked, withoutMember } from './json/check.ts';
export type { JsonErrorCode, JsonPlace } from './json/error.ts';
export { JsonError } from './json/error.ts';
export type { Footprint } from './json/footprint.ts';
export { footprintOf } from './json/footprint.ts';
export { projectedText } from './json/projection.ts';
export type { JsonKind, JsonLimits } from './json/scanner.ts';
export type {
  Basis,
  Budget,
  CheckedJson,
  Engine,
  Evaluation,
  EvaluationErrorCode,
  EvaluationPlaces,
  EvaluationRequest,
  LoadedModule,
  ModuleErrorCode,
  ModuleSource,
  NonDeterministicCall,
  SeenToken,
} from './model.ts';
export { ModuleError } from './model.ts';
export { networkAsker } from './network/asker.ts';
export type { NetworkSettings } from './network/model.ts';
export type { EngineSettings, WorkerOptions } from './settings.ts';
export { defaultEngineSettings, engineOptions, engineSchema } from './settings.ts';
