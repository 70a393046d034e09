import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Toolchain } from '../../src/rego/index.ts';
import { writeFiles } from '../processes.ts';
import { inputOf, REPEATED } from '../scenario.ts';
import type { Case } from './cases.ts';
import type { Prepared } from './evaluator.ts';

/** Different inputs; after the last comes the first again, which nobody remembers. */
const inputs = 20_000;

/** Writes a case's sources, its compiled policy and its inputs to the folder, which is made. */
export const prepare = async (
  { scenario }: Case,
  toolchain: Toolchain,
  folder: string,
): Promise<Prepared & { readonly compileMs: number }> => {
  mkdirSync(folder);
  const file = path.join(folder, 'inputs.jsonl');
  const lines = Array.from({ length: inputs }, (_, n) =>
    JSON.stringify(inputOf(scenario, scenario.question(REPEATED + n, n))),
  );
  writeFileSync(file, `${lines.join('\n')}\n`);
  writeFiles(path.join(folder, 'sources'), scenario.rego);
  const modules = [...scenario.rego]
    .filter(([name]) => name.endsWith('.rego'))
    .map(([name, text]) => ({ path: name, text }));
  const entrypoint = `${scenario.name}/allow`;
  const startedAt = performance.now();
  const { wasm } = await toolchain.compile({ modules }, [entrypoint]);
  writeFileSync(path.join(folder, 'policy.wasm'), wasm);
  return { folder, inputs: file, entrypoint, compileMs: performance.now() - startedAt };
};
