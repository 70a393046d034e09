import fc from 'fast-check';
import { RegoNumber, type RegoValue } from '../../../../src/rego/index.ts';
import { anyValue, type OperandTable, operand } from './values.ts';

/** An integer, written as a plain number, with a fraction or an exponent. */
const operandOf64 = (from: fc.Arbitrary<bigint>): fc.Arbitrary<RegoValue> =>
  fc
    .tuple(from, fc.constantFrom('', '', '', '.0', '.5', 'e0', '.00000000000000000000001'))
    .map(([value, tail]) => new RegoNumber(`${value}${tail}`));

const instant = operandOf64(
  fc.oneof(
    fc.bigInt({ min: -(2n ** 63n) - 2n, max: 2n ** 63n + 2n }),
    fc.bigInt({ min: 0n, max: 4_000_000_000_000_000_000n }),
  ),
);
// Zones whose rules changed this year are left out: Node's tables and the toolchain's are of different releases.
const zone = fc.constantFrom(
  '',
  'UTC',
  'Local',
  'Europe/Berlin',
  'europe/berlin',
  'America/New_York',
  'Asia/Kolkata',
  'Australia/Lord_Howe',
  'Europe/Dublin',
  'America/St_Johns',
  'Pacific/Apia',
  'Antarctica/Troll',
  'EST5EDT',
  'GMT',
  'Etc/GMT+12',
  'Factory',
  'Nowhere/City',
  '../etc/passwd',
);
const twoDigits = fc.integer({ min: 0, max: 65 }).map((value) => String(value).padStart(2, '0'));
const rfc3339 = fc
  .tuple(
    fc
      .oneof(fc.integer({ min: 1675, max: 2265 }), fc.integer({ min: 0, max: 9999 }))
      .map((year) => String(year).padStart(4, '0')),
    fc.integer({ min: 0, max: 13 }).map((value) => String(value).padStart(2, '0')),
    fc.integer({ min: 0, max: 32 }).map((value) => String(value).padStart(2, '0')),
    fc.oneof(fc.integer({ min: 0, max: 24 }).map(String), twoDigits),
    twoDigits,
    twoDigits,
    fc.constantFrom('', '', '.5', ',25', '.123456789', '.12345678901', '.', '.x'),
    fc.constantFrom('Z', 'Z', '+01:00', '-24:00', '+25:00', '+00:60', '+00:61', '-7:00', '', 'z', 'ZZ'),
  )
  .map(
    ([year, month, day, hour, minute, second, fraction, offset]) =>
      `${year}-${month}-${day}T${hour}:${minute}:${second}${fraction}${offset}`,
  );

const moment = fc.tuple(
  operand(fc.oneof(instant, fc.tuple(instant, zone), fc.tuple(instant, operand(zone), anyValue))),
);

export const timeOperands: OperandTable = new Map<string, fc.Arbitrary<readonly RegoValue[]>>([
  ['time.now_ns', fc.constant([])],
  ['time.parse_rfc3339_ns', fc.tuple(operand(rfc3339))],
  ['time.clock', moment],
  ['time.date', moment],
  ['time.weekday', moment],
]);
