import type { RegoValue } from '../../rego/index.ts';
import { bytesOf, RegoBytes, RegoNumber, RegoObject, RegoSet } from '../../rego/index.ts';
import { BuiltinError } from './model.ts';

/** A string, whether its bytes are UTF-8 or not. */
export const isText = (value: RegoValue | undefined): value is string | RegoBytes =>
  typeof value === 'string' || value instanceof RegoBytes;

/** The name of a value's type, as errors have it. */
export const typeName = (value: RegoValue | undefined): string => {
  if (value === undefined) return 'undefined';
  if (value === null) return 'null';
  if (isText(value)) return 'string';
  if (value instanceof RegoNumber) return 'number';
  if (value instanceof RegoObject) return 'object';
  if (value instanceof RegoSet) return 'set';
  return typeof value === 'boolean' ? 'boolean' : 'array';
};

/** The error for an operand that is of none of the types that are wanted. */
export const wrongType = (
  value: RegoValue | undefined,
  position: number,
  ...wanted: readonly string[]
): BuiltinError => {
  const types = wanted.length === 1 ? wanted[0] : `one of {${wanted.join(', ')}}`;
  return new BuiltinError(`operand ${position} must be ${types} but got ${typeName(value)}`);
};

export const textOperandError = (value: RegoValue | undefined, position: number): BuiltinError =>
  wrongType(value, position, 'string');

export const arrayOperand = (value: RegoValue | undefined, position: number): readonly RegoValue[] => {
  if (Array.isArray(value)) return value as readonly RegoValue[];
  throw wrongType(value, position, 'array');
};

/** The bytes of a string operand; positions count from 1. */
export const byteOperand = (value: RegoValue | undefined, position: number): Uint8Array => {
  if (isText(value)) return bytesOf(value);
  throw wrongType(value, position, 'string');
};

/**
 * A string operand with one character a byte (`latin1`), which is how OPA, whose strings are bytes, splits, measures
 * and signs tokens. ASCII, which is nearly every token, is returned as it is.
 */
export const byteStringOperand = (value: RegoValue | undefined, position: number): string => {
  if (typeof value === 'string' && !/[^\x00-\x7f]/.test(value)) return value;
  return Buffer.from(byteOperand(value, position)).toString('latin1');
};

export const objectOperand = (value: RegoValue | undefined, position: number): RegoObject => {
  if (value instanceof RegoObject) return value;
  throw wrongType(value, position, 'object');
};

/** The items of an array or set operand. */
export const listOperand = (value: RegoValue | undefined, position: number): readonly RegoValue[] => {
  if (value instanceof RegoSet) return value.items;
  if (Array.isArray(value)) return value as readonly RegoValue[];
  throw wrongType(value, position, 'array', 'set');
};

const LEAST = -(2n ** 63n);
const MOST = 2n ** 63n - 1n;

/** The integer of 64 bits that a text is for OPA: a sign, 19 digits at most, and zeros behind a point. */
export const int64Of = (text: string): bigint | undefined => {
  const [, sign, body = '', digits] = /^([+-]?)((\d*)(?:\.0*)?)$/.exec(text) ?? [];
  if (body === '' || body.length > 19) return undefined;
  const value = BigInt(`0${digits}`) * (sign === '-' ? -1n : 1n);
  return value < LEAST || value > MOST ? undefined : value;
};

const noInteger = (position: number): BuiltinError =>
  new BuiltinError(`operand ${position} must be integer number but got floating-point number`);

export const int64Operand = (value: RegoValue | undefined, position: number): bigint => {
  if (!(value instanceof RegoNumber)) throw wrongType(value, position, 'number');
  const found = int64Of(value.text);
  if (found === undefined) throw noInteger(position);
  return found;
};

// OPA reads no larger numbers: their binary exponent would be beyond 100,000.
const mostDigits = 30_200;

/** The integer of any size that a number is, however it is written: `3`, `3.0`, `3e2`; undefined when it is none. */
export const integerOf = (text: string): bigint | undefined => {
  if (/^-?\d+$/.test(text)) return BigInt(text);
  const [, sign, whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const digits = (whole + fraction).replace(/0+$/, '');
  const zeros = Number(exponent) - fraction.length + (whole + fraction).length - digits.length;
  if (/^0*$/.test(digits)) return 0n;
  if (!(zeros >= 0 && zeros <= mostDigits)) return undefined;
  return BigInt(digits + '0'.repeat(zeros)) * (sign === '-' ? -1n : 1n);
};

export const integerOperand = (value: RegoValue | undefined, position: number): bigint => {
  if (!(value instanceof RegoNumber)) throw wrongType(value, position, 'integer');
  const found = integerOf(value.text);
  if (found === undefined) throw noInteger(position);
  return found;
};

/** A Rego string of these bytes: text when they are valid UTF-8, and bytes otherwise. */
export const stringOfBytes = (bytes: Buffer): string | RegoBytes => {
  const text = bytes.toString('utf8');
  return text.includes('\ufffd') && !Buffer.from(text).equals(bytes) ? new RegoBytes(bytes) : text;
};
