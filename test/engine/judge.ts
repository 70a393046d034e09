import type { CheckedJson, LoadedModule } from '../../src/engine/index.ts';
import { resultJson } from '../../src/engine/values/result-json.ts';
import { dumpValue } from '../../src/engine/values/value-text.ts';
import {
  compileRegoModule,
  instantiateRego,
  type RegoModule,
  type RegoValue,
  ToolchainError,
} from '../../src/rego/index.ts';
import type { Workbench } from './workbench.ts';
import { openWorkbench } from './workbench.ts';

/** What OPA's Wasm brings itself, in C, in policies as they are compiled here, judged by OPA's Go code. */
export interface Judge {
  readonly bench: Workbench;
  /** A policy that calls a builtin with the items of its input. */
  loaded(name: string, operands: number): Promise<LoadedModule>;
  /** Says how a module's answer differs from that of OPA's builtin; empty when it does not. */
  difference(module: LoadedModule, name: string, operands: readonly RegoValue[]): Promise<string>;
  /** OPA's answer. */
  wanted(name: string, operands: readonly RegoValue[]): RegoValue | undefined;
}

/** Strings whose bytes are no UTF-8 are no input. */
const hasBytes = (text: string): boolean => text.includes('\ufffd');

/** Of equal numbers that are written differently, OPA's C code gives another one than its Go code. */
const spellings = new Set(['max', 'min']);

export const openJudge = async (): Promise<Judge> => {
  const bench = await openWorkbench();
  const compiled = await compileRegoModule();
  const begun = (): RegoModule => {
    const module = instantiateRego(compiled);
    module.begin({ nowNs: 0n, seed: new Uint8Array(32) });
    return module;
  };
  let opa = begun();
  const wanted: Judge['wanted'] = (name, operands) => {
    const result = opa.call(name, operands);
    return result.kind === 'value' ? result.value : undefined;
  };
  const difference: Judge['difference'] = async (module, name, operands) => {
    const text = dumpValue(operands);
    if (hasBytes(text)) return '';
    const input = Buffer.from(text) as Uint8Array as CheckedJson;
    const evaluation = await module.evaluate({ entrypoint: 'p/r', below: [], strictErrors: false, input });
    const answer = evaluation.kind === 'defined' ? evaluation.json : evaluation.kind;
    // More work than a policy may ask for: OPA would do it for minutes, or run out of memory.
    if (evaluation.kind === 'failed' && evaluation.code === 'budget_exceeded') return '';
    let value: RegoValue | undefined;
    try {
      value = wanted(name, operands);
    } catch (error) {
      if (!(error instanceof ToolchainError)) throw error;
      // OPA panics: it has no answer, and is replaced.
      opa = begun();
      return '';
    }
    const right = value === undefined ? 'undefined' : resultJson(value);
    if (spellings.has(name) && Number(answer) === Number(right)) return '';
    return answer === right ? '' : `${name}${text}: ${answer}, and in OPA ${right}`;
  };
  return {
    bench,
    wanted,
    difference,
    loaded: async (name, operands) => {
      const places = Array.from({ length: operands }, (_, at) => `input[${at}]`);
      // Infix operators and membership have no name in sources that could be called with any operand.
      const { module } = await bench.policy(`r := ${name}(${places.join(', ')})`);
      return module;
    },
  };
};
