import type { VersionInfo } from '../../policy/index.ts';
import { bundleName } from '../arguments.ts';
import { CliCommand } from '../command.ts';
import { EXIT, type ExitCode } from '../model.ts';
import { askAdminFor } from '../remote/admin.ts';
import { isVersionsAnswer } from '../remote/answers.ts';
import { part } from '../remote/http.ts';
import { moment, type Paint, plain, table } from '../screen/screen.ts';
import type { Session, Start } from '../session.ts';

const stateText = (paint: Paint, state: VersionInfo['state']): string =>
  state === 'active' ? paint('green', state) : state === 'retired' ? paint('dim', state) : plain(state);

const row = (paint: Paint, info: VersionInfo, rollbackTo: number | undefined): string[] => [
  String(info.version),
  `${stateText(paint, info.state)}${info.version === rollbackTo ? ', rollback goes here' : ''}`,
  plain(info.digest.slice(0, 12)),
  plain(info.revision) || '-',
  moment(info.pushedAt),
  plain(info.pushedBy),
  String(info.tests.passed),
  plain(info.notes.join('; ')),
];

const run = async (session: Session, name: string): Promise<ExitCode> => {
  const { screen } = session;
  const path = `/v1/bundles/${part(bundleName(name))}/versions`;
  const answer = await askAdminFor(session, { method: 'GET', path }, isVersionsAnswer);
  const headings = ['VERSION', 'STATE', 'DIGEST', 'REVISION', 'PUSHED (UTC)', 'BY', 'TESTS', 'NOTES'];
  screen.result(answer, () =>
    table(
      screen.paint,
      headings,
      answer.versions.map((info) => row(screen.paint, info, answer.rollbackTo)),
    ),
  );
  return EXIT.done;
};

export const versionsCommand = (start: Start): CliCommand =>
  new CliCommand('versions', 'List the versions of a bundle on a server, newest first.', [
    ['verdict versions todo', 'what is active, and what a rollback goes back to'],
  ])
    .argument('<name>', 'name of the bundle')
    .action(start(run));
