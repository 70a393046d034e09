import fc from 'fast-check';
import { expect, test } from 'vitest';
import { typescriptBuiltins } from '../../../src/engine/builtins/index.ts';
import { twinName } from '../../../src/engine/builtins/natives/index.ts';
import { equalValues, type RegoValue, regoInteger } from '../../../src/rego/index.ts';
import { zones } from './operands/windows.ts';
import { callScope } from './scope.ts';

const second = 1_000_000_000n;

/** Calendars, and of the clock the parts up to the finest that is used. */
const looks = [
  { name: 'time.date', told: [], shown: (answer: RegoValue): RegoValue => answer },
  { name: 'time.weekday', told: [], shown: (answer: RegoValue): RegoValue => answer },
  ...[0, 1, 2].map((finest) => ({
    name: 'time.clock',
    told: [regoInteger(finest)],
    shown: (answer: RegoValue): RegoValue => (answer as readonly RegoValue[]).slice(0, finest + 1),
  })),
];

/** When clocks were put forward or back: Berlin, New York, Lord Howe (by half an hour), Apia (by a day), Troll. */
const changes = [1_711_846_800n, 1_729_990_800n, 1_710_054_000n, 1_730_613_600n, 1_712_415_600n, 1_728_142_200n].concat(
  [1_325_239_200n, 1_711_846_800n],
);

const moments = fc
  .tuple(
    fc.oneof(fc.constantFrom(...changes), fc.bigInt({ min: 1_000_000_000n, max: 2_500_000_000n })),
    fc.oneof(fc.bigInt({ min: -90_000n, max: 90_000n }), fc.bigInt({ min: -2n, max: 2n })),
    fc.bigInt({ min: 0n, max: second - 1n }),
  )
  .map(([at, off, ns]) => (at + off) * second + ns);

test('what a clock or calendar of now shows lasts to the moment that is reported, over changes of the zone’s clocks too', () => {
  const change = { early: 0, tight: 0 };
  const property = fc.property(
    fc.constantFrom(...looks),
    moments,
    fc.constantFrom(...zones),
    fc.double({ min: 0, max: 1, noNaN: true }),
    ({ name, told, shown }, now, zone, part) => {
      const at = (ns: bigint): RegoValue =>
        shown(typescriptBuiltins.get(name)!.run(callScope(ns).scope, [regoInteger(ns), zone])!);
      const { scope, reported } = callScope(now);
      typescriptBuiltins.get(twinName(name))!.run(scope, [regoInteger(now), zone], ...told);
      const [end] = reported.boundaries;
      expect(reported.volatile).toBe(false);
      expect(end! > now).toBe(true);
      const between = now + BigInt(Math.floor(Number(end! - 1n - now) * part));
      for (const ns of [between < end! ? between : now, end! - 1n]) {
        expect(equalValues(at(ns), at(now)), `${name} in ${zone} at ${now} and ${ns}`).toBe(true);
      }
      change[equalValues(at(end!), at(now)) ? 'early' : 'tight']++;
    },
  );
  fc.assert(property, { numRuns: 5_000, seed: 7 });
  // It ends early where a zone's offset changes, and hardly anywhere else.
  expect(change.early).toBeGreaterThan(10);
  expect(change.early * 4).toBeLessThan(change.tight);
});

test('a time that is not now is not remembered', () => {
  for (const { name, told } of looks) {
    const { scope, reported } = callScope(5n * second);
    typescriptBuiltins.get(twinName(name))!.run(scope, regoInteger(6n * second), ...told);
    expect(reported).toMatchObject({ volatile: true, boundaries: [] });
  }
});
