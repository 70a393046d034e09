import type { CliCommand } from '../command.ts';
import type { ExitCode } from '../model.ts';
import { askAdmin } from '../remote/admin.ts';
import { warnOfUnknown } from '../remote/bundles.ts';
import { CliError } from '../report.ts';
import { count, table } from '../screen/screen.ts';
import type { Session } from '../session.ts';
import { type ExactObject, exactJson, isExactObject } from '../sources/exact-json.ts';
import { type Damage, damageIn, exitOf, joined, membersOf, NO_DAMAGE, warnOfDamage } from './damage.ts';
import { type FilterOptions, parametersOf, withFilters } from './filters.ts';
import { cellsOf, fitted, HEADINGS, painted } from './rows.ts';

export interface SearchOptions extends FilterOptions {
  readonly limit?: string;
  readonly cursor?: string;
  readonly all?: boolean;
}

/** What was found, of as many answers as it took. */
export interface Found {
  readonly decisions: readonly ExactObject[];
  readonly next?: string;
  readonly damage: Damage;
}

const PER_ANSWER = 1_000;
const USUAL = 50;

const readAnswer = (text: string): Found => {
  const answer = exactJson(text);
  const { decisions, next } = isExactObject(answer) ? answer : {};
  const damage = isExactObject(answer) ? damageIn(answer) : undefined;
  if (!Array.isArray(decisions) || !decisions.every(isExactObject) || damage === undefined)
    throw new CliError('SERVER_ANSWER', "the server's answer is not what this version of verdict reads");
  return { decisions, damage, ...(typeof next === 'string' ? { next } : {}) };
};

/** Asks until `most` records were found or there are no more: one search of the server is bounded, and may answer few. */
export const findDecisions = async (
  session: Session,
  parameters: URLSearchParams,
  most: number,
  cursor?: string,
): Promise<Found> => {
  const decisions: ExactObject[] = [];
  let damage = NO_DAMAGE;
  let next = cursor;
  do {
    const asked = new URLSearchParams(parameters);
    asked.set('limit', String(Math.min(most - decisions.length, PER_ANSWER)));
    if (next !== undefined) asked.set('cursor', next);
    const answer = readAnswer(await askAdmin(session, { method: 'GET', path: `/v1/decisions?${asked}` }));
    decisions.push(...answer.decisions);
    damage = joined(damage, answer.damage);
    next = answer.next;
    session.screen.progress(`${count(decisions.length, 'decision')} ...`);
  } while (next !== undefined && decisions.length < most);
  session.screen.progress('');
  return { decisions, damage, ...(next === undefined ? {} : { next }) };
};

/** How wide a line may be; a file or a pipe takes any. */
export const columnsOf = ({ host: { stdout } }: Session): number =>
  stdout.isTTY === true ? (stdout.columns ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;

/** The records as a table that fits the terminal, or that there are none. */
export const tableOf = (session: Session, decisions: readonly ExactObject[]): string => {
  if (decisions.length === 0) return 'no decisions';
  const { paint } = session.screen;
  const rows = fitted(decisions.map(cellsOf), columnsOf(session));
  return table(
    paint,
    HEADINGS,
    rows.map((row) => painted(paint, row)),
  );
};

export const countOf = (option: string, text: string): number => {
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new CliError('USAGE', `--${option}: wanted a number from 1 on; not "${text}"`);
  return Number(text);
};

export const search = async (session: Session, options: SearchOptions): Promise<ExitCode> => {
  const { screen } = session;
  if (options.all === true && options.limit !== undefined)
    throw new CliError('USAGE', '--all and --limit exclude one another');
  const most = options.all === true ? Number.POSITIVE_INFINITY : countOf('limit', options.limit ?? String(USUAL));
  const found = await findDecisions(session, parametersOf(options), most, options.cursor);
  const { decisions, next, damage } = found;
  screen.result({ decisions, ...(next === undefined ? {} : { next }), ...membersOf(damage) }, () =>
    tableOf(session, decisions),
  );
  if (!screen.json) warnOfDamage(session, damage);
  if (next !== undefined) screen.note(screen.paintNote('dim', `there are more: --cursor ${next}`));
  if (decisions.length === 0) await warnOfUnknown(session, options.bundle ?? []);
  return exitOf(damage);
};

export const withSearch = (command: CliCommand): CliCommand =>
  withFilters(command)
    .option('--limit <n>', `show at most so many (default: ${USUAL})`)
    .option('--cursor <cursor>', 'go on where an earlier search ended')
    .option('--all', 'show all that there are') as CliCommand;
