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

const linesOf = (modules: readonly RegoFile[], file: string): readonly string[] =>
  modules.find(({ path }) => path === file)?.text.split(/\r?\n/) ?? [];

const problemAt = (
  { code }: RegoProblem,
  message: string,
  { file, row, excerpt }: { readonly file: string; readonly row: number; readonly excerpt: string },
): RegoProblem => ({ code, message, file, row, col: excerpt.search(/\S|$/) + 1, excerpt });

/** Of several defaults of one rule OPA tells at the package, and names their places in its message. */
const severalDefaults = (problem: RegoProblem, modules: readonly RegoFile[]): RegoProblem[] | undefined => {
  const [, message, list = ''] = /^(multiple default rules .+ found) at (.+)$/.exec(problem.message) ?? [];
  if (message === undefined) return undefined;
  const places = [...list.matchAll(/(.+?):(\d+)(?:, |$)/g)].flatMap(([, file = '', row]) => {
    const excerpt = linesOf(modules, file)[Number(row) - 1];
    return excerpt === undefined ? [undefined] : [{ file, row: Number(row), excerpt }];
  });
  const known = places.filter((place) => place !== undefined);
  return known.length === 0 || known.length < places.length
    ? undefined
    : known.map((place) => problemAt(problem, message, place));
};

const described: { readonly [scope: string]: string } = {
  document: 'a rule',
  package: 'a package',
  subpackages: 'packages below one',
};

/** METADATA that stands twice: OPA names its scope and the first place, and not what that means. */
const doubleMetadata = (problem: RegoProblem, modules: readonly RegoFile[]): RegoProblem[] | undefined => {
  const [, scope = '', file = '', row] = /^(\w+) annotation redeclared: (.+):(\d+)$/.exec(problem.message) ?? [];
  const excerpt = linesOf(modules, file)[Number(row) - 1];
  const whose = described[scope];
  if (whose === undefined || excerpt === undefined) return undefined;
  const text = (name: string | undefined): string | undefined => modules.find(({ path }) => path === name)?.text;
  const isCopy = file !== problem.file && text(file) === text(problem.file);
  const why = isCopy ? 'the two files are equal: one is a copy of the other' : 'one place may have it';
  const message = `METADATA (scope ${scope}) of ${whose} stands twice; ${why}`;
  return [problemAt(problem, message, { file, row: Number(row), excerpt }), { ...problem, message }];
};

const KEYS =
  'scope|title|description|entrypoint|organizations|related_resources|authors|schemas|compile|custom|labels'.split('|');

/** METADATA without the colon behind a key: YAML finds that out somewhere below, and says something else. */
const missingColon = (problem: RegoProblem, modules: readonly RegoFile[]): RegoProblem[] | undefined => {
  const { file, row } = problem;
  if (file === undefined || row === undefined || !problem.message.startsWith('yaml: ')) return undefined;
  const lines = linesOf(modules, file);
  const end = lines.findIndex((line, at) => at >= row && !line.startsWith('#'));
  const start = lines.findLastIndex((line, at) => at < row && /^#\s*METADATA/.test(line));
  const block = lines.slice(start + 1, end === -1 ? lines.length : end);
  for (const [at, excerpt] of start === -1 ? [] : block.entries()) {
    const [, before = '', key = '', value = ''] = /^(#\s*)([a-z_]+)(?:\s+(.*?))?\s*$/.exec(excerpt) ?? [];
    if (!KEYS.includes(key)) continue;
    const meant = `${key}: ${value}`.trimEnd();
    const message = `METADATA: a key is followed by a colon; did you mean "${meant}"?`;
    return [{ code: problem.code, message, file, row: start + at + 2, col: before.length + 1, excerpt }];
  }
  return undefined;
};

/** What OPA says in other words or at other places than its author looks for: each where it stands, and as what it is. */
export const problemsByPlace = (problems: readonly RegoProblem[], modules: readonly RegoFile[]): RegoProblem[] =>
  problems.flatMap(
    (problem) =>
      severalDefaults(problem, modules) ??
      doubleMetadata(problem, modules) ??
      missingColon(problem, modules) ?? [problem],
  );
