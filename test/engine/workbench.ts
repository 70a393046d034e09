import type { Clock } from '../../src/canonical/index.ts';
import type { Budget, CheckedJson, Engine, EngineOptions, Evaluation, LoadedModule } from '../../src/engine/index.ts';
import { checkJson, defaultEngineSettings, engineOptions, openEngine } from '../../src/engine/index.ts';
import type { Toolchain } from '../../src/rego/index.ts';
import { openToolchain } from '../../src/rego/index.ts';

/** A clock that stands still. */
export const stillClock: Clock = {
  nowMs: () => 1_763_800_000_000,
  nowNs: () => 1_763_800_000_123_456_789n,
  monotonicMs: () => 0,
};

export interface Question {
  readonly input?: unknown;
  /** The input as its text, where JavaScript would change it. */
  readonly inputText?: string;
  readonly below?: readonly string[];
  readonly strictErrors?: boolean;
}

export interface Policy {
  readonly module: LoadedModule;
  ask(entrypoint: string, question?: Question): Promise<Evaluation>;
  /** The answer's JSON, or the kind of an answer without one, or the code of a failed one. */
  answer(entrypoint: string, question?: Question): Promise<string>;
}

export interface PolicyOptions {
  readonly budget?: Partial<Budget>;
  readonly data?: string;
  readonly engine?: Partial<EngineOptions>;
  /** Default: every rule of the package `p`. */
  readonly entrypoints?: readonly string[];
}

export interface Workbench {
  readonly toolchain: Toolchain;
  engine(options?: PolicyOptions): Engine;
  compile(rego: string, entrypoints?: readonly string[]): Promise<Uint8Array>;
  /** Compiles and loads one module; its package is `p`. */
  policy(rego: string, options?: PolicyOptions): Promise<Policy>;
  close(): Promise<void>;
}

const asked = (module: LoadedModule): Policy => {
  const ask = async (entrypoint: string, question: Question = {}): Promise<Evaluation> => {
    const text = question.inputText ?? (question.input === undefined ? undefined : JSON.stringify(question.input));
    return await module.evaluate({
      entrypoint,
      below: question.below ?? [],
      strictErrors: question.strictErrors ?? false,
      ...(text === undefined ? {} : { input: checkJson(Buffer.from(text)).json }),
    });
  };
  const answer = async (entrypoint: string, question?: Question): Promise<string> => {
    const evaluation = await ask(entrypoint, question);
    if (evaluation.kind === 'defined') return evaluation.json;
    return evaluation.kind === 'failed' ? evaluation.code : 'undefined';
  };
  return { module, ask, answer };
};

/** A text as it would be had it been checked, as that of a bundle is. */
export const dataOf = (text: string): CheckedJson => Buffer.from(text) as Uint8Array as CheckedJson;

/** OPA's compiler and engines, for tests that ask policies. */
export const openWorkbench = async (): Promise<Workbench> => {
  const toolchain = await openToolchain();
  const engines: Engine[] = [];
  const engine = (options: PolicyOptions = {}): Engine => {
    const { budget, workers } = engineOptions(defaultEngineSettings);
    // Shared machines pause threads for long: only the tests about deadlines have a short one.
    const patient = { ...budget, deadlineMs: 30_000, ...options.budget };
    const opened = openEngine({ budget: patient, clock: stillClock, workers, ...options.engine });
    engines.push(opened);
    return opened;
  };
  const compile = async (rego: string, entrypoints?: readonly string[]): Promise<Uint8Array> => {
    const sources = { modules: [{ path: 'p.rego', text: `package p\n\n${rego}\n` }] };
    const paths = entrypoints ?? (await toolchain.check(sources)).rules;
    return (await toolchain.compile(sources, paths)).wasm;
  };
  return {
    toolchain,
    engine,
    compile,
    policy: async (rego, options = {}) => {
      const wasm = await compile(rego, options.entrypoints);
      const data = dataOf(options.data ?? '{}');
      return asked(await engine(options).load({ name: 'p@1', wasm, data }));
    },
    close: async () => {
      await Promise.all(engines.map((opened) => opened.close()));
      await toolchain.close();
    },
  };
};
