import { expect, test } from 'vitest';
import { drainRounds } from './drain-rounds.ts';

test('a server that is told to end under load, twenty times, leaves no request without its decision', async () => {
  const result = await drainRounds(20);
  expect(result.failed).toEqual([]);
  expect(result.lost).toEqual([]);
  expect(result.answered.http).toBeGreaterThan(1_000);
  expect(result.answered.grpc).toBeGreaterThan(100);
}, 300_000);
