import { Body, Controller, HttpCode, Inject, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { Caller } from '../../../decision/model.ts';
import { SOURCE_READERS } from '../../../identity/index.ts';
import type { Explain } from '../../../policy/index.ts';
import { Asking, checkBundle, Permitted } from '../access.ts';
import { explainRequestOf } from '../body.ts';
import { explanationText } from '../explained.ts';
import { EXPLAIN } from '../ports.ts';

/** How an answer comes about: for those who may fetch a version's sources and data, which a trace shows. */
@Controller('v1/explain')
export class ExplainController {
  constructor(@Inject(EXPLAIN) private readonly explain: Explain) {}

  @Post()
  @HttpCode(200)
  @Permitted({ roles: SOURCE_READERS })
  async ask(
    @Body() body: unknown,
    @Asking() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const request = explainRequestOf(body);
    const found = await this.explain({ ...request, checkBundle: (name) => checkBundle(caller, name) });
    reply.header('content-type', 'application/json; charset=utf-8');
    return explanationText(found);
  }
}
