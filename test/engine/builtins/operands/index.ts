import { collectionOperands } from './collections.ts';
import { digestOperands } from './digests.ts';
import { encodingOperands } from './encoding.ts';
import { formatOperands } from './format.ts';
import { nativeOperands } from './natives.ts';
import { netOperands } from './net.ts';
import { notationOperands } from './notation.ts';
import { randomOperands } from './random.ts';
import { regexOperands } from './regex.ts';
import { textOperands } from './text.ts';
import { timeOperands } from './time.ts';
import { tokenOperands } from './tokens.ts';
import type { OperandTable } from './values.ts';
import { windowOperands } from './windows.ts';

/** Lists of operands for every builtin in TypeScript: what it is made for, and anything else at times. */
export const operandTable: OperandTable = new Map([
  ...collectionOperands,
  ...digestOperands,
  ...encodingOperands,
  ...formatOperands,
  ...netOperands,
  ...notationOperands,
  ...randomOperands,
  ...regexOperands,
  ...nativeOperands,
  ...textOperands,
  ...timeOperands,
  ...tokenOperands,
  ...windowOperands,
]);
