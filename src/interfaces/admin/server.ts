import type { AddressInfo } from 'node:net';
import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RequestObserver } from '../../decision/model.ts';
import { checkAccess, type Permit, type RouteAccess } from './access.ts';
import { readBodies } from './body.ts';
import { AdminError } from './model.ts';
import { nestLog } from './nest-log.ts';
import { checkOrigin, ownNames } from './origin.ts';
import { type AdminParts, ENDING } from './ports.ts';
import { refusalOf, sendProblem } from './problem-filter.ts';
import { problemOf } from './problems.ts';
import type { AdminSettings } from './settings.ts';
import { refuseUnrouted } from './unrouted.ts';

export interface AdminOptions {
  /** The module that wires the parts to AdminModule. */
  readonly module: DynamicModule;
  readonly parts: Pick<AdminParts, 'tokens' | 'log'>;
  readonly settings: AdminSettings;
  /** Bytes of the largest archive that a push may bring. */
  readonly archiveBytes: number;
  readonly observer?: RequestObserver;
}

export interface AdminRoute {
  readonly method: string;
  readonly path: string;
  /** Absent: the route is refused to everybody. */
  readonly permit?: Permit;
}

export interface AdminServer {
  /** `http://127.0.0.1:8282` */
  readonly url: string;
  readonly routes: readonly AdminRoute[];
  /** From now on every answer says `Connection: close`. */
  drain(): void;
  /** Takes no new connection, lets requests finish for `graceMs`, then cuts them. */
  close(graceMs: number): Promise<void>;
}

/** People and pipelines, not services: more are a mistake or worse. */
const MAX_CONNECTIONS = 1000;

const urlOf = ({ address, family, port }: AddressInfo): string =>
  `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;

const newAdapter = (): FastifyAdapter =>
  new FastifyAdapter({
    exposeHeadRoutes: false,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    // For a whole upload; the answer to a push may take as long as compiling does.
    requestTimeout: 60_000,
    http: { maxHeaderSize: 16_384 },
    // A path that cannot be decoded reaches no route, and so no filter.
    frameworkErrors: (error: Error, _request: FastifyRequest, reply: FastifyReply) =>
      sendProblem(reply, problemOf(new AdminError('REQUEST_INVALID', error.message))),
  });

/**
 * Starts the admin API. Rejects with the error of the socket when it cannot listen; nothing stays open then.
 */
export const startAdminServer = async (options: AdminOptions): Promise<AdminServer> => {
  const { parts, settings } = options;
  const adapter = newAdapter();
  const fastify = adapter.getInstance();
  const names = ownNames(settings);
  const routes: AdminRoute[] = [];
  let draining = false;

  fastify.addHook('onRoute', ({ method, url, config }) => {
    const { permit } = (config ?? {}) as RouteAccess;
    for (const each of [method].flat())
      routes.push({ method: each, path: url, ...(permit === undefined ? {} : { permit }) });
  });
  // Before the body: nobody who may not push gets to send an archive.
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    if (draining) reply.header('connection', 'close');
    try {
      checkOrigin(request.headers, names);
      if (request.is404) refuseUnrouted(request, reply, routes);
      checkAccess(request, parts.tokens);
      done();
    } catch (error) {
      done(error as Error);
    }
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const reason = refusalOf(request);
    if (reason !== undefined) options.observer?.refused(reason);
    options.observer?.responded(reply.statusCode);
    done();
  });
  readBodies(fastify, options.archiveBytes);
  fastify.server.maxConnections = MAX_CONNECTIONS;

  const app = await NestFactory.create<NestFastifyApplication>(options.module, adapter, {
    logger: nestLog(parts.log),
    bodyParser: false,
    abortOnError: false,
  });
  try {
    await app.listen(settings.port, settings.host);
  } catch (error) {
    await app.close();
    throw error;
  }
  const ending = app.get<AbortController>(ENDING, { strict: false });
  return {
    url: urlOf(fastify.server.address() as AddressInfo),
    routes,
    drain: () => {
      draining = true;
      ending.abort();
    },
    close: async (graceMs) => {
      ending.abort();
      const cut = setTimeout(() => fastify.server.closeAllConnections(), graceMs);
      await app.close();
      clearTimeout(cut);
    },
  };
};
