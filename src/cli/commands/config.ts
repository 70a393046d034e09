import { constants, existsSync } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import { listenError, messageOf } from '../../canonical/index.ts';
import { CliCommand } from '../command.ts';
import { EXIT, type ExitCode } from '../model.ts';
import { CliError } from '../report.ts';
import { plain } from '../screen/screen.ts';
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

/** The nearest folder that is there, on the way up from one that may still have to be made. */
const nearestThere = (dir: string): string => (existsSync(dir) ? dir : nearestThere(path.dirname(dir)));

const storageProblem = async (dir: string): Promise<string | undefined> => {
  const there = nearestThere(dir);
  try {
    if (!(await stat(there)).isDirectory()) return `storage.dir: ${there} is no folder`;
    await access(there, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (cause) {
    return `storage.dir: ${dir} cannot be written: ${messageOf(cause)}`;
  }
};

/** What would keep a server from starting, whoever else runs. */
const hindrances = async (session: Session): Promise<readonly string[]> => {
  const { storage, policy, engine } = await session.config();
  const missing = policy.bundles.filter(({ path: place }) => !existsSync(session.resolve(place)));
  const dir = await storageProblem(session.resolve(storage.dir));
  return [
    ...(dir === undefined ? [] : [dir]),
    ...engine.network.tlsFiles
      .filter((file) => !existsSync(session.resolve(file)))
      .map((file) => `engine.network.tlsFiles: ${file} is not there`),
    ...missing.map(({ name, path: place }) => `policy.bundles: ${place} (${name}) is not there`),
  ];
};

/** What is held now, perhaps by the server that the configuration is for. */
const taken = async (session: Session): Promise<readonly string[]> => {
  const { http, grpc, admin } = (await session.config()).server;
  const listeners = [
    { name: 'http', ...http },
    ...(grpc.enabled ? [{ name: 'grpc', ...grpc }] : []),
    { name: 'admin', ...admin, socket: '' },
  ];
  const found = await Promise.all(
    listeners.map(async ({ name, host, port, socket }) => {
      const error = socket === '' ? await listenError(host, port) : undefined;
      if (error === undefined) return [];
      const isUsed = error.code === 'EADDRINUSE';
      return [
        `server.${name}: port ${port} on ${host} ${isUsed ? 'is in use now' : `cannot be had: ${error.message}`}`,
      ];
    }),
  );
  return found.flat();
};

const check = async (session: Session): Promise<ExitCode> => {
  const { screen } = session;
  const problems = await hindrances(session);
  if (problems.length > 0) throw new CliError('START_HINDERED', problems.join('; '));
  const warnings = await taken(session);
  for (const warning of warnings) screen.warn(`verdict: ${warning}`);
  const config = await session.config();
  const sources = session.host.configSources(config);
  const storageDir = session.resolve(config.storage.dir);
  const read = sources.length === 0 ? 'defaults alone, no verdict.yaml is here' : sources.join(', ');
  screen.result(
    { ok: true, sources, storageDir, warnings },
    () => `${screen.paint('green', 'the configuration is valid')} (${plain(read)}); state lies in ${plain(storageDir)}`,
  );
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
    new CliCommand(
      'check',
      'Check the configuration without starting: keys and values, that storage.dir can be written and the bundles are ' +
        'there (exit 2 if not). Ports that are in use now are told.',
      [['verdict config check --config verdict.yaml', 'before a deployment']],
    ).action(start(check)),
  );
  return command;
};
