import type { RegoObject } from '../../../rego/index.ts';
import { valueText } from '../../builtins/format/value-text.ts';
import { BuiltinError } from '../../builtins/model.ts';

/** An error that OPA tells without the builtin's name. */
export class BareError extends BuiltinError {}

/** A member that is a boolean; absent, it is false. */
export const flag = (request: RegoObject, key: string): boolean => {
  const value = request.get(key);
  if (value === undefined) return false;
  if (typeof value === 'boolean') return value;
  throw new BuiltinError(`invalid value for ${valueText(key)} field`);
};

/** A member that OPA gives to Go's strconv.ParseBool: the numbers 0 and 1 pass, too. */
export const goBoolean = (request: RegoObject, key: string): boolean => {
  const value = request.get(key);
  const text = value === undefined ? 'false' : valueText(value);
  if (text === 'true' || text === '1') return true;
  if (text === 'false' || text === '0') return false;
  throw new BuiltinError(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
};

/** A member that is a string, without the quotes around it; undefined when it is not there. */
export const textMember = (request: RegoObject, key: string): string | undefined => {
  const value = request.get(key);
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw new BuiltinError(`"${key}" must be a string`);
  return value.replace(/^"+|"+$/g, '');
};
