import { campaign } from '../differential/campaign.ts';
import { type Case, written } from '../differential/case.ts';
import { type Judge, openJudge } from '../differential/judge.ts';
import { shrunk } from '../differential/shrink.ts';
import type { Target } from './target.ts';

let judge: Judge;

/** Whole programs: compiled, cached and by what they read, beside OPA's interpreter. */
export const policies: Target = {
  name: 'policies',
  open: async () => {
    judge = openJudge();
  },
  close: () => judge.close(),
  fuzz: async ({ seed, milliseconds }) => {
    const end = performance.now() + milliseconds;
    const goesOn = ({ disagreements }: { readonly disagreements: readonly unknown[] }): boolean =>
      disagreements.length === 0 && performance.now() < end;
    const { disagreements } = await campaign(judge, seed, Number.MAX_SAFE_INTEGER, goesOn);
    const [first] = disagreements;
    if (first === undefined) return undefined;
    const small = await shrunk(judge, first.program, first.difference, 80);
    const problem = `${JSON.stringify(small.difference)}\n${written(small.case)}`;
    return { problem, text: JSON.stringify(small.case, undefined, 2), seed: first.seed };
  },
  replay: async (text) => {
    const [judged] = await judge.judge([JSON.parse(text) as Case]);
    if (judged?.invalid !== undefined) throw new Error(`it does not compile: ${judged.invalid}`);
    const [difference] = judged?.differences ?? [];
    if (difference !== undefined) throw new Error(JSON.stringify(difference));
  },
};
