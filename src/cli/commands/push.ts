import { writeArchive } from '../../policy/index.ts';
import { bundleName } from '../arguments.ts';
import { CliCommand } from '../command.ts';
import { EXIT, type ExitCode } from '../model.ts';
import { askAdminFor } from '../remote/admin.ts';
import { isPushAnswer, type PushAnswer } from '../remote/answers.ts';
import { part } from '../remote/http.ts';
import { count, noteText, type Paint, plain, warningText } from '../screen/screen.ts';
import type { Session, Start } from '../session.ts';
import { isDirectory, leftOut, readBundle, readNamed, withRoot } from '../sources/sources.ts';

const answerText = (paint: Paint, { version, created, epoch, warnings = [] }: PushAnswer): string => {
  const label = paint('bold', `${plain(version.name)}@${version.version}`);
  const what = created ? 'pushed' : 'was there already';
  const active = version.state === 'active' ? `, ${paint('green', 'active')} (epoch ${epoch})` : '';
  const tests =
    version.opaque || version.tests.passed === 0 ? 'no tests ran' : `${count(version.tests.passed, 'test')} passed`;
  return [
    `${label} ${what}${active}: ${tests}, digest ${plain(version.digest.slice(0, 12))}`,
    ...warnings.map((warning) => `  ${warningText(warning, paint)}`),
    ...version.notes.map((note) => `  ${noteText(note, paint)}`),
  ].join('\n');
};

const run = async (
  session: Session,
  name: string,
  file: string,
  options: { readonly activate?: boolean },
): Promise<ExitCode> => {
  const path = `/v1/bundles/${part(bundleName(name))}${options.activate === true ? '?activate=true' : ''}`;
  const packed = file !== '-' && (await isDirectory(session, file));
  const bundle = packed ? await readBundle(session, file) : undefined;
  for (const note of bundle === undefined ? [] : leftOut(file, bundle)) {
    session.screen.note(noteText(note, session.screen.paintNote));
  }
  const body = bundle === undefined ? await readNamed(session, file) : await writeArchive(bundle.files);
  session.screen.progress(`sending ${count(body.length, 'byte')}, which the server checks, compiles and tests ...`);
  const request = { method: 'PUT', path, body, contentType: 'application/gzip' } as const;
  const answer = await askAdminFor(session, request, isPushAnswer).catch((error: unknown) => {
    // The server names files as they stand in the archive; the person knows them below the directory.
    throw packed ? withRoot(file, error) : error;
  });
  session.screen.result(answer, () => answerText(session.screen.paint, answer));
  return EXIT.done;
};

export const pushCommand = (start: Start): CliCommand =>
  new CliCommand('push', 'Send a bundle to a server, which checks, tests and compiles it.', [
    ['verdict push todo policies/todo', 'a new version, not yet live'],
    ['verdict push todo build/todo.tar.gz --activate', 'a bundle file, live at once'],
  ])
    .argument('<name>', 'name of the bundle on the server')
    .argument('<path>', 'directory of Rego and data, or a bundle file; - is a bundle file on stdin')
    .option('--activate', 'make it live when it is accepted')
    .action(start(run));
