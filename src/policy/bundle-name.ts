import { quoted } from './archive/names.ts';
import { PolicyError } from './model.ts';

const NAME = /^[a-z][a-z0-9-]{0,62}$/;

/** First segments of paths that the listeners answer themselves: a bundle of that name could not be asked. */
const reservedNames = [
  'v0',
  'v1',
  'access',
  'bundles',
  'console',
  'health',
  'log',
  'logs',
  'metrics',
  'oauth2',
  'openapi',
  'ssf',
  'status',
];

/** Refuses what is no name of a bundle: BUNDLE_NAME_INVALID. */
export const checkBundleName = (name: string): void => {
  if (!NAME.test(name)) {
    throw new PolicyError(
      'BUNDLE_NAME_INVALID',
      `${quoted(name)} is no bundle name: a small letter, then at most 62 small letters, digits and hyphens`,
    );
  }
  if (reservedNames.includes(name)) throw new PolicyError('BUNDLE_NAME_INVALID', `the name ${name} is reserved`);
};
