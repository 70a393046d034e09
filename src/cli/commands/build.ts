import { rename, rm, writeFile } from 'node:fs/promises';
import { messageOf, sha256Hex } from '../../canonical/index.ts';
import { buildBundle } from '../../policy/index.ts';
import { renamedProblems } from '../../rego/index.ts';
import { nameOfPath } from '../arguments.ts';
import { CliCommand, collect } from '../command.ts';
import { EXIT, type ExitCode } from '../model.ts';
import { CliError } from '../report.ts';
import { problemsText } from '../screen/problem.ts';
import { noteText, plain } from '../screen/screen.ts';
import type { Session, Start } from '../session.ts';
import { displayed, leftOut, readBundle, withRoot } from '../sources/sources.ts';

interface Options {
  readonly out?: string;
  readonly entrypoint?: readonly string[];
  readonly revision?: string;
}

/** Whole or not at all: a server may be about to load the file. */
const writeWhole = async (file: string, bytes: Uint8Array): Promise<void> => {
  const beside = `${file}.${process.pid}.new`;
  try {
    await writeFile(beside, bytes);
    await rename(beside, file);
  } catch (cause) {
    await rm(beside, { force: true });
    throw new CliError('FILE_UNUSABLE', `${file} cannot be written: ${messageOf(cause)}`, { cause });
  }
};

const slashPath = (text: string): string =>
  text
    .replace(/^data\./, '')
    .replaceAll('.', '/')
    .replace(/^\/+|\/+$/g, '');

const run = async (session: Session, path: string, options: Options): Promise<ExitCode> => {
  const { screen } = session;
  const files = await readBundle(session, path);
  screen.progress('compiling ...');
  const built = await buildBundle(files, {
    toolchain: await session.toolchain(),
    ...(options.entrypoint === undefined ? {} : { entrypoints: options.entrypoint.map(slashPath) }),
    ...(options.revision === undefined ? {} : { revision: options.revision }),
  }).catch((error: unknown) => {
    throw withRoot(path, error);
  });
  const { problems: warnings } = renamedProblems({ message: '', problems: built.warnings }, (file) =>
    displayed(path, file),
  );
  if (warnings.length > 0) screen.note(problemsText(warnings, screen.paintNote, 'warning'));
  for (const note of [...leftOut(path, files), ...built.references]) screen.note(noteText(note, screen.paintNote));
  if (options.out === '-') {
    session.host.stdout.write(built.archive);
    return EXIT.done;
  }
  const out = options.out ?? `${nameOfPath(session.resolve(path))}.tar.gz`;
  await writeWhole(session.resolve(out), built.archive);
  const { entrypoints, builtins, archive } = built;
  const sha256 = sha256Hex(archive);
  screen.result({ file: out, bytes: archive.length, sha256, entrypoints, builtins }, () =>
    [
      `${screen.paint('bold', out)}: ${archive.length} bytes, sha256 ${sha256}`,
      ...entrypoints.map((entrypoint) => `  ${plain(entrypoint)}`),
    ].join('\n'),
  );
  return EXIT.done;
};

export const buildCommand = (start: Start): CliCommand =>
  new CliCommand('build', 'Compile a directory of Rego and data into a bundle. The same sources give the same bytes.', [
    ['verdict build policies/todo -o bundles/todo.tar.gz', 'what a server starts from without compiling'],
    ['verdict build policies/shop -e shop/allow --revision "$GIT_COMMIT"', 'name the entrypoint and the revision'],
  ])
    .argument('<path>', 'directory or bundle file')
    .option('-o, --out <file>', 'where to write it (default: <name of the path>.tar.gz here); - is stdout')
    .option(
      '-e, --entrypoint <path>',
      "path to answer at (default: the manifest's, METADATA's, else every rule); may be repeated",
      collect,
    )
    .option('--revision <text>', 'revision for the manifest, such as a commit')
    .action(start(run));
