import fc from 'fast-check';
import type { TimedQuestion } from '../engine/timed-policies.ts';
import { checkEnds, timedProgram, timedQuestion } from '../engine/timed-policies.ts';
import type { Workbench } from '../engine/workbench.ts';
import { openWorkbench } from '../engine/workbench.ts';
import { targetOf } from './target.ts';

interface Timing {
  readonly rego: string;
  readonly questions: readonly TimedQuestion[];
}

interface TimingFile {
  readonly rego: string;
  readonly questions: readonly { readonly now: string; readonly part: string; readonly input: string }[];
}

let bench: Workbench;

/** Policies whose answers rest on now and on tokens: each answer lasts until the end that it says, as in OPA. */
export const windows = targetOf<Timing>({
  name: 'windows',
  cases: fc.record({ rego: timedProgram, questions: fc.array(timedQuestion, { minLength: 1, maxLength: 6 }) }),
  open: async () => {
    bench = await openWorkbench();
  },
  close: () => bench.close(),
  check: ({ rego, questions }) => checkEnds(bench, rego, questions, { tight: 0, ends: 0, endless: 0 }),
  write: ({ rego, questions }) => {
    const asked = questions.map(({ now, part, input }) => ({ now: `${now}`, part: `${part}`, input }));
    return JSON.stringify({ rego, questions: asked } satisfies TimingFile, undefined, 2);
  },
  read: (text) => {
    const { rego, questions } = JSON.parse(text) as TimingFile;
    return {
      rego,
      questions: questions.map(({ now, part, input }) => ({ now: BigInt(now), part: BigInt(part), input })),
    };
  },
});
