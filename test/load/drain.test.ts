import { expect, test } from 'vitest';
import { rounds } from '../support/rounds.ts';
import { drainRounds } from './drain-rounds.ts';

test('a server that is told to end under load, again and again, leaves no request without its decision', async () => {
  const stops = rounds(20, 3);
  const result = await drainRounds(stops);
  expect(result.failed).toEqual([]);
  expect(result.lost).toEqual([]);
  expect(result.answered.http).toBeGreaterThan(rounds(1_000, stops));
  expect(result.answered.grpc).toBeGreaterThan(rounds(100, 0));
}, 300_000);
