export type { IdentityErrorCode, NewSecret, NewToken, OpenTokenStore, TokenInfo, TokenStore } from './model.ts';
export { IdentityError } from './model.ts';
export type { OperatorToken } from './operator-token.ts';
export { ensureOperatorToken, OPERATOR_TOKEN_FILE } from './operator-token.ts';
export type { IdentitySettings } from './settings.ts';
export { identitySchema } from './settings.ts';
export { openTokenStore, ROLES } from './token-store.ts';
