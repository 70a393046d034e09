import path from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { appModule } from './app.module.ts';
import { catalogMemory, openSegmentLog } from './audit/index.ts';
import type { Clock } from './canonical/index.ts';
import { systemClock } from './canonical/index.ts';
import type { BundleArgument, RunningServer } from './cli/index.ts';
import type { Config } from './config/index.ts';
import { createDecisions, type RequestObserver } from './decision/index.ts';
import { engineOptions, openEngine } from './engine/index.ts';
import { ensureOperatorToken, openTokenStore, ROLES } from './identity/index.ts';
import { startAdminServer } from './interfaces/admin/index.ts';
import { startGrpcServer } from './interfaces/grpc/index.ts';
import { startDecisionServer } from './interfaces/http/index.ts';
import type { WireOptions } from './interfaces/wire/index.ts';
import {
  activeVersions,
  createHealth,
  type LogOutput,
  openLog,
  openMetrics,
  openTracing,
  watchEventLoop,
} from './observability/index.ts';
import { createExplain, openPolicyStore } from './policy/index.ts';
import { listening, probePorts } from './ports.ts';
import { openToolchain } from './rego/index.ts';
import { openCatalog, openStorage } from './storage.ts';
import { version } from './version.ts';

/** A start is over by then, and nobody who asks waits for this one. */
const WORKER_AHEAD_MS = 2_000;

export interface ServerOptions {
  readonly bundles: readonly BundleArgument[];
  /** Where the log goes; default standard error, because standard output is for results. */
  readonly output?: LogOutput;
  /** What all parts take for the time; default the machine's. */
  readonly clock?: Clock;
}

