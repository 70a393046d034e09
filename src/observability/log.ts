import { fstatSync } from 'node:fs';
import pino, { type DestinationStream, type Logger } from 'pino';
import pretty from 'pino-pretty';
import type { LogSettings } from './settings.ts';

/** pino's logger: `log.info({ bundle }, 'sentence')`. Events that an operator needs; none per decision. */
export type Log = Logger;

export interface OpenLog {
  readonly log: Log;
  /** Writes what is pending, at once. */
  flush(): void;
}

/** Where lines go; what `process.stdout` and `process.stderr` are. */
export interface LogOutput {
  readonly fd: number;
  readonly isTTY?: boolean;
}

const HIDDEN = ['authorization', 'token', 'secret', 'password', 'cookie', 'input', 'body'];

// At the top and one or two levels down: as deep as anything that is logged here reaches.
const redacted = HIDDEN.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

const isPretty = (settings: LogSettings, output: LogOutput): boolean =>
  settings.logFormat === 'pretty' || (settings.logFormat === 'auto' && output.isTTY === true);

const loggerOn = (settings: LogSettings, stream: DestinationStream): Log =>
  pino(
    {
      level: settings.logLevel,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: redacted, censor: '[hidden]' },
    },
    stream,
  );

/** A pipe may have a reader who stands still; a file or a terminal takes a line at once. */
const mayStandStill = (fd: number): boolean => {
  const kind = fstatSync(fd);
  return kind.isFIFO() || kind.isSocket();
};

/**
 * The process's log. Into a pipe lines are written asynchronously, so that its reader cannot stop decisions; `flush`
 * before the process ends.
 */
export const openLog = (settings: LogSettings, output: LogOutput): OpenLog => {
  const destination = pino.destination({ fd: output.fd, sync: !mayStandStill(output.fd) });
  const flush = (): void => {
    try {
      destination.flushSync();
    } catch {
      // Nobody reads the pipe any more, or it never became ready: there is nowhere to say so.
    }
  };
  if (!isPretty(settings, output)) return { log: loggerOn(settings, destination), flush };
  const people = pretty({
    colorize: output.isTTY === true,
    translateTime: 'SYS:HH:MM:ss',
    ignore: 'pid,hostname',
    destination,
  });
  return { log: loggerOn(settings, people), flush };
};
