import type { BuiltinEntry } from '../model.ts';
import { semverCompare, semverIsValid } from './semver.ts';
import { unitsParse, unitsParseBytes } from './units.ts';
import { uuidParse } from './uuid.ts';

/** What reads versions, amounts and identifiers. */
export const notationBuiltins: readonly (readonly [string, BuiltinEntry])[] = [
  ['semver.compare', { run: semverCompare }],
  ['semver.is_valid', { run: semverIsValid }],
  ['units.parse', { run: unitsParse, cost: { call: 3_000, byte: 100 } }],
  ['units.parse_bytes', { run: unitsParseBytes, cost: { call: 3_000, byte: 100 } }],
  ['uuid.parse', { run: uuidParse }],
];
