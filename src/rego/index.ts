export type {
  CallOptions,
  Compiled,
  CompiledEntrypoint,
  EvaluationContext,
  Progress,
  RegoAnnotation,
  RegoEvaluation,
  RegoFile,
  RegoInspection,
  RegoProblem,
  RegoReference,
  RegoSources,
  RegoVersion,
  TestReport,
  TestResult,
  Toolchain,
} from './model.ts';
export { RegoError, ToolchainError } from './model.ts';
export type { RegoEntry, RegoValue } from './value.ts';
export {
  bytesOf,
  compareValues,
  equalValues,
  RegoBytes,
  RegoNumber,
  RegoObject,
  RegoSet,
  regoInteger,
  regoObject,
  regoSet,
} from './value.ts';
