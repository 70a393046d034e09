import { Body, Controller, Delete, Get, Inject, Param, Post } from '@nestjs/common';
import type { AuditEvent, AuditLog, Caller } from '../../../decision/model.ts';
import { AuditError } from '../../../decision/model.ts';
import type { TokenInfo, TokenStore } from '../../../identity/index.ts';
import { Asking, Permitted } from '../access.ts';
import { tokenRequestOf } from '../body.ts';
import type { TokenAnswer, TokensAnswer } from '../model.ts';
import { type AdminLog, AUDIT, LOG, TOKENS } from '../ports.ts';

const detailsOf = ({ name, roles, bundles, expiresAt }: TokenInfo): AuditEvent['details'] => ({
  name,
  roles,
  ...(bundles === undefined ? {} : { bundles }),
  ...(expiresAt === undefined ? {} : { expires: expiresAt }),
});

/** API tokens: who else may use this API, and for what. */
@Controller('v1/tokens')
export class TokensController {
  constructor(
    @Inject(TOKENS) private readonly tokens: TokenStore,
    @Inject(AUDIT) private readonly audit: AuditLog,
    @Inject(LOG) private readonly log: AdminLog,
  ) {}

  @Get()
  @Permitted({ roles: ['operator'] })
  list(): TokensAnswer {
    return { tokens: this.tokens.list() };
  }

  @Post()
  @Permitted({ roles: ['operator'] })
  async create(@Body() body: unknown, @Asking() caller: Caller): Promise<TokenAnswer> {
    const { writable, reason } = this.audit.health();
    // Before the name is taken: what cannot be recorded is not done.
    if (!writable)
      throw new AuditError('AUDIT_UNWRITABLE', `no token was made, since that cannot be recorded: ${reason}`);
    const { expiresInSeconds, ...wanted } = tokenRequestOf(body);
    const expiry = expiresInSeconds === undefined ? {} : { expiresInMs: expiresInSeconds * 1000 };
    const { info, secret } = this.tokens.create({ ...wanted, ...expiry }, caller.name);
    try {
      await this.audit.note({ event: 'token_create', by: caller.name, details: detailsOf(info) });
    } catch (error) {
      this.tokens.revoke(info.name, caller.name);
      throw error;
    }
    this.log.info({ name: info.name, roles: info.roles, bundles: info.bundles, by: caller.name }, 'token created');
    return { token: info, secret };
  }

  @Delete(':name')
  @Permitted({ roles: ['operator'] })
  async revoke(@Param('name') name: string, @Asking() caller: Caller): Promise<TokenInfo> {
    const wasRevoked = this.tokens.list().some((token) => token.name === name && token.revokedAt !== undefined);
    const info = this.tokens.revoke(name, caller.name);
    if (wasRevoked) return info;
    try {
      await this.audit.note({ event: 'token_revoke', by: caller.name, details: { name: info.name } });
    } catch (error) {
      // A token that somebody wants gone is gone, whatever the disk says.
      this.log.error({ err: error, name: info.name }, 'the revocation of a token could not be recorded');
    }
    this.log.info({ name: info.name, by: caller.name }, 'token revoked');
    return info;
  }
}
