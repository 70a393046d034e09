import { damageSentence, holeSentence, isDamage, isHole } from '../../audit/sentences.ts';
import { EXIT, type ExitCode } from '../model.ts';
import { plain } from '../screen/screen.ts';
import type { Session } from '../session.ts';
import { type ExactObject, isExactObject } from '../sources/exact-json.ts';

/** What an answer says of the log itself, beside its records. */
export interface Damage {
  readonly damaged: readonly ExactObject[];
  readonly missing: readonly ExactObject[];
}

const MOST_SHOWN = 10;

/** Undefined when the answer is none of this program's. */
export const damageIn = (answer: ExactObject): Damage | undefined => {
  const { damaged = [], missing = [] } = answer;
  if (!Array.isArray(damaged) || !Array.isArray(missing)) return undefined;
  return { damaged: damaged.filter(isExactObject), missing: missing.filter(isExactObject) };
};

const each = (found: readonly ExactObject[]): ExactObject[] => [
  ...new Map(found.map((one) => [JSON.stringify(one), one])).values(),
];

/** Of answers to one search, one after another: each damaged place once, and what is missing as the last one has it. */
export const joined = (before: Damage, after: Damage): Damage => ({
  damaged: each([...before.damaged, ...after.damaged]),
  missing: after.missing,
});

export const NO_DAMAGE: Damage = { damaged: [], missing: [] };

/** The members of a JSON answer; none when all is well. */
export const membersOf = ({ damaged, missing }: Damage): Partial<Damage> => ({
  ...(damaged.length > 0 ? { damaged } : {}),
  ...(missing.length > 0 ? { missing } : {}),
});

/** Numbers of such an answer are small: nothing of them is lost. */
const asPlain = (found: ExactObject): { readonly [member: string]: unknown } => JSON.parse(JSON.stringify(found));

const sentenceOf = (found: ExactObject): string => {
  const value = asPlain(found);
  if (isHole(value)) return holeSentence(value);
  return isDamage(value) ? damageSentence(value) : JSON.stringify(value);
};

/** Says of damage what whoever reads the records must know; the records stand beside it. */
export const warnOfDamage = ({ screen }: Session, { damaged, missing }: Damage): void => {
  const found = [...missing, ...damaged];
  for (const one of found.slice(0, MOST_SHOWN)) screen.warn(`warning: ${plain(sentenceOf(one))}`);
  if (found.length > MOST_SHOWN) screen.warn(`warning: and ${found.length - MOST_SHOWN} more places`);
};

/** A script that counts records must see that they are not all of them. */
export const exitOf = ({ damaged, missing }: Damage): ExitCode =>
  damaged.length + missing.length > 0 ? EXIT.damaged : EXIT.done;
