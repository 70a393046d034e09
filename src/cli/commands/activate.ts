import { bundleName, versionNumber } from '../arguments.ts';
import { CliCommand } from '../command.ts';
import { EXIT, type ExitCode } from '../model.ts';
import { askAdminFor } from '../remote/admin.ts';
import { isActivationAnswer } from '../remote/answers.ts';
import { part } from '../remote/http.ts';
import { activationText } from '../screen/activation.ts';
import type { Session, Start } from '../session.ts';

const run = async (session: Session, name: string, version: string): Promise<ExitCode> => {
  const path = `/v1/bundles/${part(bundleName(name))}/versions/${versionNumber(version)}/activate`;
  // What is linked with other bundles is compiled now.
  session.screen.progress('activating ...');
  const answer = await askAdminFor(session, { method: 'POST', path }, isActivationAnswer);
  session.screen.result(answer, () => activationText(session.screen.paint, answer, 'is active'));
  return EXIT.done;
};

export const activateCommand = (start: Start): CliCommand =>
  new CliCommand('activate', 'Make a version of a bundle live on a server.', [
    ['verdict activate todo 3', 'version 3 answers from now on'],
  ])
    .argument('<name>', 'name of the bundle')
    .argument('<version>', 'number of the version')
    .action(start(run));
