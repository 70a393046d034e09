import { writeFile } from 'node:fs/promises';
import { RegoError, type RegoFile, type RegoProblem } from '../../rego/index.ts';
import { CliCommand } from '../command.ts';
import { EXIT, type ExitCode } from '../model.ts';
import { CliError } from '../report.ts';
import { unifiedDiff } from '../screen/diff.ts';
import { type Paint, plain } from '../screen/screen.ts';
import type { Session, Start } from '../session.ts';
import { displayed, isDirectory, readBundle, readNamed } from '../sources/sources.ts';

interface Options {
  readonly write?: boolean;
  readonly check?: boolean;
  readonly diff?: boolean;
}

interface Formatted extends RegoFile {
  readonly formatted: string;
}

const readRego = async (session: Session, file: string): Promise<RegoFile[]> => {
  if (file !== '-' && (await isDirectory(session, file))) {
    const { files } = await readBundle(session, file);
    return [...files]
      .filter(([name]) => name.endsWith('.rego'))
      .map(([name, bytes]) => ({ path: displayed(file, name), text: Buffer.from(bytes).toString('utf8') }));
  }
  return [
    { path: file === '-' ? 'stdin' : displayed('', file), text: (await readNamed(session, file)).toString('utf8') },
  ];
};

/** Formats all, and tells the problems of all files at once. */
const formatAll = async (session: Session, files: readonly RegoFile[]): Promise<Formatted[]> => {
  const toolchain = await session.toolchain();
  const problems: RegoProblem[] = [];
  const done: Formatted[] = [];
  for (const file of files) {
    try {
      done.push({ ...file, formatted: await toolchain.format(file) });
    } catch (error) {
      if (!(error instanceof RegoError)) throw error;
      problems.push(...error.problems);
    }
  }
  if (problems.length > 0) throw new RegoError(problems);
  return done;
};

const colouredDiff = (paint: Paint, file: Formatted): string =>
  unifiedDiff(plain(file.path), file.text, file.formatted)
    .map((line) => {
      if (line.startsWith('+')) return paint('green', plain(line));
      if (line.startsWith('-')) return paint('red', plain(line));
      return line.startsWith('@@') ? paint('cyan', plain(line)) : plain(line);
    })
    .join('\n');

const run = async (session: Session, paths: readonly string[], options: Options): Promise<ExitCode> => {
  const { screen } = session;
  const modes = [options.write, options.check, options.diff].filter((mode) => mode === true).length;
  if (modes > 1) throw new CliError('USAGE', 'choose one of --write, --check and --diff');
  if (options.write === true && paths.includes('-')) throw new CliError('USAGE', '--write cannot write to stdin');
  const files = (await Promise.all(paths.map((file) => readRego(session, file)))).flat();
  const formatted = await formatAll(session, files);
  const changed = formatted.filter((file) => file.text !== file.formatted);
  const names = changed.map((file) => file.path);
  if (modes === 0) {
    screen.result({ files: formatted.map(({ path, formatted: text }) => ({ path, text })) }, () =>
      formatted.map((file) => file.formatted).join('\n'),
    );
    return EXIT.done;
  }
  if (options.write === true) {
    for (const file of changed) await writeFile(session.resolve(file.path), file.formatted);
    screen.result({ written: names }, () => names.map(plain).join('\n'));
    return EXIT.done;
  }
  screen.result({ unformatted: names }, () =>
    changed.map((file) => (options.diff === true ? colouredDiff(screen.paint, file) : plain(file.path))).join('\n'),
  );
  return changed.length === 0 ? EXIT.done : EXIT.failed;
};

export const fmtCommand = (start: Start): CliCommand =>
  new CliCommand('fmt', 'Format Rego sources as OPA does. Prints the result, unless told otherwise.', [
    ['verdict fmt --write policies', 'format every .rego file below a directory'],
    ['verdict fmt --check policies', 'for a pipeline: names what is not formatted, and fails (exit 1)'],
    ['verdict fmt - < todo.rego', 'from stdin to stdout'],
  ])
    .argument('<path...>', 'directories and .rego files; - is stdin')
    .option('--write', 'write the files that change, and name them')
    .option('--check', 'name the files that would change; exit 1 when there are any')
    .option('--diff', 'show what would change; exit 1 when anything would')
    .action(start(run));
