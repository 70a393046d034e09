import type { LoggerService } from '@nestjs/common';
import type { AdminLog } from './ports.ts';

/** Nest tells of every route and module at start; an operator needs its warnings and errors alone. */
export const nestLog = (log: AdminLog): LoggerService => {
  const nothing = (): void => {};
  const said = (message: unknown): string => (message instanceof Error ? message.message : String(message));
  return {
    log: nothing,
    debug: nothing,
    verbose: nothing,
    warn: (message: unknown) => log.warn({ from: 'nest' }, said(message)),
    error: (message: unknown) => log.error({ from: 'nest' }, said(message)),
    fatal: (message: unknown) => log.error({ from: 'nest' }, said(message)),
  };
};
