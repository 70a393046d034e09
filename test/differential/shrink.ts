import { type Case, caseOf } from './case.ts';
import type { Judge } from './judge.ts';
import type { Difference, Judged } from './judged.ts';
import type { Program } from './program.ts';
import { shrinks } from './tree.ts';

/** How many smaller ones are compiled at once. */
const together = 24;

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** Texts of the same JSON document with something left out; numbers that JavaScript would round keep it as it is. */
const smallerTexts = (text: string): string[] => {
  const value = JSON.parse(text) as Json;
  if (JSON.stringify(value) !== text) return ['{}'];
  const found: string[] = [];
  const visit = (part: Json, put: (other: Json) => Json): void => {
    if (part === null || typeof part !== 'object') return;
    const entries = Object.entries(part as { [name: string]: Json });
    const rebuilt = (kept: [string, Json][]): Json =>
      Array.isArray(part) ? kept.map(([, item]) => item) : Object.fromEntries(kept);
    for (const [at, [, item]] of entries.entries()) {
      found.push(JSON.stringify(put(rebuilt(entries.toSpliced(at, 1)))));
      const [name] = entries[at] as [string, Json];
      visit(item, (other) => put(rebuilt(entries.with(at, [name, other]))));
    }
  };
  visit(value, (other) => other);
  return found;
};

function* smaller(program: Program): Generator<Program> {
  const { inputs, data } = program;
  for (const tree of shrinks(program.tree)) yield { ...program, tree };
  for (const text of data === '{}' ? [] : ['{}', ...smallerTexts(data)]) yield { ...program, data: text };
  for (const [at, input] of inputs.entries()) {
    if (input === undefined) continue;
    for (const text of smallerTexts(input)) {
      if (text.length < input.length) yield { ...program, inputs: inputs.with(at, text) };
    }
  }
}

const taken = <T>(from: Iterator<T>, most: number): T[] => {
  const items: T[] = [];
  while (items.length < most) {
    const next = from.next();
    if (next.done === true) break;
    items.push(next.value);
  }
  return items;
};

/** The program with nothing but what the difference is about. */
const focused = (program: Program, { entrypoint, input, other, judge }: Difference): Program => {
  const inputs = [input, ...(other === undefined ? [] : [other])].map((one) => one ?? undefined);
  // What the cache answers depends on what was asked before.
  return { ...program, entrypoints: [entrypoint], inputs: judge === 'cache' ? program.inputs : inputs };
};

const same = (judged: Judged | undefined, like: Difference): Difference | undefined =>
  judged?.differences.find(({ judge }) => judge === like.judge);

/** As small a case as the rounds allow that still differs in the same judge's eyes. */
export const shrunk = async (
  judge: Judge,
  program: Program,
  difference: Difference,
  rounds: number,
): Promise<{ readonly case: Case; readonly difference: Difference }> => {
  let best = focused(program, difference);
  let kept = difference;
  let candidates = smaller(best);
  for (let round = 0; round < rounds; round++) {
    const batch = taken(candidates, together);
    if (batch.length === 0) break;
    const judged = await judge.judge(batch.map(caseOf));
    const at = judged.findIndex((one) => same(one, difference) !== undefined);
    const found = same(judged[at], difference);
    const next = batch[at];
    if (found === undefined || next === undefined) continue;
    best = next;
    kept = found;
    candidates = smaller(best);
  }
  return { case: caseOf(best), difference: kept };
};
