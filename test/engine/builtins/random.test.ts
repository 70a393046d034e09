import { expect, test } from 'vitest';
import { typescriptBuiltins } from '../../../src/engine/builtins/index.ts';
import { type RegoValue, regoInteger } from '../../../src/rego/index.ts';
import { callScope } from './scope.ts';

const { scope, reported } = callScope();
const call = (name: string, ...operands: RegoValue[]) => typescriptBuiltins.get(name)?.run(scope, ...operands);
const most = regoInteger(2n ** 62n);

test('within one evaluation a question to chance has one answer, and another question another', () => {
  expect(call('uuid.rfc4122', 'a')).toBe(call('uuid.rfc4122', 'a'));
  expect(call('uuid.rfc4122', 'a')).not.toBe(call('uuid.rfc4122', 'b'));
  expect(call('rand.intn', 'a', most)).toBe(call('rand.intn', 'a', regoInteger(-(2n ** 62n))));
  expect(call('rand.intn', 'a', most)).not.toEqual(call('rand.intn', 'b', most));
  expect(reported.volatile).toBe(true);
});

test('rand.intn stays below its bound and reaches all of it', () => {
  const drawn = new Set<string>();
  for (let at = 0; at < 200; at++) drawn.add(JSON.stringify(call('rand.intn', `${at}`, regoInteger(3))));
  expect([...drawn].sort()).toEqual(['{"text":"0"}', '{"text":"1"}', '{"text":"2"}']);
});

test('versions whose pre-release numbers are beyond 64 bits are compared to an end, which OPA never reaches', () => {
  const version = (last: number): string => `1.0.0-9999999999999999999${last}`;
  expect(call('semver.compare', version(1), version(2))).toEqual(regoInteger(0));
});
