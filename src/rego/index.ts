export { goBuiltins, nonDeterministicBuiltins, opaVersion } from './builtin-names.ts';
export type {
  CallOptions,
  Compiled,
  CompiledEntrypoint,
  EntrypointCaching,
  EvaluationContext,
  IndexedRule,
  InputRead,
  NetworkAnswer,
  NetworkCall,
  NetworkOptions,
  PlacedRead,
  Progress,
  RegoAnnotation,
  RegoEvaluation,
  RegoFile,
  RegoInspection,
  RegoNamedValue,
  RegoProblem,
  RegoReference,
  RegoSources,
  RegoStep,
  RegoVersion,
  RuleIndex,
  SourcePlace,
  TestReport,
  TestResult,
  Toolchain,
  TriedReason,
} from './model.ts';
export { RegoError, ToolchainError } from './model.ts';
export { compileRegoModule } from './module-file.ts';
export { namedValueText } from './named-value.ts';
export { problemsSentence, renamedProblems } from './problems.ts';
export type { BuiltinResult, RegoModule } from './rego-module.ts';
export { instantiateRego } from './rego-module.ts';
export type { ToolchainOptions } from './toolchain.ts';
export { openToolchain } from './toolchain.ts';
export type { ExplainLevel, TraceLevel } from './trace.ts';
export { EXPLAIN_LEVELS, TRACE_LEVELS, traceAt } from './trace.ts';
export type { RegoEntry, RegoValue } from './value.ts';
export {
  bytesOf,
  compareValues,
  equalValues,
  firstNotBelow,
  RegoBytes,
  RegoNumber,
  RegoObject,
  RegoSet,
  regoInteger,
  regoObject,
  regoSet,
} from './value.ts';
export { decodeTerms, encodeTerms } from './value-binary.ts';
export { regoFromJson, regoJson } from './value-json.ts';
