export { canonicalText } from './json/canonical.ts';
export type { CheckedDocument, JsonKind, JsonLimits, MemberSpan } from './json/check.ts';
export { checkJson, defaultJsonLimits, sliceChecked, withoutMember } from './json/check.ts';
export type { JsonErrorCode, JsonPlace } from './json/error.ts';
export { JsonError } from './json/error.ts';
export type {
  Basis,
  Budget,
  CheckedJson,
  Engine,
  Evaluation,
  EvaluationErrorCode,
  EvaluationRequest,
  LoadedModule,
  ModuleErrorCode,
  ModuleSource,
  NonDeterministicCall,
  SeenToken,
} from './model.ts';
export { ModuleError } from './model.ts';
