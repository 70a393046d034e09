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
