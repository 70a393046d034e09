import { networkCalls, refuseSchemas } from '../../policy/index.ts';
import type { RegoProblem, RegoSources } from '../../rego/index.ts';
import { CliCommand } from '../command.ts';
import { EXIT, type ExitCode } from '../model.ts';
import { CliError } from '../report.ts';
import { problemsText } from '../screen/problem.ts';
import { count } from '../screen/screen.ts';
import type { Session, Start } from '../session.ts';
import { loadSources } from '../sources/sources.ts';

/** What OPA knows and a server here refuses, when a rule that is asked for reaches it. Tests may mock it. */
const networkWarnings = ({ modules }: RegoSources): RegoProblem[] =>
  networkCalls({ modules: modules.filter(({ path }) => !path.endsWith('_test.rego')) }).map(
    ({ builtin: _, ...problem }) => problem,
  );

const run = async (
  session: Session,
  paths: readonly string[],
  options: { readonly strict?: boolean },
): Promise<ExitCode> => {
  const { screen } = session;
  const sources = await loadSources(session, paths);
  if (sources.modules.length === 0) throw new CliError('FILE_UNUSABLE', `no .rego files in ${paths.join(', ')}`);
  const toolchain = await session.toolchain();
  const found = await toolchain.check(sources, { strict: options.strict === true, onProgress: session.onProgress });
  if (sources.schemas !== undefined) refuseSchemas(sources.schemas, found.annotations);
  const { packages, rules, tests } = found;
  const warnings = [...found.warnings, ...networkWarnings(sources)];
  if (warnings.length > 0) screen.note(problemsText(warnings, screen.paintNote, 'warning'));
  screen.result(
    { problems: [], warnings, packages, rules, tests },
    () =>
      `${screen.paint('green', 'no problems')} in ${count(sources.modules.length, 'file')}: ` +
      `${count(packages.length, 'package')}, ${count(rules.length, 'rule')}, ${count(tests, 'test')}`,
  );
  return EXIT.done;
};

export const checkCommand = (start: Start): CliCommand =>
  new CliCommand(
    'check',
    'Check Rego sources: syntax, types, unsafe variables, unknown builtins. Names every problem of the first kind that it finds.',
    [
      ['verdict check policies/todo', 'a directory'],
      ['verdict check --strict policies/todo/todo.rego', 'one file; unused variables and imports are errors too'],
    ],
  )
    .argument('<path...>', 'directories, bundle files, .rego and data files')
    .option('--strict', "refuse also what OPA's strict mode refuses")
    .action(start(run));
