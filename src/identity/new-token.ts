import type { Role } from '../decision/model.ts';
import { IdentityError, type NewToken } from './model.ts';
import type { IdentitySettings } from './settings.ts';

/** Every role, in the order in which lists and messages show them. */
export const ROLES: readonly Role[] = ['ask', 'author', 'approver', 'auditor', 'operator', 'edge'];

const NAME = /^[a-z][a-z0-9-]{0,62}$/;
const DAY_MS = 86_400_000;
/** Dates beyond this have no ISO text of four-digit years. */
const LONGEST_MS = 3650 * DAY_MS;

const shown = (names: readonly string[]): string =>
  `${names
    .slice(0, 3)
    .map((name) => JSON.stringify(name.slice(0, 40)))
    .join(', ')}${names.length > 3 ? ', ...' : ''}`;

const checkRoles = (token: NewToken): void => {
  if (token.roles.length === 0)
    throw new IdentityError('TOKEN_ROLE_INVALID', `a token needs a role: one or more of ${ROLES.join(', ')}`);
  const unknown = token.roles.filter((role) => !ROLES.includes(role));
  if (unknown.length > 0)
    throw new IdentityError('TOKEN_ROLE_INVALID', `${shown(unknown)}: wanted roles out of ${ROLES.join(', ')}`);
};

const checkBundles = (token: NewToken): void => {
  if (token.bundles === undefined) return;
  if (token.bundles.length === 0 || !token.bundles.every((name) => NAME.test(name)))
    throw new IdentityError(
      'TOKEN_BUNDLE_INVALID',
      'bundles of a token: one or more names of a-z, 0-9 and -, beginning with a letter, at most 63 long',
    );
  // Who makes tokens could make one without the restriction, so it would restrict nothing.
  if (token.roles.includes('operator'))
    throw new IdentityError('TOKEN_ROLE_INVALID', 'the role operator holds for the whole server: leave out bundles');
};

const checkExpiry = (token: NewToken, settings: IdentitySettings): void => {
  const life = token.expiresInMs;
  if (life !== undefined && !(Number.isFinite(life) && life > 0 && life <= LONGEST_MS))
    throw new IdentityError('TOKEN_EXPIRY_INVALID', 'a token expires after more than nothing and at most 3650 days');
  const longest = settings.maxTokenDays;
  if (longest > 0 && (life === undefined || life > longest * DAY_MS))
    throw new IdentityError(
      'TOKEN_EXPIRY_INVALID',
      `a token must expire within ${longest} days here (identity.maxTokenDays)`,
    );
};

/** Throws an IdentityError that says what was wanted of a new token. */
export const checkNewToken = (token: NewToken, settings: IdentitySettings): void => {
  if (!NAME.test(token.name))
    throw new IdentityError(
      'TOKEN_NAME_INVALID',
      'a token is named by a-z, 0-9 and -, beginning with a letter, at most 63 characters',
    );
  checkRoles(token);
  checkBundles(token);
  checkExpiry(token, settings);
};
