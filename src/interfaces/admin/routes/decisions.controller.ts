import { Controller, Get, Inject, Param, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { AuditLog, Caller } from '../../../decision/model.ts';
import { Asking, Permitted } from '../access.ts';
import { AdminError } from '../model.ts';
import { AUDIT } from '../ports.ts';

/**
 * A restricted auditor reads decisions that rest on their bundles alone. What no bundle answered is not among them: the
 * input of a refused question was meant for whatever bundle was asked.
 */
const mayRead = (caller: Caller, record: string): boolean => {
  if (caller.bundles === undefined) return true;
  const { bundles } = JSON.parse(record) as { readonly bundles?: { readonly [name: string]: unknown } };
  const names = Object.keys(bundles ?? {});
  return names.length > 0 && names.every((name) => caller.bundles?.includes(name));
};

/** What was decided, as the log has it. */
@Controller('v1/decisions')
export class DecisionsController {
  constructor(@Inject(AUDIT) private readonly audit: AuditLog) {}

  @Get(':id')
  @Permitted({ roles: ['auditor'] })
  async show(
    @Param('id') id: string,
    @Asking() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const record = await this.audit.find(id);
    if (record === undefined || !mayRead(caller, record))
      throw new AdminError('DECISION_UNKNOWN', 'no decision that this token may read has this id');
    // The text as it is stored: parsing it would lose the digits of large numbers.
    reply.header('content-type', 'application/json; charset=utf-8');
    return record;
  }
}
