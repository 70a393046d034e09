import { expect, test } from 'vitest';
import { rounds } from '../support/rounds.ts';
import { killRounds } from './kill-rounds.ts';

test('every decision that was answered is in the log after the server was killed under load, again and again', async () => {
  // Pauses spread over what a round may meet: the first writes, a full pipeline, a background sync (every second).
  const pauses = Array.from({ length: rounds(20, 4) }, (_, round) => (round * 37) % 400);
  const result = await killRounds(pauses);
  expect(result.answered).toBeGreaterThan(rounds(1_000, pauses.length - 1));
  expect(result.lost).toEqual([]);
  expect(result.recorded).toBeGreaterThanOrEqual(result.answered);
}, 240_000);
