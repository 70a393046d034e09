import type { RegoProblem } from '../../rego/index.ts';
import type { ConfigProblem } from '../model.ts';
import { count, type Paint, plain } from './screen.ts';

/** What stands in no file stands in the query of the command line. */
const place = ({ file, row, col }: RegoProblem): string => {
  const at = row === undefined ? '' : `:${row}:${col ?? 1}`;
  return file === undefined && row === undefined ? '' : `${plain(file ?? 'query')}${at}`;
};

// The caret stands under its column also behind tabs: they are copied, everything else becomes a space.
const caretLine = (excerpt: string, col: number): string =>
  `${[...excerpt.slice(0, col - 1)].map((char) => (char === '\t' ? '\t' : ' ')).join('')}^`;

const excerptLines = (problem: RegoProblem, paint: Paint): string[] => {
  if (problem.excerpt === undefined || problem.row === undefined) return [];
  const number = String(problem.row);
  const bar = paint('dim', '|');
  const source = `  ${paint('dim', number)} ${bar} ${plain(problem.excerpt)}`;
  if (problem.col === undefined) return [source];
  return [source, `  ${' '.repeat(number.length)} ${bar} ${paint('red', caretLine(problem.excerpt, problem.col))}`];
};

/** `file:line:col: message`, the source line, and a caret under the column. */
export const problemText = (problem: RegoProblem, paint: Paint): string => {
  const where = place(problem);
  const head = `${where === '' ? '' : `${paint('bold', where)}: `}${plain(problem.message)} ${paint('dim', `<${plain(problem.code)}>`)}`;
  return [head, ...excerptLines(problem, paint)].join('\n');
};

const byPlace = (a: RegoProblem, b: RegoProblem): number =>
  (a.file ?? '').localeCompare(b.file ?? '', 'en') || (a.row ?? 0) - (b.row ?? 0) || (a.col ?? 0) - (b.col ?? 0);

/** All of them, in order of file and row, and how many there are. */
export const problemsText = (problems: readonly RegoProblem[], paint: Paint, noun = 'problem'): string => {
  const files = new Set(problems.map((problem) => problem.file).filter((file) => file !== undefined)).size;
  const tally = `${count(problems.length, noun)}${files > 1 ? ` in ${files} files` : ''}`;
  return [...[...problems].sort(byPlace).map((problem) => problemText(problem, paint)), tally].join('\n');
};

const isRecord = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === 'object' && value !== null;

/** What a thrown error or a server's answer lists as `problems`, as far as it has the form of one. */
export const regoProblemsOf = (value: unknown): RegoProblem[] => {
  if (!isRecord(value) || !Array.isArray(value.problems)) return [];
  return value.problems.filter(isRecord).flatMap((found): RegoProblem[] => {
    const { code, message, file, row, col, excerpt } = found;
    if (typeof message !== 'string' || typeof found.key === 'string') return [];
    return [
      {
        code: typeof code === 'string' ? code : 'problem',
        message,
        ...(typeof file === 'string' ? { file } : {}),
        ...(typeof row === 'number' ? { row } : {}),
        ...(typeof col === 'number' ? { col } : {}),
        ...(typeof excerpt === 'string' ? { excerpt } : {}),
      },
    ];
  });
};

export const configProblemsOf = (value: unknown): ConfigProblem[] => {
  if (!isRecord(value) || !Array.isArray(value.problems)) return [];
  return value.problems
    .filter(isRecord)
    .filter(
      (found): found is { key: string; message: string } =>
        typeof found.key === 'string' && typeof found.message === 'string',
    );
};