/** What was opened, closed in the opposite order; a part that fails to close does not keep the others open. */
const closers = () => {
  const list: (() => Promise<void> | void)[] = [];
  return {
    add: (close: () => Promise<void> | void): void => void list.push(close),
    close: async (): Promise<void> => {
      const failures: unknown[] = [];
      for (const close of list.splice(0).reverse()) {
        try {
          await close();
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length > 0) throw failures[0];
    },
  };
};

/**
 * Builds every part in the order in which they rest on one another, loads what storage and `bundles` hold, and
 * listens. Rejects with one sentence when any of it fails; nothing stays open then. Resolves ready, or, when no version
 * is active yet, live.
 */
export const startServer = async (config: Config, options: ServerOptions): Promise<RunningServer> => {
  const startedMs = performance.now();
  const { server } = config;
  const { log, flush } = openLog(config.observability, options.output ?? { fd: 2, isTTY: process.stderr.isTTY });
  const opened = closers();
  opened.add(flush);
  try {
    const clock = options.clock ?? systemClock;
    const onWarning = (sentence: string): void => log.warn(sentence);
    const metrics = await openMetrics();
    const { tracing: settings } = config.observability;
    const tracing =
      settings.otlp.endpoint === '' ? undefined : await openTracing({ settings, version, clock, warn: onWarning });
    if (tracing !== undefined) opened.add(() => tracing.close());
    await probePorts(server);
    const { dir, others } = openStorage(config.storage.dir);
    if (others === 'write')
      log.warn(
        { dir },
        'other users can write storage.dir: they can decide as they like, and read tokens: chmod 700 it',
      );
    else if (others === 'read')
      log.warn({ dir }, 'other users can read storage.dir, and what was decided: chmod 700 it');
    let found: DatabaseSync | undefined;
    const catalogOf = (): DatabaseSync => {
      if (found !== undefined) return found;
      const made = openCatalog(path.join(dir, 'catalog.db'));
      opened.add(() => made.close());
      found = made;
      return made;
    };
    // First of all: it holds the lock that keeps a second process out of the folder, the catalog included.
    const audit = await openSegmentLog({
      dir: path.join(dir, 'audit'),
      settings: config.audit,
      clock,
      onWarning,
      memory: () => catalogMemory(catalogOf(), () => clock.nowMs()),
    });
    opened.add(() => audit.close());
    const catalog = catalogOf();
    const tokens = openTokenStore({ catalog, clock, settings: config.identity });
    opened.add(() => tokens.close());
    const operatorToken = ensureOperatorToken(dir, tokens);
    if (audit.opening.unclean)
      log.warn(
        { dir },
        'the process before this one did not end cleanly: the last record of the decision log is no stop',
      );
    await audit.note({ event: 'start', by: 'server', details: { version, ...audit.opening } });
    // The last of all records: closed before it is everything else.
    opened.add(() => audit.note({ event: 'stop', by: 'server', details: { version } }));
    if (operatorToken.state === 'made') {
      const details = { name: 'operator', roles: ROLES };
      await audit.note({ event: 'token_create', by: 'server', details });
      log.info({ file: operatorToken.file }, 'a new operator token was written');
    }
    if (operatorToken.state === 'revoked')
      log.warn({ file: operatorToken.file }, 'the operator token is revoked; removing its file makes a new one');

    const toolchain = openToolchain({ memoryBytes: config.policy.compileMemoryBytes });
    opened.add(() => toolchain.close());
    let isServing = false;
    const engine = openEngine({
      ...engineOptions(config.engine),
      clock,
      aheadMs: WORKER_AHEAD_MS,
      isServing: () => isServing,
    });
    opened.add(() => engine.close());
    log.info({ dir }, 'loading versions and bundles: ports open once they are compiled');
    const policy = await openPolicyStore({
      dir,
      settings: config.policy,
      toolchain,
      engine,
      mostInstructions: Math.max(config.engine.instructions, config.engine.maxInstructions),
      clock,
      catalog,
      onActivation: (event) => audit.note(event),
      onPush: (event) => audit.note(event),
      log: (level, sentence, fields) => log[level](fields, sentence),
      ...(config.authzen.bundle === '' ? {} : { authzenBundle: config.authzen.bundle }),
    });
    opened.add(() => policy.close());
    const addBundles: RunningServer['addBundles'] = async (bundles) => {
      const located = bundles.map(({ name, path: source }) => ({ name, path: path.resolve(source) }));
      const added = await policy.addLocal(located);
      return added.map(({ version: { name, version: number, tests, notes }, activated, warnings }) => {
        return { name, version: number, testsPassed: tests.passed, changed: activated, notes: [...warnings, ...notes] };
      });
    };
    await addBundles([...config.policy.bundles, ...options.bundles]);

    const decisions = createDecisions({
      policy,
      audit,
      clock,
      settings: { cache: config.cache, onFailure: config.audit.onFailure },
      onWarning,
      onAnswer:
        tracing === undefined
          ? metrics.onAnswer
          : (...given) => {
              metrics.onAnswer(...given);
              tracing.onAnswer(...given);
            },
    });
    let draining = false;
    const health = createHealth([
      () => (draining ? 'the server is ending' : undefined),
      () => (policy.current.versions.size === 0 ? 'no version is active' : undefined),
      () => (audit.health().writable ? undefined : (audit.health().reason ?? 'the decision log cannot be written')),
    ]);
    metrics.connect({
      version,
      ready: () => health.ready().ok,
      cache: () => decisions.cacheSize(),
      cacheMaxBytes: config.cache.maxBytes,
      audit: () => ({ ...audit.stats(), writable: audit.health().writable }),
      auditCondition: audit.condition,
      epoch: () => policy.current.epoch,
      versions: activeVersions(policy, clock),
      workers: () => engine.workers(),
      places: () => engine.places(),
      network: () => engine.networkCounts(),
      points: () => engine.points(),
      toolchainRestarts: () => toolchain.restarts(),
      ...(tracing === undefined ? {} : { spans: () => tracing.counts() }),
    });
    const explain = createExplain({ policy, toolchain });
    const observer = (listener: 'admin' | 'http' | 'grpc'): RequestObserver => {
      const counted = metrics.listener(listener);
      if (!log.isLevelEnabled('debug')) return counted;
      return {
        responded: (status) => {
          log.debug({ listener, status }, 'a request was answered');
          counted.responded(status);
        },
        refused: (reason) => {
          log.debug({ listener, reason }, 'a request was refused');
          counted.refused(reason);
        },
      };
    };
    const parts = { version, policy, explain, tokens, audit, reader: audit.reader, health, log, metrics };
    isServing = true;
    const admin = await listening('admin', server.admin, () =>
      startAdminServer({
        module: appModule(parts),
        parts,
        settings: server.admin,
        archiveBytes: config.policy.limits.archiveBytes,
        observer: observer('admin'),
      }),
    );
    opened.add(() => admin.close(0));
    const wire: WireOptions = {
      decisions,
      policy,
      authenticate: (bearer) => tokens.authenticate(bearer),
      ready: () => {
        const { ok, reasons: why } = health.ready();
        return { ready: ok, ...(why[0] === undefined ? {} : { reason: why[0] }) };
      },
      draining: () => draining,
      ...(tracing === undefined ? {} : { tracer: tracing.tracer }),
      onWarning,
    };
    const http = await listening('http', server.http, () =>
      startDecisionServer({
        ...wire,
        settings: server.http,
        observer: observer('http'),
        version: { version },
        defaultDecision: config.policy.defaultDecision,
        authzenBaseUrl: config.authzen.baseUrl,
        explain,
      }),
    );
    opened.add(() => http.close(0));
    const grpc = server.grpc.enabled
      ? await listening('grpc', server.grpc, () =>
          startGrpcServer({ ...wire, settings: server.grpc, observer: observer('grpc') }),
        )
      : undefined;
    opened.add(() => grpc?.close(0));
    opened.add(watchEventLoop((ms) => log.warn({ ms }, 'the deciding thread stood still: every request waited')));

    const urls = { http: http.url, ...(grpc === undefined ? {} : { grpc: grpc.address }), admin: admin.url };
    const { ok, reasons: why } = health.ready();
    const startMs = Math.round(performance.now() - startedMs);
    log.info({ ...urls, startMs, ...(ok ? {} : { notReady: why }) }, ok ? 'ready' : 'live, but not ready');

    const end = async (): Promise<void> => {
      draining = true;
      admin.drain();
      log.info({ drainSeconds: server.drainSeconds }, 'ending: requests are still answered');
      try {
        await sleep(server.drainSeconds * 1000);
        const graceMs = server.graceSeconds * 1000;
        await Promise.all([http.close(graceMs), grpc?.close(graceMs), admin.close(graceMs)]);
        log.info('ended');
      } finally {
        await opened.close();
      }
    };
    const stopped = Promise.withResolvers<void>();
    let stopping = false;
    return {
      urls,
      addBundles,
      stop: () => {
        if (stopping) return;
        stopping = true;
        end().then(stopped.resolve, stopped.reject);
      },
      stopped: stopped.promise,
    };
  } catch (error) {
    // The reason for the failed start is what counts, not what closing adds to it.
    await opened.close().catch(() => {});
    throw error;
  }
};
