import type { BuiltinEntry, CallCost } from '../model.ts';
import { semverCompare, semverIsValid } from './semver.ts';
import { unitsParse, unitsParseBytes } from './units.ts';
import { uuidParse } from './uuid.ts';

const exact: CallCost = { call: 3_000, byte: 100, more: 'powers of ten' };

/** What reads versions, amounts and identifiers. */
export const notationBuiltins: readonly (readonly [string, BuiltinEntry])[] = [
  ['semver.compare', { run: semverCompare }],
  ['semver.is_valid', { run: semverIsValid }],
  ['units.parse', { run: unitsParse, cost: exact }],
  ['units.parse_bytes', { run: unitsParseBytes, cost: exact }],
  ['uuid.parse', { run: uuidParse }],
];
