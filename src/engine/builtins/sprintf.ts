import type { RegoValue } from '../../rego/index.ts';
import { RegoBytes, RegoNumber } from '../../rego/index.ts';
import { EvaluationFailure } from '../failure.ts';
import { stringOfText, textOf, textOperand } from './format/byte-text.ts';
import type { Argument } from './format/go-printf.ts';
import { Printf } from './format/go-printf.ts';
import { valueText } from './format/value-text.ts';
import type { Builtin } from './model.ts';
import { arrayOperand } from './operands.ts';

/** Longer texts than this no result may have; a short format could ask for any number of megabytes. */
const MOST_LENGTH = 16 << 20;

const LEAST = -(2n ** 63n);
const MOST = 2n ** 63n - 1n;

const argumentOf = (value: RegoValue): Argument => {
  if (value instanceof RegoNumber) {
    const { text } = value;
    if (/[.eE]/.test(text)) {
      const float = Number(text);
      return Number.isFinite(float) ? { kind: 'float64', value: float } : { kind: 'string', value: text };
    }
    const whole = BigInt(text);
    return { kind: whole >= LEAST && whole <= MOST ? 'int64' : 'big', value: whole };
  }
  const isString = typeof value === 'string' || value instanceof RegoBytes;
  return { kind: 'string', value: isString ? textOf(value) : valueText(value) };
};

/** `sprintf`: Go's verbs; values other than strings and numbers arrive as their Rego text. */
export const sprintf: Builtin = (_scope, format, values) => {
  const text = textOperand(format, 1);
  const printed = new Printf(text, arrayOperand(values, 2).map(argumentOf), MOST_LENGTH).text();
  if (printed === undefined) throw new EvaluationFailure('too_large', 'sprintf: the text is too long');
  return stringOfText(printed);
};
