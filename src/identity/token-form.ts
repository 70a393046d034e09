import { randomBytes } from 'node:crypto';

const SECRET = /^vdt_[A-Za-z0-9_-]{43}$/;

/** A secret that nobody has: 256 random bits in the form of API tokens. */
export const newSecretText = (): string => `vdt_${randomBytes(32).toString('base64url')}`;

export const isSecretText = (text: string): boolean => SECRET.test(text);

// At the beginning of a word only: within other issuers' tokens these letters may stand by chance.
const PRESENTED = /(?:^|[\s"'])vdt_/i;

/**
 * Whether the value of an `Authorization` header presents an API token of Verdict's, valid or not, cut or wrongly
 * quoted ones too. Anything else is another issuer's credential, about which Verdict knows nothing.
 */
export const presentsToken = (authorization: string): boolean => PRESENTED.test(authorization);
