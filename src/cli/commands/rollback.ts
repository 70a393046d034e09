import { bundleName } from '../arguments.ts';
import { CliCommand } from '../command.ts';
import { EXIT, type ExitCode } from '../model.ts';
import { askAdminFor } from '../remote/admin.ts';
import { isActivationAnswer } from '../remote/answers.ts';
import { part } from '../remote/http.ts';
import type { Session, Start } from '../session.ts';

const run = async (session: Session, name: string): Promise<ExitCode> => {
  const path = `/v1/bundles/${part(bundleName(name))}/rollback`;
  const answer = await askAdminFor(session, { method: 'POST', path }, isActivationAnswer);
  session.screen.result(answer, () => `${name}@${answer.version.version} is active again (epoch ${answer.epoch})`);
  return EXIT.done;
};

export const rollbackCommand = (start: Start): CliCommand =>
  new CliCommand('rollback', 'Make the version live again that was active before the present one.', [
    ['verdict rollback todo', 'undo the last activation'],
  ])
    .argument('<name>', 'name of the bundle')
    .action(start(run));
