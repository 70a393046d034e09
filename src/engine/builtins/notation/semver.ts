import { regoInteger } from '../../../rego/index.ts';
import type { Builtin } from '../model.ts';
import { BuiltinError } from '../model.ts';
import { byteStringOperand } from '../operands.ts';

interface Version {
  /** Major, minor, patch. */
  readonly numbers: readonly bigint[];
  readonly preRelease: string;
}

// Semantic Versioning 2.0.0, a `v` before it allowed.
const form =
  /^v?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;

const MOST = 2n ** 63n - 1n;

const parseVersion = (text: string): Version | undefined => {
  const match = form.exec(text);
  if (match === null) return undefined;
  const preRelease = match[4] ?? '';
  if (/(?:^|\.)0\d+(?:\.|$)/.test(preRelease)) return undefined;
  const numbers = match.slice(1, 4).map(BigInt);
  return numbers.every((number) => number <= MOST) ? { numbers, preRelease } : undefined;
};

const orderOf = <T extends bigint | string>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);

const isNumeric = (identifier: string): boolean => /^\d+$/.test(identifier);

/** Of 64 bits: larger ones count as the largest. */
const numberOf = (identifier: string): bigint => {
  const value = BigInt(identifier);
  return value > MOST ? MOST : value;
};

const compareIdentifiers = (a: string, b: string): number => {
  if (isNumeric(a) !== isNumeric(b)) return isNumeric(a) ? -1 : 1;
  return isNumeric(a) ? orderOf(numberOf(a), numberOf(b)) : orderOf(a, b);
};

const comparePreReleases = (a: string, b: string): number => {
  if (a === '' || b === '') return a === b ? 0 : a === '' ? 1 : -1;
  const [left, right] = [a.split('.'), b.split('.')];
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const order = compareIdentifiers(left[at] as string, right[at] as string);
    if (order !== 0) return order;
  }
  return Math.sign(left.length - right.length);
};

const compareVersions = (a: Version, b: Version): number => {
  for (let at = 0; at < 3; at++) {
    const order = orderOf(a.numbers[at] as bigint, b.numbers[at] as bigint);
    if (order !== 0) return order;
  }
  return comparePreReleases(a.preRelease, b.preRelease);
};

const versionOf = (text: string, position: number): Version => {
  const version = parseVersion(text);
  if (version === undefined) throw new BuiltinError(`operand ${position}: string is not a valid SemVer`);
  return version;
};

/** `semver.compare`: -1, 0 or 1. */
export const semverCompare: Builtin = (_scope, a, b) => {
  const [left, right] = [byteStringOperand(a, 1), byteStringOperand(b, 2)];
  return regoInteger(compareVersions(versionOf(left, 1), versionOf(right, 2)));
};

/** `semver.is_valid`: false for what is no string. */
export const semverIsValid: Builtin = (_scope, text) => typeof text === 'string' && parseVersion(text) !== undefined;
