import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Permitted } from '../access.ts';
import type { HealthAnswer } from '../model.ts';
import { openApi } from '../openapi/document.ts';
import { HEALTH, type HealthPort, METRICS, type MetricsPort, VERSION } from '../ports.ts';

type Report = ReturnType<HealthPort['ready']>;

const answer = (report: Report, reply: FastifyReply): HealthAnswer => {
  reply.status(report.ok ? 200 : 503);
  return { status: report.ok ? 'ok' : 'unavailable', reasons: report.reasons };
};

/** Whether the service is well, what it counted, and how it is spoken to. */
@Controller()
export class ServiceController {
  constructor(
    @Inject(HEALTH) private readonly health: HealthPort,
    @Inject(METRICS) private readonly metrics: MetricsPort,
    @Inject(VERSION) private readonly version: string,
  ) {}

  @Get('health/live')
  @Permitted({ open: true })
  live(@Res({ passthrough: true }) reply: FastifyReply): HealthAnswer {
    return answer(this.health.live(), reply);
  }

  @Get('health/ready')
  @Permitted({ open: true })
  ready(@Res({ passthrough: true }) reply: FastifyReply): HealthAnswer {
    return answer(this.health.ready(), reply);
  }

  @Get('metrics')
  @Permitted({ roles: ['operator'], openOnLoopback: true })
  async measure(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    const { contentType, text } = await this.metrics.read();
    reply.header('content-type', contentType);
    return text;
  }

  @Get('openapi.json')
  @Permitted({ open: true })
  describe(): object {
    return openApi(this.version);
  }
}
