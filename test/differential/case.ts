import type { RegoFile } from '../../src/rego/index.ts';
import type { Program } from './program.ts';
import { sourceOf } from './program.ts';

/** A program as text, with what is asked of it: what the corpus keeps. */
export interface Case {
  /** Its package is `pol`, its data stands under `data.doc`. */
  readonly rego: string;
  /** JSON text of `data.doc`. */
  readonly data: string;
  /** Names of rules. */
  readonly entrypoints: readonly string[];
  /** JSON texts; null is an absent input. */
  readonly inputs: readonly (string | null)[];
}

export const caseOf = (program: Program): Case => ({
  rego: sourceOf(program),
  data: program.data,
  entrypoints: program.entrypoints,
  inputs: program.inputs.map((input) => input ?? null),
});

/** A case among others, with names of its own: many cases are compiled at once. */
export interface Placed {
  readonly name: string;
  readonly case: Case;
  readonly module: RegoFile;
}

export const placed = (one: Case, at: number): Placed => {
  const name = `pol${at}`;
  const text = one.rego.replace(/\bpol\b/g, name).replace(/\bdata\.doc\b/g, `data.doc${at}`);
  return { name, case: one, module: { path: `${name}.rego`, text } };
};

export const dataOf = (all: readonly Placed[]): Uint8Array =>
  Buffer.from(`{${all.map(({ name, case: { data } }) => `"${name.replace('pol', 'doc')}":${data}`).join(',')}}`);

/** For people. */
export const written = ({ rego, data, entrypoints, inputs }: Case): string =>
  [rego, `data.doc: ${data}`, `asked: ${entrypoints.join(', ')}`, ...inputs.map((one) => `input: ${one}`)].join('\n');
