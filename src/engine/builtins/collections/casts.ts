import type { RegoValue } from '../../../rego/index.ts';
import { RegoObject, regoSet } from '../../../rego/index.ts';
import type { Builtin, BuiltinEntry } from '../model.ts';
import { isText, listOperand, wrongType } from '../operands.ts';

/** The value itself, where it is of the type. */
const same =
  (wanted: string, isOf: (value: RegoValue | undefined) => boolean): Builtin =>
  (_scope, value) => {
    if (isOf(value)) return value;
    throw wrongType(value, 1, wanted);
  };

/** The casts of Rego v0, which no v1 policy may call. */
export const casts: readonly (readonly [string, BuiltinEntry])[] = [
  ['cast_array', { run: (_scope, value) => listOperand(value, 1) }],
  ['cast_set', { run: (_scope, value) => regoSet(listOperand(value, 1)) }],
  ['cast_string', { run: same('string', isText) }],
  ['cast_boolean', { run: same('boolean', (value) => typeof value === 'boolean') }],
  ['cast_null', { run: same('null', (value) => value === null) }],
  ['cast_object', { run: same('object', (value) => value instanceof RegoObject) }],
];
