import { CliCommand } from '../command.ts';
import { exitOf, membersOf, warnOfDamage } from '../decisions/damage.ts';
import { findDecisions, search, tableOf, withSearch } from '../decisions/search.ts';
import { tail, withTail } from '../decisions/tail.ts';
import { EXIT, type ExitCode } from '../model.ts';
import { askAdmin } from '../remote/admin.ts';
import { part } from '../remote/http.ts';
import { CliError, ServerError } from '../report.ts';
import { ExactJson, type Paint, plain } from '../screen/screen.ts';
import { stepsText } from '../screen/steps.ts';
import type { Session, Start } from '../session.ts';
import { exactJson, isExactObject } from '../sources/exact-json.ts';
import { readNamed } from '../sources/sources.ts';

/** What a person looks for first; everything else follows in the order of the record. */
const first = [
  'decision_id',
  'timestamp',
  'path',
  'outcome',
  'error',
  'result',
  'caller',
  'subject',
  'action',
  'resource',
];

const member = (paint: Paint, key: string, value: unknown): string => {
  const text = typeof value === 'string' ? value : JSON.stringify(value, undefined, 2);
  return `${paint('cyan', plain(key))}: ${plain(text).replaceAll('\n', '\n  ')}`;
};

const recordText = (paint: Paint, text: string): string => {
  const record = exactJson(text);
  if (!isExactObject(record)) return plain(text);
  const keys = Object.keys(record);
  const ordered = [...first.filter((key) => keys.includes(key)), ...keys.filter((key) => !first.includes(key))];
  return ordered.map((key) => member(paint, key, record[key])).join('\n');
};

/** As many as a batch can have, by far. */
const MOST_OF_BATCH = 100_000;

const uuid = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';

/** Where an id stands in an answer that was saved: the header, OPA's member, or the id alone. */
const places = [
  new RegExp(`^verdict-decision-id:\\s*(${uuid}(?:\\s*,\\s*${uuid})*)\\s*$`, 'im'),
  new RegExp(`"decision_id"\\s*:\\s*"(${uuid})"`, 'i'),
  new RegExp(`^\\s*(${uuid})\\s*$`, 'i'),
];

const idIn = (text: string): string => {
  for (const place of places) {
    const ids = (place.exec(text)?.[1] ?? '').toLowerCase().split(/\s*,\s*/);
    if (ids.length > 1) {
      const some = ids.slice(0, 10).join(', ');
      throw new CliError('USAGE', `the answer has ${ids.length} decisions: show one of them by its id: ${some}`);
    }
    if (ids[0]) return ids[0];
  }
  throw new CliError('USAGE', 'no decision id on stdin: wanted an answer with its headers (curl -i), or an id');
};

const idOf = async (session: Session, named: string): Promise<string> => {
  const id = named === '-' ? idIn((await readNamed(session, '-')).toString('utf8')) : named;
  if (!new RegExp(`^${uuid}$`, 'i').test(id)) throw new CliError('USAGE', `a decision id is a UUID; not "${id}"`);
  return id;
};

/** The records of the decisions of one batch, when that is what an id names. */
const showBatch = async (session: Session, id: string): Promise<ExitCode | undefined> => {
  const { decisions, damage } = await findDecisions(session, new URLSearchParams({ batch: id }), MOST_OF_BATCH);
  if (decisions.length === 0) return undefined;
  session.screen.result({ decisions, ...membersOf(damage) }, () => tableOf(session, decisions));
  if (!session.screen.json) warnOfDamage(session, damage);
  return exitOf(damage);
};

const isUnknown = (error: unknown): boolean => error instanceof ServerError && error.code === 'DECISION_UNKNOWN';

const show = async (session: Session, named: string): Promise<ExitCode> => {
  const id = await idOf(session, named);
  let text: string;
  try {
    text = await askAdmin(session, { method: 'GET', path: `/v1/decisions/${part(id)}` });
  } catch (error) {
    const shown = isUnknown(error) ? await showBatch(session, id) : undefined;
    if (shown === undefined) throw error;
    return shown;
  }
  session.screen.result(new ExactJson(text), () => recordText(session.screen.paint, text));
  return EXIT.done;
};

const explanationText = (paint: Paint, text: string): string => {
  const answer = exactJson(text);
  if (!isExactObject(answer)) return plain(text);
  const result = Object.hasOwn(answer, 'result')
    ? JSON.stringify(answer.result, undefined, 2)
    : paint('yellow', 'undefined');
  const lines = [stepsText(paint, answer.steps), `${plain(String(answer.path))} = ${result}`];
  if (answer.cut === true) lines.push(paint('yellow', 'there were more steps than are shown'));
  if (answer.same === false) lines.push(paint('yellow', 'this is not what was answered then: see decisions show'));
  return lines.join('\n');
};

const explain = async (session: Session, named: string): Promise<ExitCode> => {
  const text = await askAdmin(session, {
    method: 'GET',
    path: `/v1/decisions/${part(await idOf(session, named))}/explain`,
  });
  session.screen.result(new ExactJson(text), () => explanationText(session.screen.paint, text));
  return EXIT.done;
};

export const decisionsCommand = (start: Start): CliCommand => {
  const command = new CliCommand('decisions', 'Read the records of decisions.');
  command.addCommand(
    withSearch(
      new CliCommand('search', 'Search the records, newest first; `verdict decisions` alone does the same.', [
        ['verdict decisions --from 1h --outcome refuse', 'what was refused in the last hour'],
        ['verdict decisions --subject alice --path todo --all --output json', 'all about one subject, for a program'],
        ['verdict decisions --bundle todo --bundle-version 7 --from 2026-01-31', 'what a version answered since a day'],
      ]),
    ).action(start(search)),
    { isDefault: true },
  );
  command.addCommand(
    withTail(
      new CliCommand('tail', 'Show the newest records, oldest of them first, and follow the log.', [
        ['verdict decisions tail --limit 20', 'the newest 20, the newest of them last'],
        ['verdict decisions tail --follow', 'watch decisions as they are made'],
        ['verdict decisions tail --follow --outcome failed --output json', 'one JSON document a line'],
      ]),
    ).action(start(tail, { endsItself: true })),
  );
  command.addCommand(
    new CliCommand(
      'show',
      'Show one record: what was asked, what was answered, by which version; or list those of a batch.',
      [
        [
          'verdict decisions show 0192f0c1-5b7e-7c3a-8d2e-3f4a5b6c7d8e',
          'the id is in the answer and in Verdict-Decision-Id',
        ],
        ['curl -si 127.0.0.1:8181/v1/data/todo/allow | verdict decisions show -', 'what was recorded about an answer'],
      ],
    )
      .argument('<id>', 'decision id, or batch_decision_id; - finds it in an answer on stdin')
      .action(start(show)),
  );
  command.addCommand(
    new CliCommand(
      'explain',
      'Show how an answer came about: the rules that were tried, and what each that did not hold stopped at.',
      [
        ['verdict decisions explain 0192f0c1-5b7e-7c3a-8d2e-3f4a5b6c7d8e', 'why it was refused'],
        ['curl -si 127.0.0.1:8181/v1/data/todo/allow | verdict decisions explain -', 'the same of an answer'],
      ],
    )
      .argument('<id>', 'decision id; - finds it in an answer on stdin')
      .action(start(explain)),
  );
  return command;
};
