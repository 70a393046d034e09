// A policy's module as its compiler wrote it, evaluated by the same host as the one with the instruction counter in it.
import { typescriptBuiltins } from '../../../src/engine/builtins/index.ts';
import { type DataImage, makeDataImage } from '../../../src/engine/data-image.ts';
import { type Budget, type CheckedJson, checkJson, type Evaluation } from '../../../src/engine/index.ts';
import { hostBuiltins, LocalEvaluator } from '../../../src/engine/local-evaluator.ts';
import { fractionalNumbers } from '../../../src/engine/values/number-text.ts';
import { withCounter } from '../../../src/engine/wasm/instruction-counter.ts';
import { compilePolicy, type PolicyModule } from '../../../src/engine/wasm/policy-module.ts';
import { SECTION, sectionsOf, withSections } from '../../../src/engine/wasm/sections.ts';
import { GoBuiltins } from '../../../src/engine/workers/go-builtins.ts';

/** The module with the global that the host sets, and with its own code: nothing lowers the global. */
export const uncounted = (wasm: Uint8Array): Uint8Array => {
  const plain = sectionsOf(wasm);
  const { wasm: counted } = withCounter(wasm, plain);
  const code = plain.find(({ id }) => id === SECTION.code);
  if (code === undefined) return counted;
  const own = Buffer.from(wasm.subarray(code.start, code.end));
  return withSections(counted, sectionsOf(counted), new Map([[SECTION.code, own]]));
};

export interface PlainQuestion {
  readonly wasm: Uint8Array;
  readonly data: CheckedJson;
  readonly budget: Budget;
  readonly input?: CheckedJson;
  readonly nowNs: bigint;
}

/** The image of a document whose members at the top are null, with each of them changed in place. */
const patchedImage = (policy: PolicyModule, data: CheckedJson): DataImage => {
  const members = [...checkJson(data, { bytes: 1 << 30, depth: 512, keys: 1_000_000 }).members];
  const nulls = `{${members.map(([name]) => `${JSON.stringify(name)}:null`).join(',')}}`;
  const changes = members.map(([name, { start, end }]) => ({ path: [name], value: data.subarray(start, end) }));
  const empty = makeDataImage(policy, Buffer.from(nulls) as Uint8Array as CheckedJson);
  return { ...empty, numbers: fractionalNumbers(data), changes };
};

/** What one instance answers the same question, twice. */
export interface Asked {
  readonly first: Evaluation;
  readonly again: Evaluation;
}

/** Answers the first entrypoint of a module without the counter, over data that is changed in place. `rego` is OPA's toolchain. */
export const plainEvaluator = (rego: WebAssembly.Module) => {
  const go = new GoBuiltins(rego);
  const own = hostBuiltins(typescriptBuiltins);
  return async ({ wasm, data, budget, input, nowNs }: PlainQuestion): Promise<Asked> => {
    const counted = await compilePolicy(wasm);
    const module = await WebAssembly.compile(uncounted(wasm) as Uint8Array<ArrayBuffer>);
    const policy = { ...counted, module };
    const image = { bundle: 'case', policy, data: patchedImage(policy, data), budget };
    const evaluator = new LocalEvaluator(
      () => image,
      (name) => own(name) ?? go.builtin(name),
    );
    const { instructions } = budget;
    const task = { entrypoint: 0, below: [], strictErrors: false, nowNs, instructions };
    const ask = (): Evaluation => {
      const evaluation = evaluator.evaluate(input === undefined ? task : { ...task, input });
      go.end();
      go.renew();
      return evaluation;
    };
    const asked = { first: ask(), again: ask() };
    evaluator.close();
    return asked;
  };
};

const textOf = (evaluation: Evaluation): string => {
  if (evaluation.kind === 'defined') return evaluation.json;
  return evaluation.kind === 'failed' ? `${evaluation.code}: ${evaluation.message}` : 'undefined';
};

/** Which answer of `others` is another one than the counted module's first, where chance and the clock have no part in them. */
export const differenceFrom = (
  counted: Evaluation,
  others: { readonly [how: string]: Evaluation },
): string | undefined => {
  if (counted.basis.volatile) return undefined;
  const wanted = textOf(counted);
  const found = Object.entries(others).find(([, other]) => textOf(other) !== wanted);
  return found === undefined
    ? undefined
    : `${found[0]} it is another answer: ${textOf(found[1])}, not ${wanted}`.slice(0, 600);
};
