import { setTimeout as sleep } from 'node:timers/promises';
import type { CliCommand } from '../command.ts';
import type { ExitCode } from '../model.ts';
import { openEvents, type ServerEvent } from '../remote/events.ts';
import { plain } from '../screen/screen.ts';
import type { Session } from '../session.ts';
import { exactJson, isExactObject } from '../sources/exact-json.ts';
import { type Damage, damageIn, exitOf, NO_DAMAGE, warnOfDamage } from './damage.ts';
import { type FilterOptions, parametersOf, withFilters } from './filters.ts';
import { streamLines } from './rows.ts';
import { columnsOf, countOf, findDecisions, tableOf } from './search.ts';

interface TailOptions extends FilterOptions {
  readonly last: string;
  readonly follow?: boolean;
}

const RETRY_MS = 1_000;

/** Shows records as they come: under one heading for people, a document a line for programs. */
const recordShower = (session: Session): ((text: string) => void) => {
  const { screen } = session;
  const { heading, lineOf } = streamLines(screen.paint, columnsOf(session));
  let hasHeading = false;
  return (text) => {
    const record = exactJson(text);
    if (screen.json || !isExactObject(record)) screen.raw(screen.json ? text : plain(text));
    else {
      if (!hasHeading) screen.raw(heading);
      hasHeading = true;
      screen.raw(lineOf(record));
    }
  };
};

const damageOf = (data: string): Damage => {
  const told = exactJson(data);
  return (isExactObject(told) ? damageIn(told) : undefined) ?? NO_DAMAGE;
};

const showEvent = (session: Session, showRecord: (text: string) => void, { type, data }: ServerEvent): void => {
  if (type === 'damage') warnOfDamage(session, damageOf(data));
  else if (type === 'decision' || type === 'event') showRecord(data);
  else if (type === 'gap') session.screen.warn(`warning: this reader was too slow; missed: ${plain(data)}`);
  else if (type === 'end') session.screen.note(session.screen.paintNote('dim', `the stream ended: ${plain(data)}`));
};

/** Follows the log until the process is asked to end; a connection that breaks is taken up where it broke. */
const follow = async (session: Session, parameters: URLSearchParams): Promise<ExitCode> => {
  const { ending } = session.host;
  const showRecord = recordShower(session);
  let resume: string | undefined;
  let damage = NO_DAMAGE;
  while (!ending.aborted) {
    try {
      for await (const event of openEvents(session, `/v1/decisions/tail?${parameters}`, resume)) {
        showEvent(session, showRecord, event);
        if (event.type === 'damage') damage = damageOf(event.data);
        resume = event.id ?? resume;
      }
    } catch (error) {
      // Before the first record there is nothing to take up: the person should know at once.
      if (ending.aborted) break;
      if (resume === undefined || !isUnreachable(error)) throw error;
    }
    await sleep(RETRY_MS, undefined, { signal: ending }).catch(() => undefined);
  }
  return exitOf(damage);
};

const isUnreachable = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'SERVER_UNREACHABLE';

export const tail = async (session: Session, options: TailOptions): Promise<ExitCode> => {
  const parameters = parametersOf(options);
  const last = countOf('limit', options.last);
  if (options.follow === true) {
    parameters.set('last', String(Math.min(last, 1_000)));
    return follow(session, parameters);
  }
  const { decisions, damage } = await findDecisions(session, parameters, last);
  const { screen } = session;
  const oldestFirst = decisions.toReversed();
  if (screen.json) for (const record of oldestFirst) screen.raw(JSON.stringify(record));
  else screen.raw(tableOf(session, oldestFirst));
  // Also beside JSON: its lines are records, and nothing else has a place there.
  warnOfDamage(session, damage);
  return exitOf(damage);
};

export const withTail = (command: CliCommand): CliCommand =>
  withFilters(command)
    .option('--limit, --last <n>', 'so many of the newest: all that is shown, or what --follow begins with', '10')
    .option('--follow', 'stay, and show records as they are written') as CliCommand;
