import { moment, type Paint, plain } from '../screen/screen.ts';
import { type ExactObject, isExactObject } from '../sources/exact-json.ts';

export const HEADINGS = ['TIME (UTC)', 'OUTCOME', 'PATH', 'SUBJECT', 'ACTION', 'RESOURCE', 'POLICY', 'CACHE', 'ID'];

/** Columns that give way when a terminal is too narrow: what is cut off, `show` has. */
const FLEXIBLE = [2, 3, 4, 5, 6];
const LEAST = 6;
const GAP = 2;

const inks = { permit: 'green', refuse: 'yellow', undefined: 'dim', failed: 'red' } as const;

const text = (value: unknown): string => (typeof value === 'string' ? plain(value).replaceAll(/\s/g, ' ') : '-');

const policyText = (policies: unknown): string =>
  Array.isArray(policies)
    ? policies
        .filter(isExactObject)
        .map(({ name, version }) => `${text(name)}@${JSON.stringify(version)}`)
        .join(' ') || '-'
    : '-';

/** What happened to a bundle, as an event tells it. */
const subjectOfEvent = ({ details }: ExactObject): string =>
  isExactObject(details) && typeof details.bundle === 'string'
    ? `${text(details.bundle)}@${JSON.stringify(details.version)}`
    : '-';

/** One record as cells under HEADINGS, without colours. */
export const cellsOf = (record: ExactObject): string[] =>
  record.type === 'event'
    ? [
        moment(String(record.timestamp)),
        text(record.event),
        '-',
        text(record.by),
        '-',
        '-',
        subjectOfEvent(record),
        '-',
        '-',
      ]
    : [
        moment(String(record.timestamp)),
        text(record.outcome),
        text(record.path),
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
    const widest = FLEXIBLE.reduce((most, column) => ((widths[column] ?? 0) > (widths[most] ?? 0) ? column : most));
    const width = widths[widest] ?? 0;
    if (width <= LEAST) break;
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
    if (column === 1)
      return Object.hasOwn(inks, cell.trim())
        ? paint(inks[cell.trim() as keyof typeof inks], cell)
        : paint('cyan', cell);
    return column === HEADINGS.length - 1 ? paint('dim', cell) : cell;
  });

/** Widths of lines that come one by one, when nobody knows what follows. */
const STREAM = [19, 10, 24, 20, 16, 16, 12, 11, 36];

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
