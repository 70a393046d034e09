import type { RegoValue } from '../../../rego/index.ts';
import { stringOfText, textOf } from '../format/byte-text.ts';
import type { BuiltinError } from '../model.ts';
import { isText } from '../operands.ts';

/**
 * The steps of a path into a document: `a/b`, with or without slashes in front and escaped as in a JSON Pointer (RFC
 * 6901), or an array of steps, which may be any values. Throws what `wrong` makes for any other value.
 */
export const pathSteps = (path: RegoValue, wrong: () => BuiltinError): readonly RegoValue[] => {
  if (Array.isArray(path)) return path as readonly RegoValue[];
  if (!isText(path)) throw wrong();
  const text = textOf(path);
  if (text === '') return [];
  const steps = text.replace(/^\/+/, '').split('/');
  return steps.map((step) => stringOfText(step.replaceAll('~1', '/').replaceAll('~0', '~')));
};
