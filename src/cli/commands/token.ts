import type { TokenInfo } from '../../identity/index.ts';
import { durationMs } from '../arguments.ts';
import { CliCommand, collect } from '../command.ts';
import { EXIT, type ExitCode } from '../model.ts';
import { askAdminFor } from '../remote/admin.ts';
import { isTokenAnswer, isTokenInfo, isTokensAnswer } from '../remote/answers.ts';
import { warnOfUnknown } from '../remote/bundles.ts';
import { part } from '../remote/http.ts';
import { CliError } from '../report.ts';
import { moment, type Paint, plain, table } from '../screen/screen.ts';
import type { Session, Start } from '../session.ts';

interface CreateOptions {
  readonly role?: readonly string[];
  readonly bundle?: readonly string[];
  readonly expires?: string;
}

const create = async (session: Session, name: string, options: CreateOptions): Promise<ExitCode> => {
  if (options.role === undefined) throw new CliError('USAGE', 'a token needs at least one --role');
  const json = {
    name,
    roles: options.role,
    ...(options.bundle === undefined ? {} : { bundles: options.bundle }),
    ...(options.expires === undefined ? {} : { expiresInSeconds: durationMs(options.expires) / 1000 }),
  };
  const answer = await askAdminFor(session, { method: 'POST', path: '/v1/tokens', json }, isTokenAnswer);
  const { token } = answer;
  session.screen.note(
    `token ${plain(token.name)} (${plain(token.roles.join(', '))}; ` +
      `${token.bundles === undefined ? 'all bundles' : `bundle ${plain(token.bundles.join(', '))}`}), ` +
      `${token.expiresAt === undefined ? 'never expires' : `expires ${moment(token.expiresAt)} UTC`}; shown this once:`,
  );
  session.screen.result(answer, () => answer.secret);
  await warnOfUnknown(session, token.bundles ?? []);
  return EXIT.done;
};

const stateText = (paint: Paint, token: TokenInfo, now: number): string => {
  if (token.revokedAt !== undefined) return paint('red', 'revoked');
  if (token.expiresAt !== undefined && Date.parse(token.expiresAt) <= now) return paint('yellow', 'expired');
  return paint('green', 'valid');
};

const list = async (session: Session): Promise<ExitCode> => {
  const { screen } = session;
  const answer = await askAdminFor(session, { method: 'GET', path: '/v1/tokens' }, isTokensAnswer);
  const headings = ['NAME', 'STATE', 'ROLES', 'BUNDLES', 'CREATED (UTC)', 'EXPIRES (UTC)', 'LAST USED (UTC)'];
  const rows = answer.tokens.map((token) => [
    plain(token.name),
    stateText(screen.paint, token, Date.now()),
    plain(token.roles.join(',')),
    plain(token.bundles?.join(',') ?? 'all'),
    moment(token.createdAt),
    token.expiresAt === undefined ? 'never' : moment(token.expiresAt),
    token.lastUsedAt === undefined ? 'never' : moment(token.lastUsedAt),
  ]);
  screen.result(answer, () => table(screen.paint, headings, rows));
  return EXIT.done;
};

const revoke = async (session: Session, name: string): Promise<ExitCode> => {
  const answer = await askAdminFor(session, { method: 'DELETE', path: `/v1/tokens/${part(name)}` }, isTokenInfo);
  session.screen.result(answer, () => `token ${plain(answer.name)} is revoked`);
  return EXIT.done;
};

export const tokenCommand = (start: Start): CliCommand => {
  const command = new CliCommand('token', 'Make, list and revoke API tokens of a server.');
  command.addCommand(
    new CliCommand('create', 'Make a token. Its secret goes to stdout, and is shown only this once.', [
      ['verdict token create ci --role author --bundle todo --expires 90d', 'for a pipeline that pushes one bundle'],
      ['verdict token create gateway --role ask > gateway.token', 'for a service that asks'],
    ])
      .argument('<name>', 'name that records and lists show')
      .option('--role <role>', 'ask, author, approver, auditor, operator or edge; may be repeated', collect)
      .option('--bundle <name>', 'hold the roles for this bundle only; may be repeated', collect)
      .option('--expires <time>', 'end of its life from now, such as 90d or 12h (default: never)')
      .action(start(create)),
  );
  command.addCommand(new CliCommand('list', 'List the tokens, revoked ones too.').action(start(list)));
  command.addCommand(
    new CliCommand('revoke', 'Revoke a token; it is refused from the next request on.', [
      ['verdict token revoke ci', 'the pipeline can push no more'],
    ])
      .argument('<name>', 'name of the token')
      .action(start(revoke)),
  );
  return command;
};
