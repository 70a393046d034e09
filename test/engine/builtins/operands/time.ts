import fc from 'fast-check';
import { RegoNumber, type RegoValue, regoInteger } from '../../../../src/rego/index.ts';
import { anyValue, bytes, type OperandTable, operand, text } from './values.ts';

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

const zoned = operand(fc.oneof(instant, fc.tuple(instant, zone), fc.tuple(instant, operand(zone), anyValue)));
const moment = fc.tuple(zoned);
// Where clocks are put forward and back, in two zones, and at the ends of months.
const nearChange = fc
  .tuple(
    fc.constantFrom(1_711_846_800n, 1_729_990_800n, 1_710_054_000n, 1_730_613_600n, 1_706_659_200n, 1_709_164_800n),
    fc.integer({ min: -90_000, max: 90_000 }),
    fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Pacific/Apia'),
  )
  .map(([seconds, more, zone]) => [regoInteger((seconds + BigInt(more)) * 1_000_000_000n + 5n), zone]);
const units = operand(fc.oneof(fc.integer({ min: -40, max: 40 }), fc.integer()).map(regoInteger));

const durations = fc.oneof(
  fc.stringMatching(/^[+-]?(?:\d{0,4}(?:\.\d{0,4})?(?:[hmsdwy]|ms|us|ns|µs|μs|ds)){0,4}$/u),
  fc.stringMatching(/^[+-]?(?:0|[\d.]{1,30}[hdwysn]|\d{15,22}(?:h|ns|d))$/),
  text,
  bytes,
);

const layoutPieces =
  'January Jan Monday Mon MST 01 02 03 04 05 06 002 15 1 2006 2 _2 _2006 __2 3 4 5 PM pm -070000 -07:00:00 -0700 -07:00 ' +
  '-07 Z070000 Z07:00:00 Z0700 Z07:00 Z07 .000 ,999 .9 .0 .00x';
const valuePieces =
  'January feb MAR Sunday mon GMT GMT+3 GMT-24 UTC CEST WITA ABCDE EST +05 -3 01 31 29 060 366 12 1 2024 2023 1969 69 68 ' +
  '12 24 59 60 7 PM am pm -010203 +01:02:03 -0100 +25:00 -01 Z .123 ,5 .123456789123 ChST -00:00:01';
const separators = fc.constantFrom('', ' ', '  ', '-', 'T', ':', ',', 'é');
const pieced = (pieces: string, most: number) =>
  fc
    .array(fc.tuple(fc.constantFrom(...pieces.split(' ')), separators), { maxLength: most })
    .map((parts) => parts.flat().join(''));
// A layout with a value that was made for it, and another that was not.
const examples: readonly (readonly [layout: string, value: fc.Arbitrary<string>])[] = [
  ['RFC3339', rfc3339],
  ['RFC3339Nano', rfc3339],
  ['2006-01-02', rfc3339.map((value) => value.slice(0, 10))],
  ['2006-01-02 15:04:05', rfc3339.map((value) => value.slice(0, 19).replace('T', ' '))],
  ['2006-01-02T15:04:05.000', rfc3339.map((value) => value.slice(0, 23))],
  ['2006 002', fc.tuple(fc.constantFrom('2023', '2024'), twoDigits).map(([year, day]) => `${year} 3${day}`)],
  ['2006-02 __2', fc.constantFrom('2024-29  60', '2024-01  61', '2024-29 060', '2023-01  60', '2023-1   1')],
  ['1/2 2006 3:04PM MST', pieced('1/31 2024 2/29 2023 12:30PM 12:01AM 0:59PM 13:00PM 1:00am CET GMT+3 UTC +03 é', 5)],
  ['RFC1123', pieced('Mon, 02 29 Feb Jan 2024 2023 15:04:05 MST GMT', 6)],
  ['RFC822Z', pieced('02 Jan 06 69 15:04 -0700 +2400', 6)],
  ['ANSIC', fc.constantFrom('Mon Jan  2 15:04:05 2006', 'mon jan 2 15:04:05.25 2006', 'Tue Feb 30 15:04:05 2006')],
];
const layoutAndValue = fc.oneof(
  ...examples.map(([layout, value]) => fc.tuple(fc.constant(layout), value)),
  fc.tuple(pieced(layoutPieces, 4), pieced(valuePieces, 4)),
  fc
    .constantFrom(...layoutPieces.split(' '))
    .chain((layout) => fc.tuple(fc.constant(layout), fc.constantFrom(...valuePieces.split(' ')))),
  fc.tuple(operand(bytes), operand(bytes)),
);

export const timeOperands: OperandTable = new Map<string, fc.Arbitrary<readonly RegoValue[]>>([
  ['time.now_ns', fc.constant([])],
  ['time.parse_rfc3339_ns', fc.tuple(operand(rfc3339))],
  ['time.add_date', fc.tuple(fc.oneof(zoned, nearChange), units, units, units)],
  ['time.diff', fc.tuple(fc.oneof(zoned, nearChange), fc.oneof(zoned, nearChange))],
  ['time.parse_duration_ns', fc.tuple(operand(durations))],
  ['time.parse_ns', layoutAndValue],
  ['time.clock', moment],
  ['time.date', moment],
  ['time.weekday', moment],
]);
