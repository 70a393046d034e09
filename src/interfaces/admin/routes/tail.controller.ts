import { Controller, Get, Inject, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AuditReader } from '../../../audit/index.ts';
import { AuditError, type Caller } from '../../../decision/model.ts';
import type { TokenStore } from '../../../identity/index.ts';
import { Asking, checkAccess, Permitted } from '../access.ts';
import { filterOf, lastOf, type Parameters } from '../filter.ts';
import { type AdminLog, ENDING, LOG, READER, TOKENS } from '../ports.ts';
import { beginning, tail } from '../tail.ts';

/** Each stream reads the log on its own. */
const MOST_STREAMS = 16;

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  // A proxy that gathers an answer before it passes it on would gather for ever.
  'x-accel-buffering': 'no',
};

/** Records as they are written. */
@Controller('v1/decisions/tail')
export class TailController {
  private streams = 0;

  constructor(
    @Inject(READER) private readonly reader: AuditReader,
    @Inject(TOKENS) private readonly tokens: TokenStore,
    @Inject(LOG) private readonly log: AdminLog,
    @Inject(ENDING) private readonly ending: AbortController,
  ) {}

  @Get()
  @Permitted({ roles: ['auditor'] })
  async stream(
    @Query() parameters: Parameters,
    @Asking() caller: Caller,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    if (this.streams >= MOST_STREAMS) throw new AuditError('AUDIT_BUSY', `${MOST_STREAMS} streams are open already`);
    const filter = filterOf(parameters, caller, ['last']);
    const last = lastOf(parameters.last);
    this.streams += 1;
    try {
      const { events, from } = await this.begin(request, filter, last);
      reply.hijack();
      reply.raw.writeHead(200, HEADERS);
      reply.raw.write(': verdict decisions\n\n');
      reply.raw.write(events);
      const { reader } = this;
      const mayGoOn = (): boolean => this.mayGoOn(request);
      await tail(reply.raw, { reader, filter, from, ending: this.ending.signal, mayGoOn });
    } catch (error) {
      if (!reply.raw.headersSent) throw error;
      this.log.error({ err: error }, 'a stream of decisions broke off');
    } finally {
      this.streams -= 1;
    }
  }

  private async begin(request: FastifyRequest, filter: ReturnType<typeof filterOf>, last: number) {
    const resumed = request.headers['last-event-id'];
    if (typeof resumed !== 'string' || resumed === '') return beginning(this.reader, filter, last);
    return { events: Buffer.alloc(0), from: this.reader.indexOf(resumed) + 1 };
  }

  /** A stream outlives the check of its request: a token that is revoked ends it. */
  private mayGoOn(request: FastifyRequest): boolean {
    try {
      checkAccess(request, this.tokens);
      return true;
    } catch {
      return false;
    }
  }
}
