import { moment, type Paint, plain } from '../screen/screen.ts';
import { type ExactObject, isExactObject } from '../sources/exact-json.ts';

export const HEADINGS = [
  'TIME (UTC)',
  'OUTCOME',
  'PATH',
  'CALLER',
  'SUBJECT',
  'ACTION',
  'RESOURCE',
  'POLICY',
  'CACHE',
  'ID',
];

/** Columns that give way when a terminal is too narrow: what is cut off, `show` has. */
const FLEXIBLE = [1, 2, 3, 4, 5, 6, 7];
/** An outcome keeps its word; its reason gives way. */
const LEAST_OUTCOME = 9;
const LEAST = 6;
const GAP = 2;

const inks = { permit: 'green', refuse: 'yellow', data: 'cyan', undefined: 'dim', failed: 'red' } as const;

const text = (value: unknown): string => (typeof value === 'string' ? plain(value).replaceAll(/\s/g, ' ') : '-');

const policyText = (policies: unknown): string =>
  Array.isArray(policies)
    ? policies
        .filter(isExactObject)
        .map(({ name, version }) => `${text(name)}@${JSON.stringify(version)}`)
        .join(' ') || '-'
    : '-';

/** Which version an event is about. */
const versionOfEvent = ({ details }: ExactObject): string =>
  isExactObject(details) && typeof details.bundle === 'string'
    ? `${text(details.bundle)}@${JSON.stringify(details.version)}`
    : '-';

/** Which token an event is about. */
const tokenOfEvent = ({ event, details }: ExactObject): string =>
  String(event).startsWith('token') && isExactObject(details) ? text(details.name) : '-';

/** A failed one with its reason: they are few, and each is a case of its own. */
const outcomeText = ({ outcome, error }: ExactObject): string =>
  outcome === 'failed' && isExactObject(error) ? `failed: ${text(error.code)}` : text(outcome);

/** All of `data` was asked by an empty path. */
const pathText = ({ path }: ExactObject): string => (path === '' ? '/' : text(path));

const callerText = ({ caller }: ExactObject): string => (isExactObject(caller) ? text(caller.name) : '-');

/** One record as cells under HEADINGS, without colours. */
export const cellsOf = (record: ExactObject): string[] =>
  record.type === 'event'
    ? [
        moment(String(record.timestamp)),
        text(record.event),
        '-',
        text(record.by),
        tokenOfEvent(record),
        '-',
        '-',
        versionOfEvent(record),
        '-',
        '-',
      ]
    : [
        moment(String(record.timestamp)),
        outcomeText(record),
        pathText(record),
        callerText(record),
        text(record.subject),
        text(record.action),
        text(record.resource),
        policyText(record.policies),
        text(record.cache),
        text(record.decision_id),
      ];

const lengthOf = (cell: string): number => [...cell].length;

const cut = (cell: string, room: number): string => {
  const characters = [...cell];
  return characters.length <= room ? cell : `${characters.slice(0, room - 1).join('')}…`;
};

/** Widths with which a line fits into `columns`; the widest columns give way first. */
const shrunk = (natural: readonly number[], columns: number): number[] => {
  const widths = [...natural];
  const total = (): number => widths.reduce((sum, width) => sum + width, GAP * (widths.length - 1));
  while (total() > columns) {
    const room = (column: number): number => (widths[column] ?? 0) - (column === 1 ? LEAST_OUTCOME : LEAST);
    const widest = FLEXIBLE.reduce((most, column) => (room(column) > room(most) ? column : most));
    const width = widths[widest] ?? 0;
    if (room(widest) <= 0) break;
    widths[widest] = width - 1;
  }
  return widths;
};

/** Cells cut so that a line fits into `columns`. */
export const fitted = (rows: readonly (readonly string[])[], columns: number): string[][] => {
  const natural = HEADINGS.map((_, column) => Math.max(...rows.map((row) => lengthOf(row[column] ?? ''))));
  const widths = shrunk(natural, columns);
  return rows.map((row) => row.map((cell, column) => cut(cell, widths[column] ?? 0)));
};

/** Colours: the outcome by what it means, what few look for dim. */
export const painted = (paint: Paint, cells: readonly string[]): string[] =>
  cells.map((cell, column) => {
    if (column === 1) {
      const outcome = /^\w+/.exec(cell)?.[0] ?? '';
      return paint(Object.hasOwn(inks, outcome) ? inks[outcome as keyof typeof inks] : 'cyan', cell);
    }
    return column === HEADINGS.length - 1 ? paint('dim', cell) : cell;
  });

/** Widths of lines that come one by one, when nobody knows what follows. */
const STREAM = [19, 12, 24, 12, 20, 16, 16, 12, 11, 36];

/** Writes the lines of a stream: its heading, and one record after the other. They are cut where `columns` are few. */
export const streamLines = (paint: Paint, columns: number) => {
  const widths = shrunk(STREAM, columns);
  const aligned = (cells: readonly string[]): string[] =>
    cells.map((cell, column) => {
      const width = widths[column] ?? 0;
      const shown = columns === Number.POSITIVE_INFINITY ? cell : cut(cell, width);
      return column === HEADINGS.length - 1 ? shown : shown.padEnd(width);
    });
  return {
    heading: aligned(HEADINGS)
      .map((heading) => paint('dim', heading))
      .join('  '),
    lineOf: (record: ExactObject): string => painted(paint, aligned(cellsOf(record))).join('  '),
  };
};
