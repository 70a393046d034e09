import { durationMs } from '../arguments.ts';
import { CliCommand } from '../command.ts';
import { EXIT, type ExitCode } from '../model.ts';
import { askGrpcHealth, askHealth, type HealthAddress, healthAddress } from '../remote/health.ts';
import { serverUrl } from '../remote/http.ts';
import { CliError } from '../report.ts';
import { plain } from '../screen/screen.ts';
import type { Session, Start } from '../session.ts';

interface Options {
  readonly live?: boolean;
  readonly ready?: boolean;
  readonly grpc?: boolean;
  readonly url?: string;
  readonly timeout: string;
}

const addressOf = async (
  session: Session,
  listener: 'http' | 'grpc',
  url: string | undefined,
): Promise<HealthAddress> => {
  if (url !== undefined) return healthAddress(url);
  // The admin listener answers for the whole server.
  const named = session.globals.server ?? session.host.env.VERDICT_SERVER;
  if (named && listener === 'grpc')
    throw new CliError('USAGE', '--server and VERDICT_SERVER name the admin listener: give --url with --grpc');
  if (named) return healthAddress(serverUrl(named).origin);
  const { socket, host, port } = (await session.config()).server[listener];
  if (socket !== '') return healthAddress(`unix:${session.resolve(socket)}`);
  if (port === 0)
    throw new CliError('USAGE', `server.${listener}.port is 0, so nothing says where the server listens: give --url`);
  return healthAddress(`http://${host.includes(':') ? `[${host}]` : host}:${port}`);
};

const run = async (session: Session, options: Options): Promise<ExitCode> => {
  if (options.live === true && options.ready === true) throw new CliError('USAGE', 'choose one of --live and --ready');
  const state = options.live === true ? 'live' : 'ready';
  const timeoutMs = durationMs(options.timeout);
  const address = await addressOf(session, options.grpc === true ? 'grpc' : 'http', options.url);
  const ask = options.grpc === true ? askGrpcHealth : askHealth;
  const reason = await ask(address, state, timeoutMs);
  if (reason !== undefined)
    throw new CliError('SERVER_NOT_HEALTHY', `${address.name} is not ${state}: ${plain(reason)}`);
  session.screen.result({ ok: true, state, url: address.name }, () => `${address.name} is ${state}`);
  return EXIT.done;
};

export const healthcheckCommand = (start: Start): CliCommand =>
  new CliCommand(
    'healthcheck',
    'Ask the server on this machine whether it is well: exit 0 when it is, 1 when it is not.',
    [
      ['verdict healthcheck --config verdict.yaml', 'may decisions be asked? The address is that of the configuration'],
      ['verdict healthcheck --live', 'does the process answer at all?'],
      ['verdict healthcheck --url unix:/run/verdict/decide.sock --timeout 1s', 'a listener that is named'],
    ],
  )
    .option('--ready', 'ask whether it is ready: a version is active and the decision log can be written (default)')
    .option('--live', 'ask only whether it answers')
    .option('--grpc', 'ask the gRPC listener, by grpc.health.v1')
    .option(
      '--url <url>',
      'listener to ask: http://host:port or unix:/path (default: --server or VERDICT_SERVER, else what the configuration says)',
    )
    .option('--timeout <time>', 'longest time to wait for the answer, such as 1s', '3s')
    .action(start(run));
