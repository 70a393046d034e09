import type { RegoFile, RegoProblem } from './model.ts';

/** What an error says that has these problems: the first one with its place, and how many more there are. */
export const problemsSentence = (problems: readonly RegoProblem[]): string => {
  const [first] = problems;
  if (first === undefined) return '';
  const place = first.file === undefined ? '' : `${first.file}:${first.row ?? 1}:${first.col ?? 1}: `;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  return `${place}${first.message}${more}`;
};

/** Problems, and the message that ends in their sentence, with other names for their files. */
export const renamedProblems = (
  { message, problems }: { readonly message: string; readonly problems: readonly RegoProblem[] },
  nameOf: (file: string) => string,
): { readonly message: string; readonly problems: readonly RegoProblem[] } => {
  const renamed = problems.map((problem) =>
    problem.file === undefined ? problem : { ...problem, file: nameOf(problem.file) },
  );
  const sentence = problemsSentence(problems);
  const stem = sentence !== '' && message.endsWith(sentence) ? message.slice(0, -sentence.length) : undefined;
  return { message: stem === undefined ? message : `${stem}${problemsSentence(renamed)}`, problems: renamed };
};

/**
 * OPA tells of several defaults of one rule at the package, and names their places in its message: one problem at each
 * place instead. Files and rows that are none of the sources are left as they are.
 */
export const problemsByPlace = (problems: readonly RegoProblem[], modules: readonly RegoFile[]): RegoProblem[] =>
  problems.flatMap((problem) => {
    const [, message, list = ''] = /^(multiple default rules .+ found) at (.+)$/.exec(problem.message) ?? [];
    if (message === undefined) return [problem];
    const places = [...list.matchAll(/(.+?):(\d+)(?:, |$)/g)].map(([, file, row]) => {
      const excerpt = modules.find(({ path }) => path === file)?.text.split(/\r?\n/)[Number(row) - 1];
      return { file: file ?? '', row: Number(row), excerpt };
    });
    if (places.length === 0 || places.some(({ excerpt }) => excerpt === undefined)) return [problem];
    return places.map(({ file, row, excerpt = '' }) => {
      return { code: problem.code, message, file, row, col: excerpt.search(/\S|$/) + 1, excerpt };
    });
  });
