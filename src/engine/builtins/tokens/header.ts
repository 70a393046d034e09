import type { RegoObject, RegoValue } from '../../../rego/index.ts';
import { BuiltinError } from '../model.ts';
import { byteString } from './token.ts';

/** The members of a token's header that verification rests on, as byte strings; empty where absent. */
export interface Header {
  readonly algorithm: string;
  readonly keyId: string;
  readonly contentType: string;
  /** False without `alg`, and with a critical member that is not known here. */
  readonly isValid: boolean;
}

const known = new Set(['alg', 'kid', 'typ', 'cty', 'crit']);

const textMember = (header: RegoObject, name: string): string => {
  const value = header.get(name);
  const text = value === undefined ? '' : byteString(value);
  if (text === undefined) throw new BuiltinError(`the token's ${name} must be a string`);
  return text;
};

// Entries up to the first that is no string count; the rest are not looked at.
const criticalMembers = (critical: RegoValue | undefined): readonly string[] => {
  if (critical === undefined) return [];
  const entries = Array.isArray(critical) ? (critical as readonly RegoValue[]) : [];
  const firstOther = entries.findIndex((entry) => typeof entry !== 'string');
  const names = (firstOther < 0 ? entries : entries.slice(0, firstOther)) as readonly string[];
  if (names.length === 0) throw new BuiltinError("the token's crit must be a list of strings with at least one");
  return names;
};

/** Throws when a member that is understood has the wrong type. */
export const readHeader = (header: RegoObject): Header => {
  const algorithm = textMember(header, 'alg');
  const keyId = textMember(header, 'kid');
  textMember(header, 'typ');
  const contentType = textMember(header, 'cty');
  const isBarred = criticalMembers(header.get('crit')).some(
    (name) => !known.has(name) && header.get(name) !== undefined,
  );
  return { algorithm, keyId, contentType, isValid: algorithm !== '' && !isBarred };
};
