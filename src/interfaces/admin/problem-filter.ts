import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Inject } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { VerdictError } from '../../canonical/index.ts';
import { AdminError, type Problem } from './model.ts';
import { type AdminLog, LOG } from './ports.ts';
import { problemOf } from './problems.ts';

const CHALLENGE = 'Bearer realm="verdict"';

/** Nest and Fastify have errors of their own: unknown routes, bodies over the limit, what HTTP itself forbids. */
const named = (thrown: unknown): unknown => {
  if (!(thrown instanceof HttpException)) return thrown;
  const status = thrown.getStatus();
  if (status === 413) return new AdminError('BODY_TOO_LARGE', 'the body is larger than this route takes');
  if (status === 415) return new AdminError('MEDIA_TYPE_UNSUPPORTED', 'this route takes another content type');
  return status < 500 ? new AdminError('REQUEST_INVALID', thrown.message) : thrown;
};

const refused = new WeakMap<FastifyRequest, string>();

/** The code with which a request was refused; undefined when it was not. */
export const refusalOf = (request: FastifyRequest): string | undefined => refused.get(request);

/** Sends a problem document. As bytes: Fastify would add a charset, which this media type does not have. */
export const sendProblem = (reply: FastifyReply, problem: Problem): void => {
  refused.set(reply.request, problem.code);
  if (problem.status === 401) reply.header('www-authenticate', CHALLENGE);
  if (problem.code === 'FORBIDDEN') reply.header('www-authenticate', `${CHALLENGE}, error="insufficient_scope"`);
  reply
    .status(problem.status)
    .header('content-type', 'application/problem+json')
    .send(Buffer.from(JSON.stringify(problem)));
};

/** Every error of the API leaves here, as application/problem+json (RFC 9457). */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(@Inject(LOG) private readonly log: AdminLog) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const error = named(thrown);
    const problem = problemOf(error);
    if (problem.status >= 500) {
      const cause = error instanceof VerdictError && error.cause !== undefined ? { cause: error.cause } : {};
      this.log.error({ code: problem.code, err: error, ...cause, route: request.routeOptions.url }, 'a request failed');
    }
    sendProblem(reply, problem);
  }
}
