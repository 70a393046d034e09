import { checkParts } from '../../policy/index.ts';
import { CliCommand } from '../command.ts';
import { EXIT, type ExitCode } from '../model.ts';
import { problemsText } from '../screen/problem.ts';
import { count, noteText } from '../screen/screen.ts';
import type { Session, Start } from '../session.ts';
import { loadSources } from '../sources/sources.ts';

const run = async (
  session: Session,
  paths: readonly string[],
  options: { readonly strict?: boolean },
): Promise<ExitCode> => {
  const { screen, onProgress } = session;
  const loaded = await loadSources(session, paths);
  const { modules } = loaded.sources;
  const toolchain = await session.toolchain();
  const found = await checkParts(loaded, { toolchain, strict: options.strict === true, onProgress });
  const { packages, rules, tests, warnings } = found;
  const notes = [...loaded.notes, ...found.notes];
  if (warnings.length > 0) screen.note(problemsText(warnings, screen.paintNote, 'warning'));
  for (const note of notes) screen.note(noteText(note, screen.paintNote));
  screen.result(
    { problems: [], warnings, notes, packages, rules, tests },
    () =>
      `${screen.paint('green', 'no problems')} in ${modules.length === 0 ? 'the data' : count(modules.length, 'file')}: ` +
      `${count(packages.length, 'package')}, ${count(rules.length, 'rule')}, ${count(tests, 'test')}`,
  );
  return EXIT.done;
};

export const checkCommand = (start: Start): CliCommand =>
  new CliCommand(
    'check',
    'Check sources as a build and a push do, tests aside: Rego, data, METADATA, schemas, roots, entrypoints. Names every problem of the first kind that it finds.',
    [
      ['verdict check policies/todo', 'a directory'],
      ['verdict check --strict policies/todo/todo.rego', 'one file; unused variables and imports are errors too'],
    ],
  )
    .argument('<path...>', 'directories, bundle files, .rego and data files')
    .option('--strict', "refuse also what OPA's strict mode refuses")
    .action(start(run));
