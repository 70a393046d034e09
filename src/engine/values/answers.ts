import type { RegoValue } from '../../rego/index.ts';
import { RegoObject, RegoSet } from '../../rego/index.ts';

// What modules answer: a set with one object, whose member `result` is the entrypoint's value.

export const undefinedText = Buffer.from('set()\0');
// As ABI 1.3 writes them; what ABI 1.2 writes has no space and goes the longer way.
export const trueText = Buffer.from('{{"result": true}}\0');
export const falseText = Buffer.from('{{"result": false}}\0');

/** Byte by byte: these texts are so short that a call of the runtime would cost more. */
export const startsWith = (bytes: Buffer, start: number, text: Buffer): boolean => {
  for (let at = 0; at < text.length; at++) if (bytes[start + at] !== text[at]) return false;
  return true;
};

/** The entrypoint's value; a module compiled from a query has a set of bindings instead, which is its value. */
export const answerOf = (results: RegoValue): RegoValue => {
  const [only, ...more] = results instanceof RegoSet ? results.items : [];
  if (!(only instanceof RegoObject) || more.length > 0 || only.entries.length !== 1) return results;
  const answer = only.get('result');
  return answer === undefined ? results : answer;
};
