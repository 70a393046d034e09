import { PolicyError } from '../../policy/index.ts';
import { bundleName } from '../arguments.ts';
import { CliCommand } from '../command.ts';
import { EXIT, type ExitCode } from '../model.ts';
import { askAdminFor } from '../remote/admin.ts';
import { isActivationAnswer, isVersionsAnswer } from '../remote/answers.ts';
import { part } from '../remote/http.ts';
import { activationText } from '../screen/activation.ts';
import type { Session, Start } from '../session.ts';

const preview = async (session: Session, name: string): Promise<ExitCode> => {
  const path = `/v1/bundles/${part(name)}/versions`;
  const { versions, rollbackTo } = await askAdminFor(session, { method: 'GET', path }, isVersionsAnswer);
  const active = versions.find(({ state }) => state === 'active')?.version;
  if (rollbackTo === undefined || active === undefined) {
    throw new PolicyError('NOTHING_TO_ROLL_BACK', `${name} has no version that was active before`);
  }
  session.screen.result(
    { active, rollbackTo },
    () => `${name}@${rollbackTo} would be active again, in place of ${name}@${active}`,
  );
  return EXIT.done;
};

const run = async (session: Session, text: string, options: { readonly dryRun?: boolean }): Promise<ExitCode> => {
  const name = bundleName(text);
  if (options.dryRun === true) return preview(session, name);
  const path = `/v1/bundles/${part(name)}/rollback`;
  session.screen.progress('activating ...');
  const answer = await askAdminFor(session, { method: 'POST', path }, isActivationAnswer);
  session.screen.result(answer, () => activationText(session.screen.paint, answer, 'is active again'));
  return EXIT.done;
};

export const rollbackCommand = (start: Start): CliCommand =>
  new CliCommand('rollback', 'Make the version live again that was active before the present one.', [
    ['verdict rollback todo', 'undo the last activation'],
    ['verdict rollback todo --dry-run', 'say which version that is, and change nothing'],
  ])
    .argument('<name>', 'name of the bundle')
    .option('--dry-run', 'say which version would be active again, and change nothing')
    .action(start(run));
