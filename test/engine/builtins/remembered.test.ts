import { expect, test } from 'vitest';
import { remembered } from '../../../src/engine/builtins/remembered.ts';
import { wallAt } from '../../../src/engine/builtins/time/instant.ts';

test('what was made is kept for the last texts, and for no more than the bound', () => {
  const made: string[] = [];
  const twice = remembered((text) => made.push(text), { most: 2, longest: 3 });
  for (const text of ['a', 'b', 'a', 'b']) twice(text);
  expect(made).toEqual(['a', 'b']);
  for (const text of ['c', 'a', 'long', 'long']) twice(text);
  expect(made).toEqual(['a', 'b', 'c', 'a', 'long', 'long']);
});

test('what throws is made anew', () => {
  let calls = 0;
  const failing = remembered(() => {
    calls++;
    throw new Error('no');
  });
  for (let at = 0; at < 2; at++) expect(() => failing('x')).toThrow('no');
  expect(calls).toBe(2);
});

const shown = (zone: string, ms: number): string =>
  new Intl.DateTimeFormat('en-GB', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' }).format(ms);

const wall = (zone: string, ms: number): string => {
  const { year, month, day, hour, minute, second } = wallAt({ ns: BigInt(ms) * 1_000_000n, zone });
  const two = (part: number): string => String(part).padStart(2, '0');
  return `${two(day)}/${two(month)}/${year}, ${two(hour)}:${two(minute)}:${two(second)}`;
};

test.each([
  ['Europe/Berlin', '2026-03-29T01:00:00Z'],
  ['America/New_York', '2026-11-01T06:00:00Z'],
  ['Australia/Lord_Howe', '2026-04-04T15:00:00Z'],
  ['America/Recife', '2000-10-15T03:00:00Z'],
  ['Africa/Freetown', '1939-09-05T00:30:00Z'],
  ['Asia/Kathmandu', '1985-12-31T18:30:00Z'],
  ['America/New_York', '1883-11-18T17:00:00Z'],
  ['Pacific/Apia', '2011-12-30T10:00:00Z'],
])('clocks of %s change at the second, whatever was asked of that day before', (zone, change) => {
  const at = Date.parse(change);
  const hours = Array.from({ length: 24 * 8 }, (_, hour) => at + (hour - 96) * 3_600_000);
  for (const ms of [...hours, at - 1000, at, at + 1000, ...hours]) expect(wall(zone, ms)).toBe(shown(zone, ms));
});
