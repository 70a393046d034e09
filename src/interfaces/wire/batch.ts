import { setImmediate as nextTurn } from 'node:timers/promises';
import { systemClock, uuidv7 } from '../../canonical/index.ts';
import type { Allowance, Answer, Query } from '../../decision/index.ts';
import { rawKey } from '../../decision/index.ts';
import type { CheckedJson } from '../../engine/index.ts';
import { RequestError } from './errors.ts';
import type { RequestLimits } from './limits.ts';
import type { WireService } from './service.ts';

/** Counts what a batch asks for; both throw RequestError. `at` names its questions in the error: `/evaluations`. */
export const batchBounds = ({ batchItems, batchBytes }: RequestLimits, at: string) => {
  let bytes = 0;
  return {
    items: (count: number): void => {
      if (count <= batchItems) return;
      throw new RequestError('body_too_large', `${at}: ${count} items, at most ${batchItems} are taken`);
    },
    // What is large and common to many small items would otherwise cost far more than was sent.
    input: (input: CheckedJson | undefined): void => {
      bytes += input?.length ?? 0;
      if (bytes <= batchBytes) return;
      throw new RequestError('body_too_large', `${at}: inputs of more than ${batchBytes} bytes together`);
    },
  };
};

/** One question of a batch: as a query, without the key that is made of it. */
export type BatchQuestion = Omit<Query, 'rawKey'>;

/** What the questions of one batch have in common: the id that their records bear, and what they may use together. */
export const batchOf = ({
  batchInstructions,
}: RequestLimits): { readonly batchId: string; readonly allowance: Allowance } => ({
  batchId: uuidv7(systemClock.nowMs()),
  allowance: { most: batchInstructions, left: batchInstructions },
});

/** Answers one question of a batch, from what is remembered of the same question where that still holds. */
export const decideItem = ({ decisions }: WireService, question: BatchQuestion): Promise<Answer> =>
  new Promise((resolve) => {
    const { wire, path, input, strictErrors, bypassCache, active } = question;
    const body = input ?? NOTHING;
    if (bypassCache || !decisions.cameBefore(body)) {
      decisions.decide(question, resolve);
      return;
    }
    const key = rawKey({
      wire,
      path: JSON.stringify(path),
      options: `${strictErrors ? 'strict' : ''},${input === undefined ? 'absent' : ''}`,
      contentType: '',
      contentCoding: '',
      body,
    });
    if (decisions.repeat(key, question, resolve, active)) return;
    decisions.decide({ ...question, rawKey: key }, resolve);
  });

const NOTHING = new Uint8Array(0);

/** For so long a batch may keep the thread that all others wait for. */
const SLICE_MS = 20;

/** Answers items together, as many at a time as keep no other request waiting for long; results in their order. */
export const inSlices = async <Item, Result>(
  items: readonly Item[],
  one: (item: Item, index: number) => Promise<Result>,
): Promise<readonly Result[]> => {
  const results: Result[] = [];
  let slice: Promise<Result>[] = [];
  let until = performance.now() + SLICE_MS;
  for (const [index, item] of items.entries()) {
    if (performance.now() >= until) {
      results.push(...(await Promise.all(slice)));
      await nextTurn();
      slice = [];
      until = performance.now() + SLICE_MS;
    }
    slice.push(one(item, index));
  }
  return [...results, ...(await Promise.all(slice))];
};
