import type { RegoValue } from '../../rego/index.ts';
import { bytesOf, RegoBytes, RegoNumber, RegoObject, RegoSet } from '../../rego/index.ts';
import { BuiltinError } from './model.ts';

const typeName = (value: RegoValue | undefined): string => {
  if (value === undefined) return 'undefined';
  if (value === null) return 'null';
  if (typeof value === 'string' || value instanceof RegoBytes) return 'string';
  if (value instanceof RegoNumber) return 'number';
  if (value instanceof RegoObject) return 'object';
  if (value instanceof RegoSet) return 'set';
  return typeof value === 'boolean' ? 'boolean' : 'array';
};

const wrongType = (value: RegoValue | undefined, position: number, wanted: string): BuiltinError =>
  new BuiltinError(`operand ${position} must be ${wanted} but got ${typeName(value)}`);

export const textOperandError = (value: RegoValue | undefined, position: number): BuiltinError =>
  wrongType(value, position, 'string');

export const arrayOperand = (value: RegoValue | undefined, position: number): readonly RegoValue[] => {
  if (Array.isArray(value)) return value as readonly RegoValue[];
  throw wrongType(value, position, 'array');
};

/** The bytes of a string operand; positions count from 1. */
export const byteOperand = (value: RegoValue | undefined, position: number): Uint8Array => {
  if (typeof value === 'string' || value instanceof RegoBytes) return bytesOf(value);
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

/** A Rego string of these bytes: text when they are valid UTF-8, and bytes otherwise. */
export const stringOfBytes = (bytes: Buffer): string | RegoBytes => {
  const text = bytes.toString('utf8');
  return text.includes('\ufffd') && !Buffer.from(text).equals(bytes) ? new RegoBytes(bytes) : text;
};
