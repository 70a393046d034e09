import { parse } from 'yaml';
import { CliCommand } from '../command.ts';
import { EXIT, type ExitCode } from '../model.ts';
import type { Session, Start } from '../session.ts';

const show = async (session: Session): Promise<ExitCode> => {
  const yaml = session.host.renderConfig(await session.config());
  session.screen.result(parse(yaml), () => yaml);
  return EXIT.done;
};

const schema = async (session: Session): Promise<ExitCode> => {
  session.screen.raw(JSON.stringify(session.host.configSchema, undefined, 2));
  return EXIT.done;
};

const check = async (session: Session): Promise<ExitCode> => {
  await session.config();
  session.screen.result({ ok: true }, () => session.screen.paint('green', 'the configuration is valid'));
  return EXIT.done;
};

export const configCommand = (start: Start): CliCommand => {
  const command = new CliCommand('config', 'Show and check the configuration.');
  command.addCommand(
    new CliCommand('show', 'Print the configuration in force: file, environment and --set over the defaults.', [
      ['verdict config show --set cache.maxAgeSeconds=5', 'see what a setting changes'],
    ]).action(start(show)),
  );
  command.addCommand(
    new CliCommand('schema', 'Print the JSON Schema of the configuration, for editors.').action(start(schema)),
  );
  command.addCommand(
    new CliCommand('check', 'Say whether a server would start with this configuration, and if not, why (exit 2).', [
      ['verdict config check --config verdict.yaml', 'before a deployment'],
    ]).action(start(check)),
  );
  return command;
};
