import { Controller, Get, Inject, Param, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { AuditReader, RecordPage } from '../../../audit/index.ts';
import type { AuditLog, Caller } from '../../../decision/model.ts';
import type { Explain } from '../../../policy/index.ts';
import { Asking, checkBundle, Permitted } from '../access.ts';
import { explanationText, isSame, recordedQuestion } from '../explained.ts';
import { cursorIn, filterOf, limitOf, type Parameters } from '../filter.ts';
import { AdminError } from '../model.ts';
import { AUDIT, EXPLAIN, READER } from '../ports.ts';

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

/** The records' own texts between the members of the answer: parsing them would lose the digits of large numbers. */
const pageBody = ({ bytes, next, partial, scanned, damaged, missing }: RecordPage): Buffer => {
  const facts = {
    ...(next === undefined ? {} : { next }),
    partial,
    scanned,
    ...(damaged.length > 0 ? { damaged } : {}),
    ...(missing.length > 0 ? { missing } : {}),
  };
  return Buffer.concat([
    Buffer.from('{"decisions":[\n'),
    bytes,
    Buffer.from(`\n],${JSON.stringify(facts).slice(1)}\n`),
  ]);
};

const JSON_TYPE = 'application/json; charset=utf-8';

/** What was decided, as the log has it. */
@Controller('v1/decisions')
export class DecisionsController {
  constructor(
    @Inject(AUDIT) private readonly audit: AuditLog,
    @Inject(READER) private readonly reader: AuditReader,
    @Inject(EXPLAIN) private readonly explain: Explain,
  ) {}

  @Get()
  @Permitted({ roles: ['auditor'] })
  async search(
    @Query() parameters: Parameters,
    @Asking() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Buffer> {
    const filter = filterOf(parameters, caller, ['limit', 'cursor']);
    const page = { limit: limitOf(parameters.limit), cursor: cursorIn(parameters.cursor) };
    const body = pageBody(await this.reader.search(filter, page));
    reply.header('content-type', JSON_TYPE);
    return body;
  }

  private async recordOf(id: string, caller: Caller): Promise<string> {
    const record = await this.audit.find(id);
    if (record !== undefined && mayRead(caller, record)) return record;
    const lack = this.reader.missing().length === 0 ? '' : '; the log lacks records, and it may be one of them';
    throw new AdminError('DECISION_UNKNOWN', `no decision that this token may read has this id${lack}`);
  }

  @Get(':id')
  @Permitted({ roles: ['auditor'] })
  async show(
    @Param('id') id: string,
    @Asking() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const record = await this.recordOf(id, caller);
    // The text as it is stored: parsing it would lose the digits of large numbers.
    reply.header('content-type', JSON_TYPE);
    return record;
  }

  /** How a recorded answer came about: by the versions, the input, the clock and the results that it was made from. */
  @Get(':id/explain')
  @Permitted({ roles: ['auditor'] })
  async why(
    @Param('id') id: string,
    @Asking() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const recorded = recordedQuestion(await this.recordOf(id, caller));
    const found = await this.explain({ ...recorded.question, checkBundle: (name) => checkBundle(caller, name) });
    reply.header('content-type', JSON_TYPE);
    return explanationText(found, {
      decision_id: id,
      path: recorded.question.path.join('/'),
      same: isSame(recorded, found),
    });
  }
}
