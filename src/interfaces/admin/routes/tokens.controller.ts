import { Body, Controller, Delete, Get, Inject, Param, Post } from '@nestjs/common';
import type { Caller } from '../../../decision/model.ts';
import type { TokenInfo, TokenStore } from '../../../identity/index.ts';
import { Asking, Permitted } from '../access.ts';
import { tokenRequestOf } from '../body.ts';
import type { TokenAnswer, TokensAnswer } from '../model.ts';
import { type AdminLog, LOG, TOKENS } from '../ports.ts';

/** API tokens: who else may use this API, and for what. */
@Controller('v1/tokens')
export class TokensController {
  constructor(
    @Inject(TOKENS) private readonly tokens: TokenStore,
    @Inject(LOG) private readonly log: AdminLog,
  ) {}

  @Get()
  @Permitted({ roles: ['operator'] })
  list(): TokensAnswer {
    return { tokens: this.tokens.list() };
  }

  @Post()
  @Permitted({ roles: ['operator'] })
  create(@Body() body: unknown, @Asking() caller: Caller): TokenAnswer {
    const { expiresInSeconds, ...wanted } = tokenRequestOf(body);
    const expiry = expiresInSeconds === undefined ? {} : { expiresInMs: expiresInSeconds * 1000 };
    const { info, secret } = this.tokens.create({ ...wanted, ...expiry }, caller.name);
    this.log.info({ name: info.name, roles: info.roles, bundles: info.bundles, by: caller.name }, 'token created');
    return { token: info, secret };
  }

  @Delete(':name')
  @Permitted({ roles: ['operator'] })
  revoke(@Param('name') name: string, @Asking() caller: Caller): TokenInfo {
    const info = this.tokens.revoke(name, caller.name);
    this.log.info({ name: info.name, by: caller.name }, 'token revoked');
    return info;
  }
}
