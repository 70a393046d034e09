import { checkParts } from '../../policy/index.ts';
import { CliCommand } from '../command.ts';
import { EXIT, type ExitCode } from '../model.ts';
import { cachingLines, cachingText } from '../screen/caching.ts';
import { problemsText } from '../screen/problem.ts';
import { indexText } from '../screen/rule-index.ts';
import { count, noteText } from '../screen/screen.ts';
import type { Session, Start } from '../session.ts';
import { loadSources } from '../sources/sources.ts';

const run = async (
  session: Session,
  paths: readonly string[],
  options: { readonly strict?: boolean; readonly explainCache?: boolean; readonly explainIndex?: boolean },
): Promise<ExitCode> => {
  const { screen, onProgress } = session;
  const loaded = await loadSources(session, paths);
  const { modules } = loaded.sources;
  const toolchain = await session.toolchain();
  const found = await checkParts(loaded, { toolchain, strict: options.strict === true, onProgress });
  const { packages, rules, tests, warnings, entrypoints, index } = found;
  const notes = [...loaded.notes, ...found.notes];
  if (warnings.length > 0) screen.note(problemsText(warnings, screen.paintNote, 'warning'));
  for (const note of notes) screen.note(noteText(note, screen.paintNote));
  const summary = (): string =>
    `${screen.paint('green', 'no problems')} in ${modules.length === 0 ? 'the data' : count(modules.length, 'file')}: ` +
    `${count(packages.length, 'package')}, ${count(rules.length, 'rule')}, ${count(tests, 'test')}`;
  const shown = options.explainCache === true ? cachingText : cachingLines;
  const explained = options.explainIndex === true && index !== undefined;
  screen.result(
    { problems: [], warnings, notes, packages, rules, tests, entrypoints, ...(explained ? { index } : {}) },
    () =>
      [summary(), ...shown(entrypoints, screen.paint), ...(explained ? indexText(index, screen.paint) : [])].join('\n'),
  );
  return EXIT.done;
};

export const checkCommand = (start: Start): CliCommand =>
  new CliCommand(
    'check',
    'Check sources as a build and a push do, tests aside: Rego, data, METADATA, schemas, roots, entrypoints. Names every problem of the first kind that it finds.',
    [
      ['verdict check policies/todo', 'a directory'],
      [
        'verdict check --explain-cache policies/services',
        'what an answer is remembered by, and what keeps it from that',
      ],
      ['verdict check --strict policies/todo/todo.rego', 'one file; unused variables and imports are errors too'],
    ],
  )
    .argument('<path...>', 'directories, bundle files, .rego and data files')
    .option('--strict', "refuse also what OPA's strict mode refuses")
    .option(
      '--explain-cache',
      'show all that answers rest on, and where: reads of input and data, time, chance, network, tokens',
    )
    .option('--explain-index', 'show which rules are found by what they compare, and why others are tried one by one')
    .action(start(run));
