export type { IdentityErrorCode, NewSecret, NewToken, OpenTokenStore, TokenInfo, TokenStore } from './model.ts';
export { IdentityError } from './model.ts';
export { ROLES } from './new-token.ts';
export type { OperatorToken } from './operator-token.ts';
export { ensureOperatorToken, OPERATOR_TOKEN_FILE } from './operator-token.ts';
export { holdsFor, SOURCE_READERS } from './permissions.ts';
export type { IdentitySettings } from './settings.ts';
export { identitySchema } from './settings.ts';
export { openTokenStore } from './token-store.ts';
